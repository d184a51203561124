/** The process in which an evaluation is computed (evaluate-off-loop.ts starts it): rows in parts, one report, the end. */
import { evaluateScores, joinRows, type RowsPart } from '../domain/evaluation.ts';
import type { EvaluationMessage } from './evaluate-off-loop.ts';

const parts: RowsPart[] = [];

process.on('message', (message: EvaluationMessage) => {
  if (message.kind === 'rows') return void parts.push(message.part);
  const { task, days, plans } = message;
  const report = evaluateScores({ ...joinRows(parts), task, days, plans });
  process.send!(report, undefined, undefined, () => process.disconnect());
});
