/**
 * Goal: what docs/paper-exchange-quickstart.md tells a stranger to type works, and shows what the page shows.
 * Method: the exchange is started with the real command in a process of its own, the example is run with plain Python and the
 * official SDK, and its output is compared with the block in the page, digits and hashes aside.
 */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import path from 'node:path';

const ROOT = path.join(__dirname, '../../..');
const PAGE = readFileSync(path.join(ROOT, 'docs', 'paper-exchange-quickstart.md'), 'utf8');
/** The first run may install the SDK and build the program. */
const SET_UP_MS = 300_000;
const START_MS = 120_000;

let python: { readonly python: string; readonly path: string };
let command: ChildProcess;
let url: string;

beforeAll(async () => {
  const run = spawnSync(process.execPath, [path.join(ROOT, 'scripts', 'python-deps.mjs')], { encoding: 'utf8' });
  if (run.status !== 0) throw new Error(run.stderr);
  python = JSON.parse(run.stdout) as typeof python;
  const config = path.join(ROOT, 'config.yaml');
  const args = [path.join(ROOT, 'bin', 'counterleg.mjs'), '--config', config, 'paper', '--port', '0'];
  command = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  url = await urlOf(command);
}, SET_UP_MS);

afterAll(() => {
  command?.kill('SIGKILL');
});

/** The address that the command prints once it listens. */
function urlOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let said = '';
    const fail = (why: string): void => reject(new Error(`the paper exchange ${why}:\n${said}`));
    const timer = setTimeout(() => fail('did not start in time'), START_MS);
    const read = (text: string): void => {
      said += text;
      const [address] = /http:\/\/127\.0\.0\.1:\d+/.exec(said) ?? [];
      if (address === undefined) return;
      clearTimeout(timer);
      resolve(address);
    };
    child.stdout?.setEncoding('utf8').on('data', read);
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (said += text));
    child.once('exit', (code) => {
      clearTimeout(timer);
      fail(`ended with ${code}`);
    });
  });
}

/** Prices, ids and hashes differ from run to run. */
function shapeOf(output: string): readonly string[] {
  const lines = output.trim().split('\n');
  return lines.map((line) =>
    line
      .replace(/^(resting bid: ).*$/, '$1HASH')
      .replace(/^account \d+/, 'account N')
      .replace(/^(best ask|(?:bought|sold) \S+ at) \d+(\.\d)?$/, '$1 PRICE'),
  );
}

test('the commands of the page, and the output it promises', async () => {
  expect(PAGE).toContain('npx counterleg paper ');
  expect(PAGE).toContain('python examples/third_party_client.py\n');
  const promised = /^```\n(account[^`]*)```/m.exec(PAGE)?.[1] ?? '';
  const child = spawn(python.python, [path.join(ROOT, 'examples', 'third_party_client.py'), url], {
    env: { ...process.env, PYTHONPATH: python.path, PYTHONDONTWRITEBYTECODE: '1', PYTHONWARNINGS: 'ignore' },
  });
  let [output, errors] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
  const [code] = (await once(child, 'close')) as [number | null];
  expect({ code, errors }).toEqual({ code: 0, errors: '' });
  expect(output).toMatch(/^resting bid: [0-9a-f]{80}$/m);
  expect(shapeOf(output)).toEqual(shapeOf(promised));
});

test('Ctrl-C ends the command', async () => {
  const ended = once(command, 'exit');
  command.kill('SIGINT');
  expect(await ended).toEqual([0, null]);
  await expect(fetch(url)).rejects.toThrow();
});
