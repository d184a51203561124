/** Signing in with an API key. */
import { useState } from 'preact/hooks';
import { problemFrom, type Problem } from '../api/client.ts';
import { signIn } from '../state/session.ts';
import { ProblemNote } from '../ui/page.tsx';

export const SignIn = () => {
  const [key, setKey] = useState('');
  const [problem, setProblem] = useState<Problem>();
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    setProblem(undefined);
    await signIn(key.trim()).catch((error: unknown) => setProblem(problemFrom(error)));
  };
  return (
    <main class="sign-in">
      <form onSubmit={(event) => void submit(event)}>
        <h1>Perennial</h1>
        <p class="muted">Sign in with an API key. The browser keeps it where no script can read it, until it is closed or you sign out.</p>
        <label for="key">API key</label>
        <input id="key" type="password" autocomplete="current-password" required placeholder="perennial_…" value={key} onInput={(event) => setKey(event.currentTarget.value)} />
        {problem === undefined ? null : <ProblemNote problem={problem} />}
        <button type="submit" class="primary">
          Sign in
        </button>
        <details>
          <summary>Where is my key?</summary>
          <p>
            The first start of <code>npx --no perennial up</code> printed an admin key; on that machine it is in <code>.perennial/admin-key</code> (after the demo: <code>.perennial/demo/admin-key</code>).
            An admin makes others with <code>npx --no perennial key create NAME --role viewer</code>.
          </p>
        </details>
      </form>
    </main>
  );
};
