/**
 * What every process of Perennial tells of itself. Not prom-client's own default metrics: several of them break Prometheus' naming
 * rules (gauges that end in _total), which `promtool check metrics` refuses.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { Counter, Gauge, type Registry } from 'prom-client';

const NANOSECONDS = 1e9;

/** `kind` names the process, such as `api`; `build` is the version of Perennial. */
export const registerProcessMetrics = (registry: Registry, { kind, build }: { kind: string; build: string }): void => {
  const delay = monitorEventLoopDelay({ resolution: 20 });
  delay.enable();
  const startedAt = Date.now() / 1_000 - process.uptime();
  const gauge = (name: string, help: string, read: () => number): void => {
    const metric: Gauge = new Gauge({ name, help, labelNames: ['process'], registers: [registry], collect: () => metric.set({ process: kind }, read()) });
  };
  const cpu: Counter = new Counter({
    name: 'perennial_process_cpu_seconds_total',
    help: 'User and system CPU time of the process.',
    labelNames: ['process'],
    registers: [registry],
    collect: () => {
      const { user, system } = process.cpuUsage();
      cpu.reset();
      cpu.inc({ process: kind }, (user + system) / 1e6);
    },
  });
  gauge('perennial_process_resident_memory_bytes', 'Resident memory of the process.', () => process.memoryUsage.rss());
  gauge('perennial_process_heap_used_bytes', 'JavaScript heap that is in use.', () => process.memoryUsage().heapUsed);
  gauge('perennial_process_start_time_seconds', 'When the process started, in seconds since the epoch.', () => startedAt);
  // A resolution of 20 ms is part of each measured delay.
  gauge('perennial_process_event_loop_delay_seconds', 'The 99th percentile of the delay of the event loop since the last scrape.', () => {
    const seconds = delay.count === 0 ? 0 : delay.percentile(99) / NANOSECONDS;
    delay.reset();
    return seconds;
  });
  const info: Gauge = new Gauge({ name: 'perennial_build_info', help: 'The running build.', labelNames: ['process', 'version'], registers: [registry] });
  info.set({ process: kind, version: build }, 1);
};
