/** API keys: who may do what. A new key is told once. */
import { useState } from 'preact/hooks';
import { pathOf, problemFrom, send, type Problem } from '../api/client.ts';
import { refreshAll, useRead } from '../state/query.ts';
import { ActButton } from '../ui/act.tsx';
import { Page, Panel, ProblemNote, Scroll, Shown } from '../ui/page.tsx';
import { StateMark } from '../ui/state-mark.tsx';
import { Ago } from '../ui/time.tsx';

const ROLES: [string, string][] = [
  ['viewer', 'sees everything but keys'],
  ['author', 'applies pipelines and runs them'],
  ['approver', 'decides on runs that wait for a person'],
  ['operator', 'runs, rolls out and rolls back, silences'],
  ['predictor', 'sends inference requests and labels'],
  ['admin', 'everything, keys included'],
];

const Told = ({ told }: { told: string }) => (
  <div class="callout tone-good" role="status">
    <strong>The new key, told this once:</strong> <code class="secret">{told}</code>
  </div>
);

const NewKey = () => {
  const [name, setName] = useState('');
  const [role, setRole] = useState('viewer');
  const [told, setTold] = useState<string>();
  const [problem, setProblem] = useState<Problem>();
  const make = async (event: Event): Promise<void> => {
    event.preventDefault();
    setProblem(undefined);
    try {
      const { key } = await send<{ key: string | null }>('/api/v1/keys', { method: 'POST', body: { name, role }, idempotencyKey: crypto.randomUUID() });
      setTold(key ?? undefined);
      setName('');
      await refreshAll();
    } catch (error) {
      setProblem(problemFrom(error));
    }
  };
  return (
    <>
      <form class="filters" onSubmit={(event) => void make(event)}>
        <label>
          Name
          <input value={name} required maxLength={100} autocomplete="off" onInput={(event) => setName(event.currentTarget.value)} />
        </label>
        <label>
          Role
          <select value={role} onChange={(event) => setRole(event.currentTarget.value)}>
            {ROLES.map(([one, may]) => (
              <option key={one} value={one}>
                {one}: {may}
              </option>
            ))}
          </select>
        </label>
        <button type="submit" class="primary">
          Make a key
        </button>
      </form>
      {told === undefined ? null : <Told told={told} />}
      {problem === undefined ? null : <ProblemNote problem={problem} />}
    </>
  );
};

const Keys = () => (
  <Shown read={useRead('/api/v1/keys')}>
    {({ keys }) => (
      <Scroll label="Keys">
        <table>
          <thead>
            <tr>
              <th scope="col">Name</th>
              <th scope="col">Role</th>
              <th scope="col">State</th>
              <th scope="col">Made</th>
              <th scope="col">Id</th>
              <th scope="col">
                <span class="sr-only">Acts</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {keys.map(({ id, name, role, createdAt, revokedAt }) => (
              <tr key={id}>
                <th scope="row">{name}</th>
                <td>{role}</td>
                <td>{revokedAt === null ? <StateMark state="live" label="valid" /> : <StateMark state="cancelled" label="revoked" />}</td>
                <td>
                  <Ago at={createdAt} />
                </td>
                <td>
                  <code>{id}</code>
                </td>
                <td>
                  {revokedAt !== null ? null : (
                    <ActButton label="Revoke" title={`Revoke the key ${name}`} effect={<p>It stops within 5 seconds, everywhere, and ends its sessions here. It cannot be brought back.</p>} permission="keys:admin" path={pathOf('/api/v1/keys/{id}', { id })} method="DELETE" danger />
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
    )}
  </Shown>
);

export const KeysPage = () => (
  <Page title="Keys">
    <div class="panels">
      <Panel title="New key" wide>
        <NewKey />
      </Panel>
      <Panel title="Keys" wide>
        <Keys />
      </Panel>
    </div>
  </Page>
);
