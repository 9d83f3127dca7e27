import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { signLine } from '../../../sandbox/konnect/delivery/audit-line.ts';
import { startHTTPServer } from '../../support/http-server.ts';
import { runAuditlog as run } from './run-auditlog.ts';

const { publicKey, privateKey } = generateKeyPairSync('ed25519');
const jwks = { keys: [{ ...publicKey.export({ format: 'jwk' }), alg: 'EdDSA', kid: 'a' }] };
const unsigned =
  '2026-01-02T03:04:05Z konghq.com CEF:0|KongInc|Konnect|1.0|konnect|Authz.portals|1|rt=1767323045000 user_agent=';
const signed = signLine(unsigned, 'cef', privateKey);
const invalid = signed.replace('Authz.portals', 'Authz.teams');

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'auditlog-'));
  writeFileSync(join(folder, 'jwks.json'), JSON.stringify(jwks));
});
afterAll(() => rmSync(folder, { recursive: true }));

function file(name: string, content: string | Buffer): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

const verifyWithKeys = (args: readonly string[], stdin = '') =>
  run(['verify', '--jwks', join(folder, 'jwks.json'), ...args], { stdin });

describe('auditlog verify', () => {
  test('prints a table and exits with 0 if every line is verified', async () => {
    const logs = [file('a.log', `${signed}\n${signed}\n`), file('b.log.gz', gzipSync(`${signed}\nhello\n`))];
    const { code, output, errors } = await verifyWithKeys(logs);
    expect(output.split('\n').map((line) => line.split(/ {2,}/).map((cell) => cell.trim()))).toEqual([
      ['FILE', 'VERIFIED', 'UNSIGNED', 'INVALID', 'NOT AUDIT LINES'],
      [logs[0], '2', '0', '0', '0'],
      [logs[1], '1', '0', '0', '1'],
      [''],
    ]);
    expect({ code, errors }).toEqual({ code: 0, errors: '' });
  });

  test.each([
    ['an unsigned line', `${signed}\n${unsigned}\n`, 3],
    ['an invalid line beside an unsigned one', `${unsigned}\n${invalid}\n`, 4],
    ['no audit line', 'hello\n', 5],
    ['nothing', '', 5],
  ])('tells %s by its exit code', async (_name, lines, expected) => {
    expect((await verifyWithKeys([], lines)).code).toBe(expected);
  });

  test('names the file and the number of each invalid line', async () => {
    const log = file('c.log', `${signed}\n${invalid}\n`);
    expect((await verifyWithKeys([log])).errors).toBe(`${log}:2: invalid signature\n`);
  });

  test('names the first twenty invalid lines, and counts the others', async () => {
    const { errors } = await verifyWithKeys([], `${invalid}\n`.repeat(25));
    const lines = errors.trimEnd().split('\n');
    expect(lines).toHaveLength(21);
    expect(lines.at(-1)).toBe('-: 5 more lines have an invalid signature');
  });

  test.each(['json', 'yaml'])('prints %s', async (format) => {
    const { output } = await verifyWithKeys(['-o', format], `${invalid}\n`);
    const counts = { file: '-', verified: 0, unsigned: 0, invalid: 1, notAuditLines: 0, invalidLines: [1] };
    const { parse } = await import('yaml');
    expect(parse(output)).toEqual({ files: [counts] });
    expect(output.startsWith('{')).toBe(format === 'json');
  });

  test('takes the public keys from a region', async () => {
    const paths: (string | undefined)[] = [];
    const konnect = await startHTTPServer((request, response) => {
      paths.push(request.url, request.headers.authorization);
      response.end(JSON.stringify(jwks));
    });
    try {
      const url = `${konnect.url}/{region}`;
      const args = ['verify', '--region', 'eu', '--konnect-url', url];
      expect((await run(args, { stdin: signed })).code).toBe(0);
      expect((await run(args, { stdin: signed, env: { KONNECT_TOKEN: 'kpat_x' } })).code).toBe(0);
      const path = '/eu/v2/audit-log-webhook/jwks.json';
      expect(paths).toEqual([path, undefined, path, 'Bearer kpat_x']);
    } finally {
      konnect.stop();
    }
  });

  test.each<[string, string[], number, RegExp]>([
    ['no keys', ['verify'], 2, /either --jwks FILE or --region REGION; see auditlog verify --help/],
    ['two sources of keys', ['verify', '--jwks', 'a', '--region', 'us'], 2, /either --jwks FILE or --region/],
    ['a region that is none', ['verify', '--region', '../x'], 2, /--region must be the name of a region/],
    [
      'a URL that is none',
      ['verify', '--region', 'us', '--konnect-url', 'x'],
      2,
      /--konnect-url must contain \{region\}/,
    ],
    ['a format that is none', ['verify', '--jwks', 'a', '-o', 'xml'], 2, /--output must be one of table, json, yaml/],
    ['an unknown option', ['verify', '--no-such'], 2, /no-such/],
    ['a missing file of keys', ['verify', '--jwks', '/nonexistent/keys'], 1, /keys cannot be read \(ENOENT\)/],
    ['a command that is none', ['verfy'], 2, /the commands are .*verify/],
  ])('refuses %s', async (_name, args, expected, message) => {
    const { code, errors, output } = await run(args);
    expect({ code, output }).toEqual({ code: expected, output: '' });
    expect(errors).toMatch(message);
  });

  test.each([
    ['text', 'they are not JSON'],
    ['{"keys":[]}', 'there is no Ed25519 key'],
    ['[]', 'not an object with a list of keys'],
  ])('refuses %s as keys', async (content, message) => {
    const { code, errors } = await run(['verify', '--jwks', file('bad.json', content)]);
    expect(code).toBe(1);
    expect(errors).toContain(message);
  });

  test('says what is wrong with gzip that is cut, or has something after it', async () => {
    const whole = gzipSync(`${signed}\n`);
    const cut = await verifyWithKeys([file('cut.gz', whole.subarray(0, 40))]);
    expect(cut).toMatchObject({ code: 1, errors: expect.stringContaining('its gzip data end too early') });
    const longer = await verifyWithKeys([file('longer.gz', Buffer.concat([whole, Buffer.from([0x1f, 0x8b, 9, 9])]))]);
    expect(longer).toMatchObject({ code: 1, errors: expect.stringContaining('its gzip data are damaged') });
  });

  test('says which log cannot be read', async () => {
    const { code, errors } = await verifyWithKeys(['/nonexistent/log']);
    expect({ code, errors }).toEqual({
      code: 1,
      errors: 'auditlog verify: /nonexistent/log cannot be read (ENOENT)\n',
    });
  });
});

describe('auditlog --help', () => {
  test('lists the commands, and each describes its options and exit codes', async () => {
    expect((await run(['--help'])).output).toContain('  verify');
    const { output, code } = await run(['verify', '--help']);
    expect(code).toBe(0);
    for (const text of ['Usage: auditlog verify [FILE…] [options]', '--jwks FILE', '4 a signature is invalid'])
      expect(output).toContain(text);
  });
});
