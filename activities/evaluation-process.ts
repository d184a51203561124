/** The process in which an evaluation is computed (evaluate-off-loop.ts starts it): rows in parts, one report, the end. */
import { evaluateScores, joinRows, type RowsPart } from '../domain/evaluation.ts';
import type { EvaluationMessage } from './evaluate-off-loop.ts';

const parts: RowsPart[] = [];

process.on('message', (message: EvaluationMessage) => {
  if (message.kind === 'rows') return void parts.push(message.part);
  const { task, days, values, plans, gates } = message;
  const { codes = {}, ...rows } = joinRows(parts);
  const columns = Object.fromEntries(Object.entries(values).map(([name, known]) => [name, { codes: codes[name]!, values: known }]));
  const report = evaluateScores({ ...rows, task, days, plans, gates, columns });
  process.send!(report, undefined, undefined, () => process.disconnect());
});
