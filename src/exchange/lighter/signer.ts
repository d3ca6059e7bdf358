/**
 * The official signer library (LP §8), called through koffi off the main thread.
 *
 * Owns the C layout and the process-wide registrations. Keys go in and never come out: no error, log or value made here holds a
 * private key or a signature. The library is created without a URL, so it does no HTTP of its own.
 */
import { createHash } from 'node:crypto';
import { TX_CHANGE_KEY } from '../../domain/records';
import type { SignedTx, SigningThread, TxRequest } from '../port';
import { shorten } from './errors';
import { loadKoffi, type NativeFunction } from './koffi';
import { signCallOf, verifySigned } from './sign-request';
import { checkLayout, PROBE } from './signer-check';

/** Signing failed: a wrong key, a wrong library, or a request that the exchange's rules forbid. Never a business answer. */
export class SignerError extends Error {
  override readonly name = 'SignerError';
}

export interface ApiKeyPair {
  readonly privateKey: string;
  /** 80 hex digits without 0x, as the exchange lists it. */
  readonly publicKey: string;
}

export interface LaneKey {
  readonly accountIndex: number;
  readonly lane: number;
  readonly chainId: number;
  readonly privateKey: string;
}

export interface SignedKeyChange {
  readonly txInfo: string;
  readonly txHash: string;
  /** What the owner of the account signs. */
  readonly message: string;
}

type Lane = Pick<LaneKey, 'accountIndex' | 'lane'>;

export interface Signer {
  /** A fresh key pair, not registered anywhere. */
  generateKey(): Promise<ApiKeyPair>;
  /**
   * Hands a key to the library, for this process. Another key for the same lane is rejected while the first is in use: the
   * library would silently sign everybody's transactions with the newer one. The returned function gives the lane free.
   */
  register(key: LaneKey): () => void;
  sign(accountIndex: number, request: TxRequest, where?: SigningThread): Promise<LighterSignedTx>;
  /** Signs a key change with the key that the lane is registered with, which is the new one; as the library answers it (LP §3.10). */
  signKeyChange(change: Lane & { readonly publicKey: string; readonly nonce: bigint }): Promise<SignedKeyChange>;
  /** Token for REST and WebSocket (LP §4). */
  authToken(request: Lane & { readonly deadlineS: number }): Promise<string>;
}

/** Signed bytes. The text is private: neither JSON.stringify nor util.inspect shows it. */
export class LighterSignedTx implements SignedTx {
  readonly #txInfo: string;

  constructor(
    readonly request: TxRequest,
    readonly txHash: string,
    readonly expiresAtMs: number,
    readonly txType: number,
    txInfo: string,
  ) {
    this.#txInfo = txInfo;
  }

  /** For the wire only. */
  txInfo(): string {
    return this.#txInfo;
  }
}

/** Loads the library. Throws a SignerError that names the path when it cannot be loaded, lacks a function, or has another call layout. */
export function loadSigner(libraryPath: string): Signer {
  const library = bind(libraryPath);
  const { privateKey, chainId, lane, accountIndex } = PROBE;
  try {
    const error = library.createClient('', privateKey, chainId, lane, BigInt(accountIndex));
    if (error !== null) throw new Error(shorten(error));
    checkLayout(({ fn, args }) => library.sign[fn].here(...args));
  } catch (error) {
    throw new SignerError(
      `the signer library ${libraryPath} is another version than this program is made for: ` +
        `${error instanceof Error ? shorten(error.message) : 'unknown reason'}. Nothing was started; \`npm run set-up\` fetches the right one`,
    );
  }
  return new NativeSigner(library);
}

interface TxAnswer {
  readonly txType: number;
  readonly txInfo: string | null;
  readonly txHash: string | null;
  readonly messageToSign: string | null;
  readonly err: string | null;
}
interface TokenAnswer {
  readonly str: string | null;
  readonly err: string | null;
}
interface KeyAnswer {
  readonly privateKey: string | null;
  readonly publicKey: string | null;
  readonly err: string | null;
}
type Native<T> = (...args: readonly unknown[]) => Promise<T>;
interface Library {
  readonly createClient: (...args: readonly unknown[]) => string | null;
  readonly sign: Readonly<
    Record<
      ReturnType<typeof signCallOf>['fn'],
      { readonly here: (...args: readonly unknown[]) => TxAnswer; readonly beside: Native<TxAnswer> }
    >
  >;
  readonly signKeyChange: Native<TxAnswer>;
  readonly authToken: Native<TokenAnswer>;
  readonly generateKey: Native<KeyAnswer>;
}

/** What each lane was registered with in this process: a fingerprint of key and chain, and how many users it has. */
const registrations = new Map<string, { readonly fingerprint: string; users: number }>();

class NativeSigner implements Signer {
  constructor(private readonly library: Library) {}

  async generateKey(): Promise<ApiKeyPair> {
    const answer = await this.library.generateKey();
    if (answer.err !== null || answer.privateKey === null || answer.publicKey === null) {
      throw new SignerError('the signer could not generate a key');
    }
    return { privateKey: answer.privateKey, publicKey: answer.publicKey.replace(/^0x/, '') };
  }

  register(key: LaneKey): () => void {
    const name = `${key.accountIndex}/${key.lane}`;
    const fingerprint = createHash('sha256').update(`${key.chainId} ${key.privateKey}`).digest('hex');
    const present = registrations.get(name);
    if (present !== undefined && present.users > 0 && present.fingerprint !== fingerprint) {
      throw new SignerError(`account ${key.accountIndex}, API key ${key.lane}: another key is in use in this process`);
    }
    const error = this.library.createClient('', key.privateKey, key.chainId, key.lane, BigInt(key.accountIndex));
    // The library's own text may quote the key it disliked, so it goes nowhere.
    if (error !== null) {
      throw new SignerError(
        `account ${key.accountIndex}, API key ${key.lane}: the signer does not accept the private key`,
      );
    }
    const registration = { fingerprint, users: (present?.users ?? 0) + 1 };
    registrations.set(name, registration);
    let held = true;
    return () => {
      const current = registrations.get(name);
      if (held && current !== undefined) current.users -= 1;
      held = false;
    };
  }

  async sign(accountIndex: number, request: TxRequest, where: SigningThread = 'beside'): Promise<LighterSignedTx> {
    const call = signCallOf(accountIndex, request);
    const sign = this.library.sign[call.fn];
    const answer = where === 'here' ? sign.here(...call.args) : await sign.beside(...call.args);
    if (answer.err !== null) throw new SignerError(`signer: ${shorten(answer.err)}`);
    if (answer.txInfo === null || answer.txHash === null || answer.txType !== call.txType) {
      throw new SignerError('signer: the answer is not the transaction that was asked for');
    }
    if (!/^[0-9a-f]{80}$/.test(answer.txHash))
      throw new SignerError('signer: the transaction hash is not 80 hex digits');
    try {
      const { expiresAtMs } = verifySigned(call, answer.txInfo);
      return new LighterSignedTx(request, answer.txHash, expiresAtMs, call.txType, answer.txInfo);
    } catch (error) {
      throw new SignerError(`signer: ${error instanceof Error ? shorten(error.message) : 'unreadable answer'}`);
    }
  }

  async signKeyChange({
    publicKey,
    nonce,
    lane,
    accountIndex,
  }: Parameters<Signer['signKeyChange']>[0]): Promise<SignedKeyChange> {
    const answer = await this.library.signKeyChange(`0x${publicKey}`, 0, nonce, lane, BigInt(accountIndex));
    const { txInfo, txHash, messageToSign: message } = answer;
    if (
      answer.err !== null ||
      answer.txType !== TX_CHANGE_KEY ||
      txInfo === null ||
      txHash === null ||
      message === null
    )
      throw new SignerError(`the signer could not sign a change of API key ${lane} of account ${accountIndex}`);
    return { txInfo, txHash, message };
  }

  async authToken(request: Lane & { readonly deadlineS: number }): Promise<string> {
    const answer = await this.library.authToken(BigInt(request.deadlineS), request.lane, BigInt(request.accountIndex));
    if (answer.err !== null || answer.str === null) throw new SignerError('the signer could not make an auth token');
    const expected = `${request.deadlineS}:${request.accountIndex}:${request.lane}:`;
    if (!answer.str.startsWith(expected)) throw new SignerError('the signer made another auth token than asked for');
    return answer.str;
  }
}

function bind(libraryPath: string): Library {
  try {
    const koffi = loadKoffi();
    const library = koffi.load(libraryPath);
    // koffi copies every text and gives it back. With C's own free, not with the library's, which takes up to a millisecond (LP §8.2);
    // on Windows the library has a heap of its own.
    const free = process.platform === 'win32' ? library.func('Free', 'void', ['void *']) : koffi.free;
    const text = koffi.disposable('str', free);
    const signed = koffi.struct({ txType: 'uint8_t', txInfo: text, txHash: text, messageToSign: text, err: text });
    const ll = 'longlong';
    const tail = ['uint8_t', ll, 'int', ll]; // skipNonce, nonce, apiKeyIndex, accountIndex
    // Layout of the header in the 1.1.8 wheel: market indexes are long long there.
    const transfer = [ll, 'int16_t', 'uint8_t', 'uint8_t', ll, ll, 'str'];
    const createOrder = [
      ll,
      ll,
      ll,
      'int',
      'int',
      'int',
      'int',
      'int',
      'int',
      ll,
      ll,
      'int',
      'int',
      'uint8_t',
      'uint8_t',
    ];
    return {
      createClient: library.func('CreateClient', text, ['str', 'str', 'int', 'int', ll]) as Library['createClient'],
      sign: {
        SignCreateOrder: onBoth(library.func('SignCreateOrder', signed, [...createOrder, ...tail])),
        SignCancelOrder: onBoth(library.func('SignCancelOrder', signed, [ll, ll, ...tail])),
        SignCancelAllOrders: onBoth(library.func('SignCancelAllOrders', signed, ['int', ll, ll, ...tail])),
        SignTransfer: onBoth(library.func('SignTransfer', signed, [...transfer, ...tail])),
      },
      signKeyChange: offThread(library.func('SignChangePubKey', signed, ['str', ...tail])),
      authToken: offThread(library.func('CreateAuthToken', koffi.struct({ str: text, err: text }), [ll, 'int', ll])),
      generateKey: offThread(
        library.func('GenerateAPIKey', koffi.struct({ privateKey: text, publicKey: text, err: text }), []),
      ),
    };
  } catch (error) {
    throw new SignerError(
      `cannot load the signer library ${libraryPath}: ${error instanceof Error ? shorten(error.message) : 'unknown reason'}`,
    );
  }
}

function onBoth(fn: NativeFunction): Library['sign']['SignCreateOrder'] {
  const here = (...args: readonly unknown[]): TxAnswer => {
    try {
      return fn(...args) as TxAnswer;
    } catch {
      throw new SignerError('the signer call failed');
    }
  };
  return { here, beside: offThread(fn) };
}

/** Runs the call on koffi's worker threads: about 0.6 ms of arithmetic that must not stop the event loop. */
function offThread<T>(fn: NativeFunction): Native<T> {
  return (...args) =>
    new Promise<T>((resolve, reject) => {
      fn.async(...args, (error: Error | null, answer: T) => {
        if (error === null || error === undefined) resolve(answer);
        else reject(new SignerError('the signer call failed'));
      });
    });
}
