/** A plot as a file: SVG and PNG as it is drawn, CSV as the numbers behind it. */
import type { EChartsCoreOption } from 'echarts/core';

export type Table = { columns: string[]; rows: (string | number | null)[][] };

const save = (name: string, blob: Blob): void => {
  const url = URL.createObjectURL(blob);
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
};

/** A cell that a spreadsheet would take for a formula is written as text. */
const cell = (value: string | number | null): string => {
  if (value === null) return '';
  if (typeof value === 'number') return String(value);
  const safe = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\n\r]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
};

export const csvOf = ({ columns, rows }: Table): string => [columns, ...rows].map((row) => row.map(cell).join(',')).join('\r\n');

export const saveCsv = (name: string, table: Table): void => save(`${name}.csv`, new Blob([csvOf(table)], { type: 'text/csv' }));

/** A file name from the API is only ever the end of a path of ours. */
export const saveText = (name: string, text: string): void => save(name.replaceAll(/[^\w.-]+/g, '-'), new Blob([text], { type: 'text/plain' }));

type Drawing = { name: string; option: EChartsCoreOption; width: number; height: number; background: string };

export const saveSvg = async ({ name, option, width, height, background }: Drawing): Promise<void> => {
  const { echarts } = await import('./echarts.ts');
  const chart = echarts.init(null, null, { renderer: 'svg', ssr: true, width, height });
  chart.setOption({ ...option, animation: false, backgroundColor: background });
  save(`${name}.svg`, new Blob([chart.renderToSVGString()], { type: 'image/svg+xml' }));
  chart.dispose();
};

export const savePng = async ({ name, option, width, height, background }: Drawing): Promise<void> => {
  const { echarts } = await import('./echarts.ts');
  const canvas = document.createElement('canvas');
  const chart = echarts.init(canvas, null, { renderer: 'canvas', width, height, devicePixelRatio: 2 });
  chart.setOption({ ...option, animation: false, backgroundColor: background });
  canvas.toBlob((blob) => {
    if (blob !== null) save(`${name}.png`, blob);
    chart.dispose();
  });
};
