/**
 * The official signer library as an oracle (C ABI of lighter-sdk 1.1.8, LP §8.1), independent of the product's own binding.
 *
 * Found by COUNTERLEG_SIGNER, else in .tools/lighter-signer. Test-only: its keys are made on the spot and thrown away.
 */
import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';

type CType = string | object;
type NativeFunction = (...values: readonly unknown[]) => unknown;

/** What is used of koffi, typed by hand: its declarations are for ES modules only. */
interface Koffi {
  load(file: string): {
    func(prototype: string): NativeFunction;
    func(name: string, result: CType, types: readonly CType[]): NativeFunction;
  };
  struct(members: Readonly<Record<string, CType>>): object;
  pointer(type: CType): object;
  disposable(type: CType, free: NativeFunction): object;
}

interface Signed {
  readonly txType: number;
  readonly txInfo: string | null;
  readonly txHash: string | null;
  /** Of a key change: what the owner signs. */
  readonly messageToSign: string | null;
  readonly err: string | null;
}

export interface KeyPair {
  readonly privateKey: string;
  readonly publicKey: string;
}

type Argument = number | bigint | string | object[];

export interface OfficialSigner {
  /** Makes a key pair and the client that signs with it. */
  createClient(chainId: number, apiKeyIndex: number, accountIndex: bigint): KeyPair;
  /** Calls `Sign…` with its arguments in the order of the C header; fails the test if the signer refuses. */
  sign(
    name: SignFunction,
    ...values: readonly Argument[]
  ): { txType: number; txInfo: string; txHash: string; messageToSign: string | null };
  authToken(deadlineSeconds: number, apiKeyIndex: number, accountIndex: bigint): string;
}

/** Argument types before the common tail, in the order of the header shipped with 1.1.8. */
const SIGN_FUNCTIONS = {
  SignChangePubKey: 'const char*',
  SignCreateOrder: 'int64, int64, int64, int, int, int, int, int, int, int64, int64, int, int, uint8_t, uint8_t',
  SignCreateGroupedOrders: 'uint8_t, GroupedOrder*, int, int64, int, int, uint8_t, uint8_t',
  SignCancelOrder: 'int64, int64',
  SignWithdraw: 'int, int, uint64',
  SignCreateSubAccount: '',
  SignCancelAllOrders: 'int, int64, int64',
  SignModifyOrder: 'int64, int64, int64, int64, int64, int64, int, int, uint8_t, uint8_t',
  SignTransfer: 'int64, int16, uint8_t, uint8_t, int64, int64, const char*',
  SignCreatePublicPool: 'int64, int, int64',
  SignUpdatePublicPool: 'int64, int, int64, int',
  SignMintShares: 'int64, int64',
  SignBurnShares: 'int64, int64',
  SignUpdateLeverage: 'int64, int, int',
  SignUpdateMargin: 'int64, int64, int',
  SignStakeAssets: 'int64, int64',
  SignUnstakeAssets: 'int64, int64',
  SignApproveIntegrator: 'int64, uint32, uint32, uint32, uint32, int64',
  SignUpdateAccountConfig: 'uint8_t',
  SignUpdateAccountAssetConfig: 'int16, uint8_t',
} as const;

export type SignFunction = keyof typeof SIGN_FUNCTIONS;

let loaded: OfficialSigner | undefined;

export function officialSigner(): OfficialSigner {
  loaded ??= load(findLibrary());
  return loaded;
}

function findLibrary(): string {
  const named = process.env['COUNTERLEG_SIGNER'];
  if (named !== undefined && named !== '') return named;
  const folder = path.join(__dirname, '../../../../.tools/lighter-signer');
  const files = existsSync(folder) ? readdirSync(folder, { recursive: true, encoding: 'utf8' }) : [];
  const system = { linux: 'linux', darwin: 'darwin', win32: 'windows' }[process.platform as string] ?? process.platform;
  const machine = { x64: 'amd64', arm64: 'arm64' }[process.arch as string] ?? process.arch;
  const file = files.find((name) => new RegExp(`lighter-signer-${system}-${machine}\\.(so|dylib|dll)$`).test(name));
  if (file !== undefined) return path.join(folder, file);
  throw new Error(
    `The official signer library is missing: set COUNTERLEG_SIGNER to its path, or run \`npm test\` once, ` +
      `which fetches lighter-signer-${system}-${machine} into .tools/lighter-signer.`,
  );
}

function load(file: string): OfficialSigner {
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- see Koffi
  const koffi = require('koffi') as Koffi;
  const library = koffi.load(file);
  const free = library.func('void Free(void*)');
  // Types without names: koffi's names are the process's, and test files share one.
  const text = koffi.disposable('char*', free);
  const signed = koffi.struct({
    txType: 'uint8_t',
    txInfo: text,
    txHash: text,
    messageToSign: text,
    err: text,
  });
  const keyPair = koffi.struct({ privateKey: text, publicKey: text, err: text });
  const textOrError = koffi.struct({ str: text, err: text });
  const groupedOrder = koffi.struct({
    MarketIndex: 'int64',
    ClientOrderIndex: 'int64',
    BaseAmount: 'int64',
    Price: 'uint32',
    IsAsk: 'uint8_t',
    Type: 'uint8_t',
    TimeInForce: 'uint8_t',
    ReduceOnly: 'uint8_t',
    TriggerPrice: 'uint32',
    OrderExpiry: 'int64',
  });
  const generate = library.func('GenerateAPIKey', keyPair, []);
  const create = library.func('CreateClient', text, ['const char*', 'const char*', 'int', 'int', 'int64']);
  const token = library.func('CreateAuthToken', textOrError, ['int64', 'int', 'int64']);
  const functions = new Map(
    Object.entries(SIGN_FUNCTIONS).map(([name, types]) => {
      // The tail is skip-nonce, nonce, key, account; only a modify has the order version between nonce and key.
      const tail = name === 'SignModifyOrder' ? 'uint8_t, int64, int64, int, int64' : 'uint8_t, int64, int, int64';
      const named = [...types.split(', '), ...tail.split(', ')].filter((type) => type !== '');
      const all = named.map((type) => (type === 'GroupedOrder*' ? koffi.pointer(groupedOrder) : type));
      return [name, library.func(name, signed, all)];
    }),
  );
  return {
    createClient(chainId, apiKeyIndex, accountIndex) {
      const pair = generate() as KeyPair & { err: string | null };
      const error = create('', pair.privateKey, chainId, apiKeyIndex, accountIndex) as string | null;
      if (pair.err !== null || error !== null) throw new Error(`the signer refused: ${pair.err ?? error}`);
      return { privateKey: pair.privateKey, publicKey: pair.publicKey };
    },
    sign(name, ...values) {
      const result = functions.get(name)?.(...values) as Signed;
      if (result.txInfo === null || result.txHash === null) {
        throw new Error(`${name}(${values.map(String).join(', ')}): the signer refused: ${result.err}`);
      }
      const { txType, txInfo, txHash, messageToSign } = result;
      return { txType, txInfo, txHash, messageToSign };
    },
    authToken(deadlineSeconds, apiKeyIndex, accountIndex) {
      const result = token(deadlineSeconds, apiKeyIndex, accountIndex) as { str: string | null; err: string | null };
      if (result.str === null) throw new Error(`CreateAuthToken: the signer refused: ${result.err}`);
      return result.str;
    },
  };
}
