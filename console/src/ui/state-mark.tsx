/** States: a sign, a colour and always the word, so that nobody needs the colour. */
import { words } from './format.ts';

type Tone = 'good' | 'busy' | 'wait' | 'bad' | 'warn' | 'quiet';

const TONES: Record<string, [Tone, string]> = {
  succeeded: ['good', '✓'],
  promoted: ['good', '✓'],
  ran: ['good', '✓'],
  passed: ['good', '✓'],
  live: ['good', '✓'],
  holds: ['good', '✓'],
  resolved: ['good', '✓'],
  running: ['busy', '▶'],
  starting: ['busy', '▶'],
  promoting: ['busy', '▶'],
  waiting: ['wait', '◔'],
  paused: ['wait', '❙❙'],
  pending: ['wait', '◔'],
  acknowledged: ['wait', '◔'],
  unknown: ['quiet', '?'],
  failed: ['bad', '✕'],
  terminated: ['bad', '✕'],
  escalated: ['bad', '!'],
  open: ['bad', '!'],
  orphaned: ['bad', '!'],
  dropped: ['bad', '▼'],
  drifted: ['warn', '≠'],
  rejected: ['warn', '⊘'],
  rolledBack: ['warn', '↺'],
  rollingBack: ['warn', '↺'],
  aborted: ['warn', '↺'],
  reused: ['quiet', '⟲'],
  coalesced: ['quiet', '⤵'],
  observed: ['quiet', '○'],
  cancelled: ['quiet', '–'],
  skipped: ['quiet', '–'],
  notStarted: ['quiet', '·'],
};

export const toneOf = (state: string): Tone => TONES[state]?.[0] ?? 'quiet';
export const signOf = (state: string): string => TONES[state]?.[1] ?? '•';

export const StateMark = ({ state, label }: { state: string; label?: string }) => (
  <span class={`state tone-${toneOf(state)}`}>
    <span class="state-sign" aria-hidden="true">
      {signOf(state)}
    </span>
    {label ?? words(state)}
  </span>
);
