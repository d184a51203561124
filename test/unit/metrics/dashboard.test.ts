/** The Grafana dashboard asks for nothing that Perennial does not export, and shows all that it does. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { exportedMetrics } from '../../support/exported-metrics.ts';

type Panel = { id: number; title: string; type: string; targets?: { expr: string; legendFormat: string }[]; gridPos: { x: number; y: number; w: number; h: number } };
type Dashboard = { title: string; uid: string; panels: Panel[]; templating: { list: { name: string; definition?: string }[] } };

const file = fileURLToPath(new URL('../../../deploy/grafana/perennial.json', import.meta.url));
const dashboard = JSON.parse(readFileSync(file, 'utf8')) as Dashboard;
const expressions = [...dashboard.panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr)), ...dashboard.templating.list.flatMap(({ definition }) => definition ?? [])];
const asked = new Set(expressions.flatMap((expression) => expression.match(/perennial_[a-z0-9_]+/g) ?? []));

const exported = exportedMetrics();
const series = new Set(exported.flatMap(({ name, type }) => (type === 'histogram' ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name])));

describe('the dashboard', () => {
  it('asks only for metrics that are exported', () => expect([...asked].filter((name) => !series.has(name))).toEqual([]));

  it('shows every exported metric', () => {
    const shown = exported.filter(({ name }) => asked.has(name) || asked.has(`${name}_bucket`)).map(({ name }) => name);
    expect(new Set(exported.map(({ name }) => name))).toEqual(new Set(shown));
  });

  it('has panels that do not lie on each other, each with its queries', () => {
    const panels = dashboard.panels;
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) => Array.from({ length: w * h }, (_, index) => `${x + (index % w)},${y + Math.floor(index / w)}`));
    expect(new Set(cells).size).toBe(cells.length);
    for (const panel of panels) if (panel.type !== 'row') expect(panel.targets?.length, panel.title).toBeGreaterThan(0);
  });
});

describe('exported metrics', () => {
  it('are all explained in docs/operation.md', () => {
    const text = readFileSync(fileURLToPath(new URL('../../../docs/operation.md', import.meta.url)), 'utf8');
    expect(exported.map(({ name }) => name).filter((name) => !text.includes(`\`${name}\``))).toEqual([]);
  });

  it('keep the naming rules of Prometheus', () => {
    for (const { name, type, help } of exported) {
      expect(name).toMatch(/^perennial_[a-z0-9_]+$/);
      expect(name.endsWith('_total'), name).toBe(type === 'counter');
      expect(name).not.toMatch(/_(ms|milliseconds|kb|mb|percent)$/);
      expect(help, name).toMatch(/\.$/);
    }
  });

  it('have the names that others build on', () => {
    const names = exported.map(({ name }) => name);
    for (const name of ['inference_requests_total', 'inference_duration_seconds', 'inference_queue_duration_seconds', 'drift_score', 'drift_detected', 'model_quality', 'rollout_weight_ratio', 'rollout_step', 'alerts_firing', 'task_queue_backlog', 'gpu_seconds_total', 'cost_total', 'build_info']) {
      expect(names).toContain(`perennial_${name}`);
    }
  });
});
