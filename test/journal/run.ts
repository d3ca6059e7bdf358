/** A journal as a process of its own, so that a test can kill it: its configuration comes in the environment. */
import { join } from 'node:path';
import { loadConfig } from '../../src/config';
import { runJournal } from '../../src/workers/journal';

const config = loadConfig({ path: join(__dirname, '../../config.yaml'), env: process.env });
const lagMs = Number(process.argv[2]);
void runJournal(
  { ...config, metrics: { ...config.metrics, journalPort: 0 } },
  { env: {}, version: 'test', everyMs: 100, lagMs, logLevel: 'silent' },
);
