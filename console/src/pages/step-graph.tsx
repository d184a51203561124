/** The steps as a graph. Each is a link to its details. */
import type { Run, Step } from '../api/types.ts';
import { hrefOf, setQuery } from '../state/router.ts';
import { duration, words } from '../ui/format.ts';
import { LayeredGraph, NodeBox, type Placed } from '../ui/layered-graph.tsx';
import { runPath } from '../ui/link.tsx';
import { shownState } from '../ui/shown-state.ts';
import { signOf, toneOf } from '../ui/state-mark.tsx';

const SIZE = { width: 126, height: 52 };
const MOST_NOTE = 20;

const noteOf = (state: string, { durationMs }: Step): string => {
  const note = durationMs === null ? words(state) : `${words(state)}, ${duration(durationMs)}`;
  return note.length > MOST_NOTE ? words(state) : note;
};

const Node = ({ run, step, at, isChosen }: { run: Run; step: Step; at: Placed; isChosen: boolean }) => {
  const state = shownState(run.state, step);
  return (
    <a
      href={hrefOf(`${runPath(run.runId)}?step=${encodeURIComponent(step.name)}`)}
      class={`node tone-${toneOf(state)}${isChosen ? ' chosen' : ''}`}
      onClick={(event) => {
        event.preventDefault();
        setQuery({ step: step.name });
      }}
    >
      <NodeBox at={at} size={SIZE} name={step.name} note={noteOf(state, step)} sign={signOf(state)} />
    </a>
  );
};

export const StepGraph = ({ run, chosen }: { run: Run; chosen: string | undefined }) => {
  const names = run.steps.map(({ name }) => name);
  const edges = names.slice(1).map((name, index): [string, string] => [names[index] ?? '', name]);
  return (
      <LayeredGraph label="Steps in their order" ids={names} edges={edges} size={SIZE}>
        {(at) => {
          const step = run.steps.find(({ name }) => name === at.id);
          return step === undefined ? null : <Node key={at.id} run={run} step={step} at={at} isChosen={at.id === chosen} />;
        }}
      </LayeredGraph>
  );
};
