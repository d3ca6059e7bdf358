/**
 * The pictures of the page in the README and docs/console.md: a run of `up` of its own, looked at in light and in dark after a while. Says what the
 * console's process took of processor and memory meanwhile (Linux).
 *
 *   node -r ./scripts/ts-hook.cjs test/console/pictures.ts
 */
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startBrowser } from '../helpers/browser';

const ROOT = join(__dirname, '..', '..');
const LOOK_MS = 170_000;
/** What one sees without scrolling far. */
const CLIP = { x: 0, y: 0, width: 1280, height: 1750 };
/** Of Linux' process accounting. */
const TICKS_PER_SECOND = 100;

async function main(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'counterleg-pictures-'));
  const up = spawn(process.execPath, [join(ROOT, 'dist', 'cli', 'main.js'), 'up', '--free-ports'], {
    env: { ...process.env, COUNTERLEG_DATA: folder },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new Promise((resolve) => up.once('exit', resolve));
  try {
    const address = `${await addressIn(up.stdout)}?token=${readFileSync(join(folder, 'console-token'), 'utf8').trim()}`;
    const { pids } = JSON.parse(readFileSync(join(folder, 'up.json'), 'utf8')) as { pids: Record<string, number> };
    await takePictures(address, pids['console'] ?? 0);
  } finally {
    up.kill('SIGINT');
    await ended;
    rmSync(folder, { recursive: true, force: true });
  }
}

function addressIn(output: NodeJS.ReadableStream): Promise<string> {
  let heard = '';
  return new Promise((resolve) =>
    output.on('data', (chunk: Buffer) => {
      heard += chunk.toString();
      const [, address] = /Page: (http\S+)/.exec(heard) ?? [];
      if (address !== undefined) resolve(address);
    }),
  );
}

async function takePictures(address: string, pid: number): Promise<void> {
  const pictures = join(ROOT, 'docs', 'pictures');
  mkdirSync(pictures, { recursive: true });
  const browser = await startBrowser();
  try {
    const page = await browser.newPage({ locale: 'en-GB', viewport: { width: 1280, height: 1000 } });
    await page.goto(address);
    const [beganS, beganMs] = [cpuSeconds(pid), performance.now()];
    await sleep(LOOK_MS);
    const share = (cpuSeconds(pid) - beganS) / ((performance.now() - beganMs) / 1_000);
    const paintMs = await page.evaluate<number>('performance.getEntriesByName("first-contentful-paint")[0].startTime');
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      await sleep(300); // charts are drawn anew
      await page.screenshot({ path: join(pictures, `console-${colorScheme}.png`), clip: CLIP, fullPage: true });
    }
    process.stdout.write(
      `${JSON.stringify({ cpu_share: share, resident_mib: residentMiB(pid), first_paint_ms: paintMs })}\n`,
    );
  } finally {
    await browser.close();
  }
}

function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

function residentMiB(pid: number): number {
  const [, kib] = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Math.round(Number(kib) / 1_024);
}

void main();
