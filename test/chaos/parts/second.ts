/**
 * A second installation: another pair of accounts with keys, configuration and processes of its own, beside the first one in the same
 * Temporal namespace, on the same Redis and the same exchange. Nothing is done to it; whatever goes wrong with it crossed over.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { createPaperAccounts } from '../../../src/cli/up/paper-accounts';
import { loadConfig } from '../../../src/config';
import { AlertBox } from '../../system/alert-box';
import { Kept } from './kept';
import { chaosConfig, type ChaosSystem, PROGRAM } from './system';

const MAKER = 2001;
const LANES = [10, 11];

export class SecondInstallation {
  readonly makerAccount = MAKER;
  readonly hedgeAccount = MAKER + 1;

  private constructor(
    private readonly workers: readonly Kept[],
    readonly alerts: AlertBox,
  ) {}

  static async start(system: ChaosSystem, seed: number, say: (line: string) => void): Promise<SecondInstallation> {
    const folder = join(system.folder, 'second');
    mkdirSync(join(folder, 'logs'), { recursive: true });
    const alerts = await AlertBox.open();
    const path = join(folder, 'config.yaml');
    writeFileSync(path, stringify(chaosConfig({ slots: LANES.length, seed, webhookUrl: alerts.url }, LANES)));
    const env: NodeJS.ProcessEnv = {
      ...system.env,
      COUNTERLEG_CONFIG: path,
      COUNTERLEG_DATA: folder,
      COUNTERLEG_ACCOUNTS_MAKER_INDEX: String(MAKER),
      COUNTERLEG_ACCOUNTS_HEDGE_INDEX: String(MAKER + 1),
      COUNTERLEG_ACCOUNTS_MAKER_KEYS_FILE: join(folder, 'keys-maker.json'),
      COUNTERLEG_ACCOUNTS_HEDGE_KEYS_FILE: join(folder, 'keys-hedge.json'),
      COUNTERLEG_NOTICES_SECRET_FILE: join(folder, 'notice-secret'),
    };
    await createPaperAccounts(loadConfig({ path, env }));
    const workers = (['hedger', 'maker'] as const).map((role) => {
      const name = `second ${role}`;
      const logFile = join(folder, 'logs', `${role}.log`);
      return new Kept({ name, script: PROGRAM, role, args: [role], env, logFile, say });
    });
    for (const worker of workers) await worker.start();
    return new SecondInstallation(workers, alerts);
  }

  async stop(): Promise<void> {
    for (const worker of this.workers) await worker.stop();
    await this.alerts.close();
  }
}
