/** The frame around every page: navigation, who is signed in, and a word when the API does not answer. */
import { useEffect, useRef } from 'preact/hooks';
import { pageAt } from './pages/routes.tsx';
import { SignIn } from './pages/sign-in.tsx';
import { outageSince } from './state/query.ts';
import { place } from './state/router.ts';
import { may, session, signOut } from './state/session.ts';
import { theme, toggleTheme } from './state/theme.ts';
import { clockTime } from './ui/format.ts';
import { NavigationLink } from './ui/link.tsx';

const Outage = () =>
  outageSince.value === null ? null : (
    <div class="outage" role="status">
      The API has not answered since {clockTime(outageSince.value)}. What is shown is from before; it is asked again every second.
    </div>
  );

const Navigation = () => (
  <nav aria-label="Main">
    <NavigationLink to="/">Home</NavigationLink>
    <NavigationLink to="/pipelines">Pipelines</NavigationLink>
    <NavigationLink to="/runs">Runs</NavigationLink>
    <NavigationLink to="/experiments">Experiments</NavigationLink>
    <NavigationLink to="/models">Models</NavigationLink>
    <NavigationLink to="/deployments">Deployments</NavigationLink>
    <NavigationLink to="/monitoring">Monitoring</NavigationLink>
    <NavigationLink to="/alerts">Alerts</NavigationLink>
    <NavigationLink to="/workers">Workers</NavigationLink>
    {may('keys:admin') ? <NavigationLink to="/keys">Keys</NavigationLink> : null}
    <NavigationLink to="/audit">Audit</NavigationLink>
  </nav>
);

const Who = () => (
  <div class="who">
    <div>
      <div>{session.value?.name}</div>
      <div class="muted">{session.value?.role}</div>
    </div>
    <button type="button" onClick={toggleTheme}>
      {theme.value === 'dark' ? 'Light' : 'Dark'}
    </button>
    <button type="button" onClick={() => void signOut()}>
      Sign out
    </button>
  </div>
);

/** A new page is read from its top, also by a screen reader. */
const Main = () => {
  const main = useRef<HTMLElement>(null);
  const { path } = place.value;
  const isFirst = useRef(true);
  useEffect(() => {
    if (!isFirst.current) main.current?.focus({ preventScroll: true });
    isFirst.current = false;
  }, [path]);
  return (
    <main id="main" ref={main} tabIndex={-1}>
      <Outage />
      {pageAt(path)}
    </main>
  );
};

export const App = () => {
  if (session.value === undefined) return <div class="loading full" role="status">Loading…</div>;
  if (session.value === null) return <SignIn />;
  return (
    <div class="frame">
      <a class="skip" href="#main">
        Skip to the content
      </a>
      <aside>
        <div class="brand">Perennial</div>
        <Navigation />
        <Who />
      </aside>
      <Main />
    </div>
  );
};
