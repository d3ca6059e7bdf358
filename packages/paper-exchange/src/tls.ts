/**
 * A self-signed certificate made at start, for clients that insist on https and wss (LP §5.1). Written out in DER, because Node
 * can sign but cannot make certificates, and nothing may depend on an installed openssl.
 */
import { createHash, generateKeyPairSync, randomBytes, sign } from 'node:crypto';

export interface Certificate {
  /** PEM. The private key stays in this process. */
  readonly key: string;
  readonly cert: string;
}

const oids = {
  ecdsaWithSha256: '2a8648ce3d040302',
  commonName: '550403',
  subjectAltName: '551d11',
  basicConstraints: '551d13',
  keyUsage: '551d0f',
  subjectKeyIdentifier: '551d0e',
  authorityKeyIdentifier: '551d23',
} as const;

const tag = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  oid: 0x06,
  utf8: 0x0c,
  utcTime: 0x17,
} as const;
const constructed = { sequence: 0x30, set: 0x31, version: 0xa0, extensions: 0xa3 } as const;
const yearMs = 365 * 86_400_000;

/** Valid for localhost, 127.0.0.1 and ::1, from yesterday for two years. */
export function createCertificate(nowMs: number = Date.now()): Certificate {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  const subjectKey = publicKey.export({ type: 'spki', format: 'der' });
  const algorithm = der(constructed.sequence, oid(oids.ecdsaWithSha256));
  const name = der(
    constructed.sequence,
    der(
      constructed.set,
      der(constructed.sequence, oid(oids.commonName), der(tag.utf8, Buffer.from('counterleg paper exchange'))),
    ),
  );
  const serial = randomBytes(12);
  serial[0] = 0x2a;
  const toBeSigned = der(
    constructed.sequence,
    der(constructed.version, der(tag.integer, Buffer.from([2]))),
    der(tag.integer, serial),
    algorithm,
    name,
    der(constructed.sequence, utcTime(nowMs - 86_400_000), utcTime(nowMs + 2 * yearMs)),
    name,
    subjectKey,
    der(
      constructed.extensions,
      der(constructed.sequence, altNames(), certificateAuthority(), keyUsage(), ...keyIds(subjectKey)),
    ),
  );
  const signature = sign('sha256', toBeSigned, privateKey);
  const certificate = der(constructed.sequence, toBeSigned, algorithm, der(tag.bitString, Buffer.from([0]), signature));
  return { key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(), cert: pem(certificate) };
}

function altNames(): Buffer {
  const dnsName = 0x82;
  const ipAddress = 0x87;
  const names = der(
    constructed.sequence,
    der(dnsName, Buffer.from('localhost')),
    der(ipAddress, Buffer.from([127, 0, 0, 1])),
    der(ipAddress, Buffer.concat([Buffer.alloc(15), Buffer.from([1])])),
  );
  return der(constructed.sequence, oid(oids.subjectAltName), der(tag.octetString, names));
}

/** Lets a client trust it by naming it as its own authority. */
function certificateAuthority(): Buffer {
  const yes = der(tag.boolean, Buffer.from([0xff]));
  return der(
    constructed.sequence,
    oid(oids.basicConstraints),
    yes,
    der(tag.octetString, der(constructed.sequence, yes)),
  );
}

/** Digital signature and certificate signing: what strict verifiers (Python 3.13) demand of a self-signed authority. */
function keyUsage(): Buffer {
  const yes = der(tag.boolean, Buffer.from([0xff]));
  const bits = der(tag.bitString, Buffer.from([2, 0b1000_0100]));
  return der(constructed.sequence, oid(oids.keyUsage), yes, der(tag.octetString, bits));
}

function keyIds(subjectKey: Buffer): readonly Buffer[] {
  const id = createHash('sha1').update(subjectKey).digest();
  const keyIdentifier = 0x80;
  return [
    der(constructed.sequence, oid(oids.subjectKeyIdentifier), der(tag.octetString, der(tag.octetString, id))),
    der(
      constructed.sequence,
      oid(oids.authorityKeyIdentifier),
      der(tag.octetString, der(constructed.sequence, der(keyIdentifier, id))),
    ),
  ];
}

function oid(hex: string): Buffer {
  return der(tag.oid, Buffer.from(hex, 'hex'));
}

function utcTime(atMs: number): Buffer {
  const digits = new Date(atMs).toISOString().replace(/[-:T]/g, '').slice(2, 14);
  return der(tag.utcTime, Buffer.from(`${digits}Z`));
}

function der(type: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  const size = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([type, ...size]), content]);
}

function pem(certificate: Buffer): string {
  const lines = certificate.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}
