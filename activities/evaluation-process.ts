/** The process in which an evaluation is computed (evaluate-off-loop.ts starts it): one input, one report, the end. */
import { evaluateScores, type EvaluationInput } from '../domain/evaluation.ts';

process.once('message', (input) => {
  process.send!(evaluateScores(input as EvaluationInput), undefined, undefined, () => process.disconnect());
});
