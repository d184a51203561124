/**
 * `npm run histories:capture [case …]`: records the corpus anew. A reviewed act: histories are replaced only when a workflow changed on purpose,
 * in a way that open executions cannot take; otherwise the change belongs behind `patched`, and the old histories stay.
 */
import { startEnvironment } from '../workflows/support/environment.ts';
import { cases } from './cases.ts';
import { writeHistory } from './corpus.ts';

const chosen = process.argv.slice(2);
const environment = await startEnvironment();
try {
  for (const [name, run] of Object.entries(cases)) {
    if (chosen.length > 0 && !chosen.includes(name)) continue;
    const { workflowId, runId } = await run(environment, name);
    const history = await environment.client.workflow.getHandle(workflowId, runId).fetchHistory();
    writeHistory(name, history);
    console.log(`${name}: ${history.events?.length ?? 0} events`);
  }
} finally {
  await environment.stop();
}
