import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import type { AuditEvent, LogFormat } from '../../../sandbox/konnect/audit-event.ts';
import { formatLine, signLine } from '../../../sandbox/konnect/delivery/audit-line.ts';
import { lineVerifier } from '../../../src/audit-lines/verify-lines.ts';

const { publicKey, privateKey } = generateKeyPairSync('ed25519');
const verifyLines = lineVerifier([generateKeyPairSync('ed25519').publicKey, publicKey]);

const event: AuditEvent = {
  at: new Date('2026-01-02T03:04:05Z'),
  product: 'Konnect',
  eventClassID: 'konnect',
  name: 'Authz.portals',
  severity: 1,
  extension: {
    rt: '1767323045000',
    src: '192.0.2.7',
    action: 'list',
    granted: 'true',
    org_id: '11111111-2222-4333-8444-555555555555',
    trace_id: '18446744073709551615',
    user_agent: 'client/1.0 (lang=go; "os" \\ é)',
  },
};

function signed(format: LogFormat, of: AuditEvent = event): string {
  return signLine(formatLine(of, format), format, privateKey);
}

/** Lines reach the verifier as latin1, one character for each byte. */
function bytes(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}

async function resultOf(line: string) {
  const [result] = await verifyLines([bytes(line)]);
  return result;
}

/** A JSON object as another program prints it: with its members in another order, and with blanks. */
function printedAgain(line: string): string {
  const members = /^\{(?<members>.*)\}$/.exec(line)?.groups?.['members']?.split(/,(?=")/) ?? [];
  return `{ ${members.toReversed().join(', ').replaceAll('":', '" : ')} }`;
}

describe('a signed line is verified', () => {
  const cef = signed('cef');
  const json = signed('json');
  const cps = signed('cps');
  const sortedEvent = formatLine(event, 'json');
  const sorted = signLine(
    `{${sortedEvent
      .slice(1, -1)
      .split(/,(?=")/)
      .toSorted()
      .join(',')}}`,
    'json',
    privateKey,
  );
  const csv = (text: string) => `"1767323045000","${text.replaceAll('"', '""')}","Http Input"`;

  test.each<[string, string]>([
    ['CEF', cef],
    ['JSON', json],
    ['CPS', cps],
    ['CEF with a carriage return', `${cef}\r`],
    ['CEF with fields after the signature', `${cef} relay=a`],
    ['CEF behind a syslog header', `<14>1 2026-01-02T03:04:06Z relay app - - - ${cef}`],
    ['CEF behind the length of a frame', `412 ${cef}`],
    ['JSON behind a syslog header', `<14>Jan  2 03:04:06 relay app: ${json}`],
    ['CEF in a member of an object', JSON.stringify({ ts: 1, _raw: cef, host: 'a' })],
    ['JSON in a member of an object', JSON.stringify({ message: json })],
    ['CPS in a member of an object in an object', JSON.stringify({ log: JSON.stringify({ message: cps }) })],
    ['JSON as the event of a Splunk collector', `{"time":1,"event":${json},"sourcetype":"_json"}`],
    [
      'the event of CPS as VictoriaLogs returns it',
      JSON.stringify({ _msg: cps.slice(9, -1), _time: 'a', _stream: '{}' }),
    ],
    ['JSON in a cell of a CSV file', csv(json)],
    ['JSON whose signature stands first', json.replace(/^\{(.*),("sig":"[^"]*")\}$/, '{$2,$1}')],
    ['JSON that was signed with sorted names, and printed again', printedAgain(sorted)],
  ])('%s', async (_name, line) => {
    expect(await resultOf(line)).toBe('verified');
  });

  test('CEF without its time and host, if they were not signed', async () => {
    const bare = formatLine(event, 'cef').replace(/^.*? konghq\.com /, '');
    const line = signLine(bare, 'cef', privateKey);
    expect(await resultOf(line)).toBe('verified');
    expect(await resultOf(`2026-01-02T03:04:06Z relay.example.com ${line}`)).toBe('verified');
    expect(await resultOf(line.replace('CEF:0', 'CEF: 0'))).toBe('verified');
  });
});

test('a line without a signature is unsigned', async () => {
  const unsigned = (['cef', 'json', 'cps'] as const).map((format) => formatLine(event, format));
  const wrapped = unsigned.map((line) => JSON.stringify({ message: line }));
  expect(await verifyLines([...unsigned, ...wrapped, `${unsigned[0] ?? ''} sig=`])).toEqual(
    Array.from({ length: 7 }, () => 'unsigned'),
  );
});

test('a signature that is shorter, longer or not canonical is invalid', async () => {
  const line = signed('cef');
  // Four bits of the last character are unused: the next character decodes to the same bytes.
  const noncanonical = line.replace(/.$/, (last) => String.fromCodePoint((last.codePointAt(0) ?? 0) + 1));
  expect(noncanonical).not.toBe(line);
  expect(await verifyLines([line.slice(0, -1), `${line}A`, noncanonical])).toEqual(['invalid', 'invalid', 'invalid']);
});

test('what is not an audit line is counted as such', async () => {
  const others = [
    '',
    'hello',
    '{',
    '{}',
    '{"a":"KongInc"}',
    'CEF:0|Other|Product|1.0|a|b|1|x=y',
    '{"event_vendor":"Other"}',
  ];
  expect(await verifyLines(others)).toEqual(others.map(() => 'notAuditLine'));
});

test('no line is verified after one byte of its event was changed', async () => {
  const formats = fc.constantFrom<LogFormat>('cef', 'json', 'cps');
  await fc.assert(
    fc.asyncProperty(formats, fc.nat(), fc.integer({ min: 1, max: 255 }), async (format, position, mask) => {
      const line = Buffer.from(signed(format));
      // What stands around the event of CPS is no part of it.
      const [start, end] = format === 'cps' ? ['{"event":'.length, line.length - 1] : [0, line.length];
      const at = start + (position % (end - start));
      line[at] = (line[at] ?? 0) ^ mask;
      const changed = line.toString('latin1');
      const [result] = await verifyLines([changed]);
      expect(result).not.toBe('verified');
    }),
    { numRuns: 500 },
  );
});

test('every event is verified in every format, wrapped or not', async () => {
  const text = fc.string({ unit: 'grapheme', maxLength: 40 }).filter((value) => !value.includes('\u0000'));
  await fc.assert(
    fc.asyncProperty(text, text, async (name, agent) => {
      const one = { ...event, name, extension: { ...event.extension, user_agent: agent } };
      const lines = (['cef', 'json', 'cps'] as const).map((format) => signed(format, one));
      const results = await verifyLines(
        [...lines, ...lines.map((line) => JSON.stringify({ message: line }))].map(bytes),
      );
      expect(results).toEqual(Array.from({ length: 6 }, () => 'verified'));
    }),
    { numRuns: 200 },
  );
});
