/** Which page an address shows. Pages with plots come as files of their own, when they are first needed. */
import type { ComponentChildren, ComponentType } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { match } from '../state/router.ts';
import { Link } from '../ui/link.tsx';
import { Empty, Page } from '../ui/page.tsx';
import { Home } from './home.tsx';
import { RunPage } from './run.tsx';
import { Runs } from './runs.tsx';

type Params = Record<string, string>;
type LazyPage = () => Promise<ComponentType<{ params: Params }>>;

const loaded = new Map<LazyPage, ComponentType<{ params: Params }>>();

const Lazy = ({ load, params }: { load: LazyPage; params: Params }) => {
  const [, redraw] = useState(0);
  const Component = loaded.get(load);
  useEffect(() => {
    if (loaded.has(load)) return;
    void load().then((component) => {
      loaded.set(load, component);
      redraw((count) => count + 1);
    });
  }, [load]);
  return Component === undefined ? <div class="loading" role="status">Loading…</div> : <Component params={params} />;
};

const LAZY: [string, LazyPage][] = [
  ['/pipelines', async () => (await import('./pipelines.tsx')).Pipelines],
  ['/pipelines/:name', async () => (await import('./pipeline.tsx')).PipelinePage],
  ['/models', async () => (await import('./models.tsx')).Models],
  ['/models/:model', async () => (await import('./model.tsx')).ModelPage],
  ['/models/:model/versions/:version', async () => (await import('./version.tsx')).VersionPage],
  ['/experiments', async () => (await import('./experiments.tsx')).Experiments],
  ['/experiments/:id', async () => (await import('./experiment.tsx')).ExperimentPage],
  ['/experiments/:id/compare', async () => (await import('./compare.tsx')).Compare],
  ['/deployments', async () => (await import('./deployments.tsx')).Deployments],
  ['/deployments/:model', async () => (await import('./deployment.tsx')).DeploymentPage],
  ['/monitoring', async () => (await import('./monitoring.tsx')).Monitoring],
  ['/monitoring/:model', async () => (await import('./monitor.tsx')).MonitorPage],
  ['/alerts', async () => (await import('./alerts.tsx')).Alerts],
  ['/workers', async () => (await import('./workers.tsx')).Workers],
  ['/keys', async () => (await import('./keys.tsx')).KeysPage],
  ['/audit', async () => (await import('./audit.tsx')).Audit],
];

const Nowhere = () => (
  <Page title="No such page">
    <Empty>
      There is nothing at this address. <Link to="/">Home</Link>
    </Empty>
  </Page>
);

export const pageAt = (path: string): ComponentChildren => {
  if (path === '/') return <Home />;
  if (path === '/runs') return <Runs />;
  const run = match('/runs/:id', path);
  if (run !== undefined) return <RunPage key={run['id']} runId={run['id'] ?? ''} />;
  for (const [pattern, load] of LAZY) {
    const params = match(pattern, path);
    if (params !== undefined) return <Lazy key={path} load={load} params={params} />;
  }
  return <Nowhere />;
};
