/** A plot with its name, its numbers as a table for who cannot see it, and its downloads. */
import type { EChartsCoreOption } from 'echarts/core';
import type { EChartsType } from 'echarts/core';
import { useEffect, useRef } from 'preact/hooks';
import { theme } from '../state/theme.ts';
import { saveCsv, savePng, saveSvg, type Table } from './downloads.ts';
import { paletteOf, type Palette } from './palette.ts';

type Plot = { title: string; option: (palette: Palette) => EChartsCoreOption; table: Table; height?: number };

const HEIGHT = 260;

/** What every plot has. The tooltip is drawn on the canvas: no HTML is made of names that users gave. */
const withDefaults = (option: EChartsCoreOption, palette: Palette): EChartsCoreOption => ({
  animation: false,
  color: palette.series,
  textStyle: { color: palette.ink, fontFamily: 'system-ui, sans-serif' },
  grid: { left: 56, right: 24, top: 36, bottom: 36 },
  ...option,
  tooltip: { trigger: 'axis', renderMode: 'richText', confine: true, backgroundColor: palette.ground, borderColor: palette.grid, textStyle: { color: palette.ink }, ...(option['tooltip'] as object | undefined) },
});

const fileName = (title: string): string => title.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-');

const Numbers = ({ title, table }: { title: string; table: Table }) => (
  <details class="numbers">
    <summary>Numbers</summary>
    <div class="scroll" role="region" aria-label={`Numbers of ${title}`} tabIndex={0}>
      <table>
        <thead>
          <tr>
            {table.columns.map((column) => (
              <th scope="col" key={column}>
                {column}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {table.rows.slice(0, 500).map((row, index) => (
            <tr key={index}>
              {row.map((value, at) => (
                <td key={at}>{value ?? '–'}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  </details>
);

export const Chart = ({ title, option, table, height = HEIGHT }: Plot) => {
  const place = useRef<HTMLDivElement>(null);
  const chart = useRef<EChartsType | null>(null);
  const palette = paletteOf(theme.value);
  const drawn = withDefaults(option(palette), palette);
  const key = JSON.stringify([drawn, theme.value]);
  // The numbers may come before the plotting code does: what is drawn first is what is known then.
  const newest = useRef(drawn);
  newest.current = drawn;
  useEffect(() => {
    let isGone = false;
    let watcher: ResizeObserver | undefined;
    void import('./echarts.ts').then(({ echarts }) => {
      if (isGone || place.current === null) return;
      chart.current = echarts.init(place.current, null, { renderer: 'canvas' });
      chart.current.setOption(newest.current);
      watcher = new ResizeObserver(() => chart.current?.resize());
      watcher.observe(place.current);
    });
    return () => {
      isGone = true;
      watcher?.disconnect();
      chart.current?.dispose();
      chart.current = null;
    };
  }, []);
  useEffect(() => chart.current?.setOption(drawn, { notMerge: true }), [key]);
  const drawing = () => ({ name: fileName(title), option: drawn, width: place.current?.clientWidth ?? 800, height, background: palette.ground });
  return (
    <figure class="chart">
      <figcaption>
        <span>{title}</span>
        <span class="downloads">
          <button type="button" class="small" aria-label={`${title} as SVG`} onClick={() => void saveSvg(drawing())}>
            SVG
          </button>
          <button type="button" class="small" aria-label={`${title} as PNG`} onClick={() => void savePng(drawing())}>
            PNG
          </button>
          <button type="button" class="small" aria-label={`${title} as CSV`} onClick={() => saveCsv(fileName(title), table)}>
            CSV
          </button>
        </span>
      </figcaption>
      <div ref={place} class="chart-place" style={{ height: `${height}px` }} role="img" aria-label={`Plot: ${title}. Its numbers are below.`} />
      <Numbers title={title} table={table} />
    </figure>
  );
};
