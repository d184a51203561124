/** Who changed what, newest first. */
import type { Answer } from '../api/types.ts';
import { useRead } from '../state/query.ts';
import { place, setQuery } from '../state/router.ts';
import { Empty, Page, Shown } from '../ui/page.tsx';
import { Pages } from '../ui/pages.tsx';
import { Table } from '../ui/table.tsx';
import { Ago } from '../ui/time.tsx';

type Entry = Answer<'/api/v1/audit'>['entries'][number];

const PAGE = 50;
/** Said in columns of their own. */
const ELSEWHERE = new Set(['keyId', 'role']);

const textOf = (value: unknown): string => {
  const text = typeof value === 'object' ? JSON.stringify(value) : String(value);
  // Whoever needs the whole of a hash asks the API.
  return text.replaceAll(/[0-9a-f]{32,}/g, (hash) => `${hash.slice(0, 12)}…`);
};

const detailOf = ({ detail }: Entry): string =>
  Object.entries(detail)
    .filter(([name, value]) => !ELSEWHERE.has(name) && value !== null && value !== '')
    .map(([name, value]) => `${name} ${textOf(value)}`)
    .join(', ');

const Entries = ({ entries }: { entries: Entry[] }) => (
  <div class="panel">
    <Table label="Audit" columns={['When', 'Who', 'Role', 'Did', 'To', 'Detail']}>
      {entries.map((entry) => (
        <tr key={entry.id}>
          <td>
            <Ago at={entry.at} />
          </td>
          <th scope="row">{entry.actor}</th>
          <td>{String(entry.detail['role'] ?? '')}</td>
          <td>{entry.action}</td>
          <td>
            <button type="button" class="link clip narrow" title={`Entries about ${entry.subject} alone`} onClick={() => setQuery({ subject: entry.subject, before: undefined })}>
              {entry.subject}
            </button>
          </td>
          <td class="wide-cell muted">{detailOf(entry)}</td>
        </tr>
      ))}
    </Table>
  </div>
);

export const Audit = () => {
  const { query } = place.value;
  const subject = query.get('subject') ?? undefined;
  const before = Number(query.get('before')) || undefined;
  const read = useRead('/api/v1/audit', { query: { limit: PAGE, ...(subject === undefined ? {} : { subject }), ...(before === undefined ? {} : { before }) } });
  return (
    <Page title="Audit">
      {subject === undefined ? null : (
        <p>
          About {subject} alone.{' '}
          <button type="button" onClick={() => setQuery({ subject: undefined, before: undefined })}>
            Everything
          </button>
        </p>
      )}
      <Shown read={read}>
        {({ entries, next }) => (
          <>
            {entries.length === 0 ? <Empty>Nothing was changed yet.</Empty> : <Entries entries={entries} />}
            <Pages next={next} before={before} />
          </>
        )}
      </Shown>
    </Page>
  );
};
