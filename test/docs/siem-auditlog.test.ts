/** Runs the commands of docs/siem/auditlog.md in their order with the built command, and compares what they print with what the page shows. */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { signLine } from '../../sandbox/konnect/delivery/audit-line.ts';
import { createKeyRing } from '../../sandbox/konnect/delivery/key-ring.ts';
import { auditCall } from '../../sandbox/konnect/model/audit.ts';
import { type KonnectServer, startKonnect } from '../../sandbox/konnect/server.ts';
import { full, organizationID, seed } from '../unit/sandbox/konnect/support.ts';
import { document, root } from './documents.ts';
import { scriptsOf } from './scripts.ts';

const page = 'docs/siem/auditlog.md';
const scripts = scriptsOf(document(page)).map((script) => script.text);

let folder: string;
let konnect: KonnectServer;
const keys = createKeyRing(1);

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'auditlog-page-'));
  konnect = await startKonnect({
    seed,
    deliver: { send: () => undefined, jwks: keys.jwks, stop: async () => undefined },
  });
});
afterAll(async () => {
  await konnect.stop();
  rmSync(folder, { recursive: true });
});

/** Runs a script of the page, with the files in a new folder and with the local Konnect. */
async function typed(script: string): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const line = script
    .replaceAll('/usr/local/bin', folder)
    .replaceAll('$PWD', root)
    .replaceAll(/^auditlog (?:verify|pull)\b/gm, `$& --konnect-url ${konnect.urlTemplate}`);
  const PATH = [folder, dirname(process.execPath), process.env['PATH']].join(delimiter);
  const child = spawn('bash', ['-c', line], { cwd: folder, env: { PATH, HOME: folder, KONNECT_TOKEN: full } });
  const ended = new Promise<number | null>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  });
  const [stdout, stderr, code] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  return { code, stdout, stderr };
}

const unsigned =
  '2026-01-02T03:04:05Z konghq.com CEF:0|KongInc|Konnect|1.0|konnect|Authz.portals|1|rt=1767323045000 user_agent=';
const signed = `${signLine(unsigned, 'cef', keys.signingKey())}\n`;

/** Returns the script of the page that begins so, and the output that the page shows below it. */
function scriptWith(start: string): { script: string; shown: string } {
  const index = scripts.findIndex((one) => one.startsWith(start));
  const [script, shown = ''] = scripts.slice(index);
  if (index === -1 || script === undefined) throw new Error(`${page} has no ${start}`);
  return { script, shown };
}

/** The columns, without the blanks between them. */
const cells = (table: string) =>
  table
    .trim()
    .split('\n')
    .map((row) => row.trim().split(/ {2,}/));

test('the command is built and linked', async () => {
  const { script } = scriptWith('npm run build');
  const [build, link = ''] = script.split('\n');
  // The build came before this test.
  expect(build).toBe('npm run build');
  expect(await typed(link)).toEqual({ code: 0, stdout: '', stderr: '' });
  expect((await typed('auditlog --help')).stdout).toContain('Usage: auditlog <command>');
});

test('auditlog verify prints the table of the page', async () => {
  writeFileSync(join(folder, 'audit.log'), signed.repeat(1_204) + 'hello\n'.repeat(3));
  const archive = signed.repeat(8_812) + signed.replace('Authz.portals', 'Authz.teams');
  writeFileSync(join(folder, 'archive.log.gz'), gzipSync(archive));
  const { script, shown } = scriptWith('auditlog verify');
  const { code, stdout, stderr } = await typed(script);
  expect({ code, stderr }).toEqual({ code: 4, stderr: 'archive.log.gz:8813: invalid signature\n' });
  expect(cells(stdout)).toEqual(cells(shown));
});

test('auditlog pull writes a ledger, and auditlog compare prints the table of the page', async () => {
  const organization = konnect.model.organizations.get(organizationID);
  const token = organization?.tokens.get(full);
  if (organization === undefined || token === undefined) throw new Error('the seed lacks the organization');
  for (let call = 0; call < 1_204; call += 1) {
    const request = { region: 'us', source: '192.0.2.1', userAgent: 'test', traceID: konnect.model.newTraceID() };
    auditCall(konnect.model, organization, { ...request, resource: 'portals', action: 'list', granted: true, token });
  }
  expect(await typed(scriptWith('auditlog pull').script)).toEqual({ code: 0, stdout: '', stderr: '' });
  const ledger = join(folder, 'konnect.json');
  const entries = readFileSync(ledger, 'utf8')
    .split('\n')
    .filter((entry) => entry.includes(':portals'));
  expect(entries).toHaveLength(1_204);
  writeFileSync(ledger, entries.join('\n'));
  // The SIEM lacks the first line, and a replay sent twelve again.
  writeFileSync(join(folder, 'siem.log'), [...entries.slice(1), ...entries.slice(-12)].join('\n'));
  const { script, shown } = scriptWith('auditlog compare');
  const { code, stdout, stderr } = await typed(script);
  expect({ code, stderr }).toEqual({ code: 3, stderr: expect.stringMatching(/^missing: trace \d+ at \S+\n$/) });
  expect(cells(stdout)).toEqual(cells(shown));
});

test('these are all commands of the page', () => {
  const run = scripts.filter((script) => /^(?:npm|auditlog|kubectl|ln) /.test(script));
  expect(run.map((script) => script.split(' ').slice(0, 2).join(' '))).toEqual([
    'npm run',
    'auditlog verify',
    'auditlog pull',
    'auditlog compare',
  ]);
});
