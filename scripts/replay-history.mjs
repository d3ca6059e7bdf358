/**
 * `npm run replay -- history.json …`: would a run that is open in production survive today's workflow code?
 *
 * Takes what `temporal workflow show --workflow-id ID --output json` prints, or a file of test/replay/histories. No server is asked.
 * With TEMPORAL_DEBUG=1 and `node --inspect-brk scripts/replay-history.mjs …` breakpoints in src/workflows hold.
 */
import { bundleWorkflowCode, DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './tools.mjs';

const files = process.argv.slice(2);
if (files.length === 0) {
  console.error('usage: npm run replay -- history.json …');
  process.exit(2);
}
Runtime.install({ logger: new DefaultLogger('ERROR') });
const workflowBundle = await bundleWorkflowCode({
  workflowsPath: join(ROOT, 'src/workflows/index.ts'),
  workflowInterceptorModules: [join(ROOT, 'src/workflows/interceptors.ts')],
  logger: new DefaultLogger('ERROR'),
});
for (const file of files) {
  const { history, workflow_id: workflowId = file, ...own } = JSON.parse(readFileSync(file, 'utf8'));
  try {
    await Worker.runReplayHistory({ workflowBundle }, history ?? own, workflowId);
    console.log(`${file}: the same commands`);
  } catch (error) {
    console.log(`${file}: ${error.message}`);
    process.exitCode = 1;
  }
}
