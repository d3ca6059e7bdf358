/**
 * A real browser for tests: the Chromium that `@sparticuz/chromium` ships, which needs nothing of the system but its C library; elsewhere than
 * on Linux x64, or when it does not run, Chrome as it is installed.
 *
 * Its libraries (nss and its like) come with the package and go before the system's; its fonts are used where the system has none.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { brotliDecompressSync } from 'node:zlib';
import { chromium, type Browser } from 'playwright-core';

const ROOT = join(__dirname, '..', '..');

/** Rejects with why no browser runs here, and what to do. */
export async function startBrowser(): Promise<Browser> {
  const reasons: string[] = [];
  for (const start of [named, shipped, installed]) {
    try {
      const browser = await start();
      if (browser !== undefined) return browser;
    } catch (error) {
      reasons.push(String(error).split('\n').slice(0, 6).join('\n'));
    }
  }
  throw new Error(
    `no browser runs here, so the page cannot be tested: install Chrome, or name one in COUNTERLEG_TEST_CHROMIUM.\n${reasons.join('\n')}`,
  );
}

async function named(): Promise<Browser | undefined> {
  const executablePath = process.env['COUNTERLEG_TEST_CHROMIUM'];
  return executablePath === undefined ? undefined : launch({ executablePath });
}

async function shipped(): Promise<Browser | undefined> {
  if (process.platform !== 'linux' || process.arch !== 'x64') return undefined;
  const folder = unpacked();
  return launch({
    executablePath: join(folder, 'chromium'),
    env: {
      LD_LIBRARY_PATH: [process.env['LD_LIBRARY_PATH'] ?? '', join(folder, 'lib')].filter(Boolean).join(':'),
      ...(existsSync('/etc/fonts') ? {} : { FONTCONFIG_PATH: join(folder, 'fonts') }),
    },
  });
}

function installed(): Promise<Browser> {
  return launch({ channel: 'chrome' });
}

type Options = Exclude<Parameters<typeof chromium.launch>[0], undefined>;

function launch({ env, ...options }: Options): Promise<Browser> {
  // Of a machine without a language the browser makes a name that is none.
  const language = { LANG: 'en_US.UTF-8', LANGUAGE: 'en_US', LC_ALL: 'en_US.UTF-8' };
  const args = ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--lang=en-US'];
  return chromium.launch({ args, ...options, env: { ...process.env, ...env, ...language } });
}

/** Unpacked once for each version; a run that is killed meanwhile leaves nothing half. */
function unpacked(): string {
  const packed = join(dirname(require.resolve('@sparticuz/chromium')), '..', '..', 'bin');
  const { version } = JSON.parse(readFileSync(join(packed, '..', 'package.json'), 'utf8')) as { version: string };
  const folder = join(ROOT, '.cache', `chromium-${version}`);
  if (existsSync(folder)) return folder;
  const making = `${folder}.${process.pid}`;
  mkdirSync(making, { recursive: true });
  for (const name of readdirSync(packed)) {
    const content = brotliDecompressSync(readFileSync(join(packed, name)));
    if (name === 'chromium.br') writeFileSync(join(making, 'chromium'), content, { mode: 0o755 });
    else if (name.endsWith('.tar.br')) execFileSync('tar', ['-x', '-C', making], { input: content });
  }
  try {
    renameSync(making, folder);
  } catch {
    rmSync(making, { recursive: true, force: true }); // another one was faster
  }
  return folder;
}
