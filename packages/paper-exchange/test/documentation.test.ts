/** docs/paper-exchange.md against the code, in both directions: error codes, faults, control fields, channels, endpoints. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { refusalTexts } from '../src/core/codes';
import type { Row, TestExchange } from './helpers';
import { quietExchange } from './helpers';

const page = readFileSync(join(__dirname, '../../../docs/paper-exchange.md'), 'utf8');
const section = (title: string): string => page.split(`## ${title}\n`)[1]?.split('\n## ')[0] ?? '';

let exchange: TestExchange;
beforeAll(async () => {
  exchange = await quietExchange();
});
afterAll(() => exchange.close());

describe('docs/paper-exchange.md', () => {
  it('lists every known error code, once', () => {
    const [raisedText = '', injectedText = ''] = section('Error codes').split('Where sources')[0]!.split('Only by');
    const codes = (text: string): string[] => text.match(/\b\d{5}\b/g) ?? [];
    const listed = [...codes(raisedText), ...codes(injectedText)];
    expect(listed.sort()).toEqual(Object.keys(refusalTexts).sort());
  });

  it('says truly which codes the rules raise', () => {
    const raised =
      section('Error codes')
        .split('Only by')[0]!
        .match(/\b\d{5}\b/g) ?? [];
    const folder = join(__dirname, '../src');
    const files = [
      'core/checks',
      'core/market-rules',
      'core/apply',
      'core/exchange',
      'core/tx',
      'auth',
      'channels',
      'limits',
      'rest',
      'rest-account',
    ];
    files.push('rest-admin', 'rest-history', 'rest-market', 'rest-send', 'server', 'stream-server', 'submissions');
    const source = files.map((file) => readFileSync(join(folder, `${file}.ts`), 'utf8')).join('\n');
    const used = new Set([...source.matchAll(/refuse\((\d{5})/g)].map((found) => found[1]!));
    expect([...used].sort()).toEqual([...raised].sort());
  });

  it('describes every fault', async () => {
    const kinds = (await exchange.get('/_paper/faults')).body['kinds'] as Row[];
    const rows = [...section('Faults').matchAll(/^\|\s*(\w+)\s*\|\s*(\w+)\s*\|/gm)].map((row) => `${row[1]} ${row[2]}`);
    expect(rows.filter((row) => row !== 'on action')).toEqual(kinds.map((kind) => `${kind['on']} ${kind['action']}`));
  });

  it('names every field of the market', async () => {
    const fields = (await exchange.get('/_paper/market')).body['fields'] as string[];
    const row = section('The control face')
      .split('\n')
      .find((line) => line.includes('`GET market`'))!;
    expect([...row.split('|')[2]!.matchAll(/`(\w+)`/g)].map((found) => found[1])).toEqual(fields);
  });

  it('every listed endpoint and channel exists', async () => {
    const cells = section('Endpoints')
      .split('\n')
      .filter((line) => line.startsWith('| `'))
      .map((line) => line.split('|')[1]!);
    const names = cells.flatMap((cell) => [...cell.matchAll(/`([^`]+)`/g)].map((found) => found[1]!));
    expect(names.length).toBeGreaterThan(35);
    for (const name of names) {
      const path = name.startsWith('/') ? name : `/api/v1/${name}`;
      const method = /^(sendTx|sendTxBatch|changeAccountTier|setMakerOnlyApiKeys)$/.test(name) ? 'POST' : 'GET';
      const answer = await exchange.call(path, { method });
      expect([name, answer.status === 404]).toEqual([name, false]);
    }
    const socket = await exchange.open();
    const channels = [...section('Channels').matchAll(/`([a-z_]+\/[AMR/al]+)`/g)].map((found) => found[1]!);
    for (const channel of channels) {
      const request = channel.replace('/M', '/1').replace('/A', '/100').replace('/R', '/1m');
      const frame = await socket.subscribe(request, exchange.token(100));
      expect([channel, frame['type']]).toEqual([channel, expect.stringMatching(/^subscribed\//)]);
    }
  });
});
