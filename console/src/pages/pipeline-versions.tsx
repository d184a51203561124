/** What changed between two versions of a pipeline, line by line. Both are in the address. */
import { place, setQuery } from '../state/router.ts';
import { useRead } from '../state/query.ts';
import { diffLines, type DiffLine } from '../ui/diff.ts';
import { asLines } from '../ui/as-lines.ts';
import { Empty, Shown } from '../ui/page.tsx';

const SIGNS = { same: ' ', added: '+', removed: '-' } as const;

/** Only what is near a change is worth reading. */
const NEAR = 3;

const nearChanges = (lines: DiffLine[]): (DiffLine | 'gap')[] => {
  const isNear = lines.map((_, index) => lines.slice(Math.max(0, index - NEAR), index + NEAR + 1).some(({ kind }) => kind !== 'same'));
  return lines.flatMap((line, index): (DiffLine | 'gap')[] => (isNear[index] === true ? [line] : isNear[index - 1] === true ? ['gap'] : []));
};

const Difference = ({ before, after }: { before: unknown; after: unknown }) => {
  const lines = nearChanges(diffLines(asLines(before).join('\n'), asLines(after).join('\n')));
  if (lines.length === 0) return <Empty>They are the same.</Empty>;
  return (
    <pre class="log diff" tabIndex={0} aria-label="Difference">
      {lines.map((line, index) =>
        line === 'gap' ? (
          <div key={index} class="diff-gap">
            …
          </div>
        ) : (
          <div key={index} class={`diff-${line.kind}`}>
            {SIGNS[line.kind]} {line.text}
          </div>
        ),
      )}
    </pre>
  );
};

const Choice = ({ label, parameter, versions, chosen }: { label: string; parameter: string; versions: number[]; chosen: number }) => (
  <label>
    {label}
    <select value={String(chosen)} onChange={(event) => setQuery({ [parameter]: event.currentTarget.value })}>
      {versions.map((version) => (
        <option key={version} value={String(version)}>
          version {version}
        </option>
      ))}
    </select>
  </label>
);

export const PipelineVersions = ({ name, versions, present }: { name: string; versions: number[]; present: number }) => {
  const { query } = place.value;
  const chosenOf = (parameter: string, fallback: number): number => {
    const given = Number(query.get(parameter));
    return versions.includes(given) ? given : fallback;
  };
  const [from, to] = [chosenOf('from', Math.max(1, present - 1)), chosenOf('to', present)];
  const before = useRead('/api/v1/pipelines/{name}', { params: { name }, query: { version: from }, pollMs: 60_000 });
  const after = useRead('/api/v1/pipelines/{name}', { params: { name }, query: { version: to }, pollMs: 60_000 });
  return (
    <>
      <form class="filters" onSubmit={(event) => event.preventDefault()}>
        <Choice label="From" parameter="from" versions={versions} chosen={from} />
        <Choice label="to" parameter="to" versions={versions} chosen={to} />
      </form>
      {versions.length < 2 ? (
        <Empty>There is one version: a changed pipeline that is applied becomes the next.</Empty>
      ) : (
        <Shown read={before}>{(one) => <Shown read={after}>{(other) => <Difference before={one.spec} after={other.spec} />}</Shown>}</Shown>
      )}
    </>
  );
};
