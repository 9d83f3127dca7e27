import { generateKeyPairSync, randomBytes, sign } from 'node:crypto';

/** PEM. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

const validYears = 10;
const backdatedMs = 3_600_000;

const tags = { integer: 0x02, bits: 0x03, octets: 0x04, oid: 0x06, utf8: 0x0c, time: 0x18, sequence: 0x30, set: 0x31 };

/**
 * Returns a self-signed certificate (X.509 v3, ECDSA P-256) with a new key. With it, TLS encrypts the traffic, but does not prove the identity of the
 * server.
 */
export function selfSigned(commonName: string, now: Date): Certificate {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const ecdsaWithSHA256 = sequence(oid('2a8648ce3d040302'));
  const name = sequence(der(tags.set, sequence(oid('550403'), der(tags.utf8, Buffer.from(commonName)))));
  const until = new Date(now);
  until.setUTCFullYear(until.getUTCFullYear() + validYears);
  // The first byte makes it positive.
  const serial = Buffer.concat([Buffer.from([0x40]), randomBytes(15)]);
  const toBeSigned = sequence(
    // Version 3.
    der(0xa0, der(tags.integer, Buffer.from([2]))),
    der(tags.integer, serial),
    ecdsaWithSHA256,
    name,
    sequence(time(new Date(now.getTime() - backdatedMs)), time(until)),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    der(
      0xa3,
      sequence(
        // Subject alternative name: one DNS name.
        extension('551d11', sequence(der(0x82, Buffer.from(commonName)))),
        // Extended key usage: TLS server.
        extension('551d25', sequence(oid('2b06010505070301'))),
      ),
    ),
  );
  const signature = sign('sha256', toBeSigned, privateKey);
  const certificate = sequence(toBeSigned, ecdsaWithSHA256, der(tags.bits, Buffer.from([0]), signature));
  return {
    cert: `-----BEGIN CERTIFICATE-----\n${certificate.toString('base64').replaceAll(/.{64}/g, '$&\n').trim()}\n-----END CERTIFICATE-----\n`,
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}

/** Returns one value in DER: tag, length, content. */
function der(tag: number, ...content: readonly Buffer[]): Buffer {
  const body = Buffer.concat(content);
  const length =
    body.length < 0x80
      ? [body.length]
      : body.length < 0x100
        ? [0x81, body.length]
        : [0x82, body.length >> 8, body.length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...length]), body]);
}

function sequence(...content: readonly Buffer[]): Buffer {
  return der(tags.sequence, ...content);
}

/** Returns an object identifier. `content` is hexadecimal. */
function oid(content: string): Buffer {
  return der(tags.oid, Buffer.from(content, 'hex'));
}

function extension(id: string, value: Buffer): Buffer {
  return sequence(oid(id), der(tags.octets, value));
}

/** Returns a time. RFC 5280 requires two digits of the year until 2049, and four from 2050. */
function time(date: Date): Buffer {
  const digits = `${date.toISOString().replaceAll(/[-:T]|\..*$/g, '')}Z`;
  return date.getUTCFullYear() < 2050 ? der(0x17, Buffer.from(digits.slice(2))) : der(tags.time, Buffer.from(digits));
}
