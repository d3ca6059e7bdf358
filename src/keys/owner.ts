/**
 * The owner of an account: who signs key changes with the wallet's key (LP §3.10), here or elsewhere.
 *
 * That key is more than any API key: it withdraws. It is held in a closure for as long as the command runs, and no error made here
 * quotes it, a password or a signature.
 */
import type * as Ox from 'ox' with { 'resolution-mode': 'import' };
import { KeysError } from './errors';

export interface Owner {
  /** A signature of the owner's, 0x and 65 bytes in hex, held against the address; `what` names what it is for. */
  sign(message: string, what: string): Promise<string>;
}

type Hex = `0x${string}`;

/** A wallet whose key is here. Throws when it is not the wallet of that address. */
export function ownerWithKey(privateKey: string, address: string): Owner {
  const { Address, PersonalMessage, Hex, Secp256k1, Signature } = ethereum();
  const key: Hex = `0x${privateKey.trim().replace(/^0x/, '')}`;
  let own: string;
  try {
    own = Address.fromPublicKey(Secp256k1.getPublicKey({ privateKey: key })).toLowerCase();
  } catch {
    throw new KeysError('this is no key of an Ethereum wallet (64 hex digits): nothing was sent');
  }
  if (own !== address.toLowerCase())
    throw new KeysError(
      `this is the key of ${own}, but the account belongs to ${address}: nothing was sent. Use the owner's wallet, or check the account's index`,
    );
  return {
    sign: (message) => {
      const payload = PersonalMessage.getSignPayload(Hex.fromString(message));
      return Promise.resolve(Signature.toHex(Secp256k1.sign({ payload, privateKey: key })));
    },
  };
}

/** The private key in a keystore file (Ethereum JSON, version 3). */
export async function keyOfKeystore(text: string, password: string): Promise<string> {
  const { Keystore } = ethereum();
  let keystore: Ox.Keystore.Keystore;
  try {
    // Some wallets write `Crypto`, geth's older name.
    const { Crypto, ...rest } = JSON.parse(text) as Record<string, unknown>;
    keystore = { ...rest, ...(Crypto === undefined ? {} : { crypto: Crypto }) } as unknown as Ox.Keystore.Keystore;
    if (Number(keystore.version) !== 3 || typeof keystore.crypto.kdf !== 'string') throw new Error();
  } catch {
    throw new KeysError('this is no keystore file of an Ethereum wallet (JSON, version 3)');
  }
  try {
    return Keystore.decrypt(keystore, await Keystore.toKeyAsync(keystore, { password }));
  } catch {
    throw new KeysError('the keystore file does not open with this password: nothing was sent');
  }
}

/** A wallet that is elsewhere: `ask` shows the text and answers what was pasted. */
export function ownerElsewhere(address: string, ask: (message: string, what: string) => Promise<string>): Owner {
  return {
    async sign(message, what) {
      const pasted = await ask(message, what);
      const signature = normalised(pasted.trim());
      const by = signature === undefined ? undefined : signerOf(message, signature);
      if (signature === undefined || by === undefined)
        throw new KeysError(
          `what was pasted for ${what} is no signature (0x and 130 hex digits): nothing was sent for it`,
        );
      if (by !== address.toLowerCase())
        throw new KeysError(
          `the signature for ${what} is of ${by}, or of another text; the account belongs to ${address}: nothing was sent for it. ` +
            'Sign exactly the text that is shown, as a personal message, without a line break at its end, with the wallet of the owner',
        );
      return signature;
    },
  };
}

/** Address of who signed the text as a personal message (EIP-191), in lower case. */
function signerOf(message: string, signature: string): string | undefined {
  const { Hex, PersonalMessage, Secp256k1, Signature } = ethereum();
  try {
    const payload = PersonalMessage.getSignPayload(Hex.fromString(message));
    return Secp256k1.recoverAddress({ payload, signature: Signature.fromHex(signature as Hex) }).toLowerCase();
  } catch {
    return undefined;
  }
}

/** With 27 or 28 as its last byte, as the exchange's own clients send it; some wallets write 0 or 1. */
function normalised(signature: string): string | undefined {
  const { Signature } = ethereum();
  try {
    return Signature.toHex(Signature.fromHex(`0x${signature.replace(/^0x/, '')}`));
  } catch {
    return undefined;
  }
}

/** Loaded on first use, a fifth of a second. Its declarations are ES-module only, its code is not. */
function ethereum(): typeof Ox {
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- see above
  return require('ox') as typeof Ox;
}
