/** What copies of requests showed of a candidate that nobody is served by. */
import type { Deployment } from '../api/types.ts';
import { Panel } from '../ui/page.tsx';
import { Facts } from '../ui/page.tsx';
import { count, measured, percent } from '../ui/format.ts';

type ShadowView = NonNullable<Deployment['shadow']>;

export const Shadow = ({ shadow }: { shadow: ShadowView }) => (
  <Panel title="Shadow">
    <Facts
      facts={[
        ['Candidate', `version ${shadow.version}, against version ${shadow.against}`],
        ['Copies', count(shadow.copies)],
        ['Differ', shadow.copies === 0 ? '–' : `${count(shadow.differing)} (${percent(shadow.differing / shadow.copies, 2)})`],
        ['Largest difference', measured(shadow.maximumDifference)],
        ['Failed', count(shadow.failures)],
        ['Not tried', count(shadow.dropped)],
      ]}
    />
  </Panel>
);
