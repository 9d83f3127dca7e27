import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import * as z from 'zod';
import type { AuditEvent, LogFormat } from '../../../../sandbox/konnect/audit-event.ts';
import { formatLine, signLine, verifyLine } from '../../../../sandbox/konnect/delivery/audit-line.ts';
import { createKeyRing } from '../../../../sandbox/konnect/delivery/key-ring.ts';
import { anyCharacter } from '../../../support/any-character.ts';

const formats: readonly LogFormat[] = ['cef', 'json', 'cps'];

/** Two lines that Konnect really sent, and the events behind them. */
const realPortalLine =
  '2025-06-23T14:28:47Z konghq.com CEF:0|KongInc|Dev-Portal|1.0|AUTHENTICATION_TYPE_BASIC|AUTHENTICATION_OUTCOME_SUCCESS|0|rt=1750688927556 src=172.71.232.22 request=/api/v2/developer/authenticate success=true org_id=998db3e4-5cb7-4dd5-b51c-9878096a6999 portal_id=3e551b39-227d-4297-b911-e68fd5d77c17 principal_id=a3d2699a-0ed3-4417-bb10-d8e74a1513a4 trace_id=3360194145499877252 user_agent= sig=XQC3OSFxLbi5dy2-o4xAXHT-x8oW5Df-zVsACWQLMU9Q-sPnEyk5CVs4JHwuRcwO0QNLsNaP1wsyrXYPeneXDQ';
const portalEvent: AuditEvent = {
  at: new Date(1750688927556),
  product: 'Dev-Portal',
  eventClassID: 'AUTHENTICATION_TYPE_BASIC',
  name: 'AUTHENTICATION_OUTCOME_SUCCESS',
  severity: 0,
  extension: {
    rt: '1750688927556',
    src: '172.71.232.22',
    request: '/api/v2/developer/authenticate',
    success: 'true',
    org_id: '998db3e4-5cb7-4dd5-b51c-9878096a6999',
    portal_id: '3e551b39-227d-4297-b911-e68fd5d77c17',
    principal_id: 'a3d2699a-0ed3-4417-bb10-d8e74a1513a4',
    trace_id: '3360194145499877252',
    user_agent: '',
  },
};
const realKonnectLine =
  '2025-06-18T21:02:36Z konghq.com CEF:0|KongInc|Konnect|1.0|konnect|Authz.control-planes|1|rt=1750280466889 src=127.0.0.6 action=list granted=true org_id=777db3e4-5cb7-4dd5-b51c-9878096a6999 principal_id=eb999f01-5976-4f4b-9fbc-dd5d514bd675 trace_id=3959872677347089807 user_agent=grpc-node-js/1.12.4 sig=KbLaBhQFnggT_8CyC95b777R1_fGvvLVDn7awjZK8eZLdGPrSvnS-sxJw63j930eKr-VTsQv8-TQTD_GVmAPAQ';
/** The time in its header is a minute and a half after `rt`: one does not follow from the other. */
const konnectEvent: AuditEvent = {
  at: new Date('2025-06-18T21:02:36Z'),
  product: 'Konnect',
  eventClassID: 'konnect',
  name: 'Authz.control-planes',
  severity: 1,
  extension: {
    rt: '1750280466889',
    src: '127.0.0.6',
    action: 'list',
    granted: 'true',
    org_id: '777db3e4-5cb7-4dd5-b51c-9878096a6999',
    principal_id: 'eb999f01-5976-4f4b-9fbc-dd5d514bd675',
    trace_id: '3959872677347089807',
    user_agent: 'grpc-node-js/1.12.4',
  },
};

function withExtension(extension: Record<string, string>): AuditEvent {
  return { ...portalEvent, extension };
}

describe('an audit line', () => {
  test.each([
    { event: portalEvent, real: realPortalLine },
    { event: konnectEvent, real: realKonnectLine },
  ])('in CEF is what Konnect sends for $event.name', ({ event, real }) => {
    const [unsigned] = real.split(' sig=');
    expect(formatLine(event, 'cef')).toBe(unsigned);

    const signed = signLine(formatLine(event, 'cef'), 'cef', createKeyRing(1).signingKey());
    expect(signed.replace(/[\w-]{86}$/, '')).toBe(real.replace(/[\w-]{86}$/, ''));
    expect(signed).toHaveLength(real.length);
  });

  test('in JSON contains the header, then the extension, with every digit of trace_id', () => {
    const line = formatLine(portalEvent, 'json');
    expect(line).toMatch(/^\{"event_ts":"2025-06-23T14:28:47Z","event_vendor":"KongInc","event_product":"Dev-Portal",/);
    expect(line).toContain('"trace_id":3360194145499877252,"user_agent":""}');
    expect(Object.keys(z.looseObject({}).parse(JSON.parse(line)))).toStrictEqual(
      'event_ts event_vendor event_product event_version event_class_id name severity cef_version'
        .split(' ')
        .concat(Object.keys(portalEvent.extension)),
    );
  });

  test('in CPS is the JSON line under event, with the signature inside', () => {
    const unsigned = formatLine(konnectEvent, 'cps');
    expect(unsigned).toBe(`{"event":${formatLine(konnectEvent, 'json')}}`);
    const signed = signLine(unsigned, 'cps', createKeyRing(1).signingKey());
    expect(JSON.parse(signed)).toMatchObject({ event: { name: 'Authz.control-planes', sig: expect.any(String) } });
  });

  test('in CEF escapes the characters that end a field', () => {
    const event = { ...withExtension({ request: '/a?b=c\\d', user_agent: 'x\r\ny|z' }), name: 'a|b\\c\nd' };
    const line = formatLine(event, 'cef');
    expect(line).toContain(String.raw`|a\|b\\c d|0|request=/a?b\=c\\d user_agent=x\r\ny|z`);
    expect(line).not.toContain('\n');
  });
});

describe('a signature', () => {
  test.each(formats)('of a %s line verifies, but not after any bit of the line is flipped', (format) => {
    const keys = createKeyRing(1);
    const jwks = keys.jwks();
    const line = signLine(formatLine(portalEvent, format), format, keys.signingKey());
    expect(verifyLine(line, jwks)).toBe(true);

    const bytes = Buffer.from(line);
    const verified = Array.from({ length: bytes.length * 8 }, (_, bit) => bit).filter((bit) => {
      const flipped = Buffer.from(bytes);
      flipped.writeUInt8(flipped.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
      return verifyLine(flipped.toString('latin1'), jwks);
    });
    expect(verified).toEqual([]);
  });

  test.each(formats)('of a %s line verifies, whatever the event contains', (format) => {
    const keys = createKeyRing(1);
    const text = fc.oneof(
      fc.string({ unit: anyCharacter }),
      fc.constantFrom(` sig=${'A'.repeat(86)}`, `","sig":"${'A'.repeat(86)}"`, ','),
    );
    const property = fc.property(text, text, (name, userAgent) => {
      const event = { ...withExtension({ user_agent: userAgent }), name };
      const line = signLine(formatLine(event, format), format, keys.signingKey());
      expect(line).not.toMatch(/[\r\n]/);
      expect(verifyLine(line, keys.jwks())).toBe(true);
    });
    fc.assert(property, { numRuns: 200 });
  });

  test('of a foreign key, cut short or missing is refused', () => {
    const keys = createKeyRing(1);
    const unsigned = formatLine(konnectEvent, 'cef');
    const line = signLine(unsigned, 'cef', keys.signingKey());
    expect(verifyLine(line, createKeyRing(3).jwks())).toBe(false);
    expect(verifyLine(line.slice(0, -1), keys.jwks())).toBe(false);
    expect(verifyLine(unsigned, keys.jwks())).toBe(false);
    expect(verifyLine(realKonnectLine, keys.jwks())).toBe(false);
  });

  test('is verified with one of several keys, and keys other than Ed25519 keys are ignored', () => {
    const keys = createKeyRing(3);
    const line = signLine(formatLine(konnectEvent, 'cef'), 'cef', keys.signingKey());
    const foreign = [{}, { kty: 'oct', k: 'AAAA' }, { kty: 'OKP', crv: 'Ed25519', x: 'short' }];
    expect(keys.jwks().keys).toHaveLength(3);
    expect(verifyLine(line, { keys: [...foreign, ...keys.jwks().keys] })).toBe(true);
    expect(verifyLine(line, { keys: foreign })).toBe(false);
  });

  test('verifies after a rotation while the JWKS contains the old key', () => {
    const keys = createKeyRing(1);
    const before = signLine(formatLine(portalEvent, 'json'), 'json', keys.signingKey());
    keys.rotate();
    const after = signLine(formatLine(portalEvent, 'json'), 'json', keys.signingKey());
    expect(after).not.toBe(before);
    expect([before, after].map((line) => verifyLine(line, keys.jwks()))).toStrictEqual([true, true]);
    keys.retire();
    expect([before, after].map((line) => verifyLine(line, keys.jwks()))).toStrictEqual([false, true]);
  });
});
