/** Runs the commands of README.md and docs/, document by document, in order. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { serviceAccount } from '../../sandbox/sandbox.ts';
import { runbookPages } from '../../scripts/runbook.ts';
import { document, root } from '../docs/documents.ts';
import { type Script, scriptsOf, sessionsOf } from '../docs/scripts.ts';
import { eventually } from '../support/eventually.ts';
import { authConfigurationCRD, portalCRD } from '../support/kong-operator.ts';
import { missingTools } from '../support/tools.ts';
import { createEnvironment, type Environment } from './support/environment.ts';
import type { ForwardingObject } from './support/forwarding-object.ts';
import { bash } from './support/shell.ts';

let environment: Environment;
let folder: string;

beforeAll(async () => {
  environment = await createEnvironment({ prefix: 'documents', portals: 2 });
  folder = await mkdtemp(join(tmpdir(), 'documents-'));
  const [forwarding = ''] = /(?<=^```yaml\n).*?(?=^```$)/ms.exec(document('README.md')) ?? [];
  await writeFile(join(folder, 'forwarding.yaml'), filledIn(forwarding), { mode: 0o600 });
  const values = { ...environment.credentials, token: environment.blue.token };
  for (const [name, value] of Object.entries(values))
    await writeFile(join(folder, `${name}.txt`), value, { mode: 0o600 });
});

afterAll(async () => {
  await environment?.stop();
  if (folder !== undefined) await rm(folder, { recursive: true });
});

/** The smallest forwarding of README.md, with the values of this environment. */
function filledIn(manifest: string): string {
  const { endpoint, authorization } = environment.credentials;
  return [
    ['kpat_replace-me', environment.blue.token],
    ['https://collectors.example.com/receiver/v1/http/replace-me', endpoint],
    ['authorization: not-used', `authorization: ${authorization}`],
    ['namespace: platform', `namespace: ${environment.namespace}`],
    [/(?<=- id: )\S+/, portal()],
  ].reduce((filled: string, [from = '', to = '']) => filled.replaceAll(globally(from), String(to)), manifest);
}

function globally(pattern: string | RegExp): string | RegExp {
  return typeof pattern === 'string' ? pattern : new RegExp(pattern, 'g');
}

function portal(): string {
  const [id = ''] = environment.blue.portals.us;
  return id;
}

/** Commands of processes that do not end. Other tests start them, and here is no Pod whose ports could be forwarded. */
const endless = /^(?:npm |node dist\/operator\.js|kubectl port-forward ).*\n?/gm;

/** Returns the script with the names of this environment. Commands that change the whole cluster become a dry run, since other tests use the cluster. */
async function here({ text: script }: Script): Promise<string> {
  const { destination } = (await environment.forwarding('sumologic').catch(() => undefined))?.status ?? {};
  const { healthURL, metricsURL } = environment.operator();
  return (
    script
      .replaceAll(endless, '')
      .replaceAll(/kubectl logs .* --tail=-1/g, 'cat operator.log')
      .replaceAll(' NAME -n NAMESPACE', ' sumologic -n platform')
      .replaceAll(/ (-n|namespace) platform\b/g, ` $1 ${environment.namespace}`)
      .replaceAll(/(auditlogforwarding) -A /g, `$1 -n ${environment.namespace} `)
      .replaceAll(/ (-[fk]) (\w+\/)/g, ` $1 ${root}/$2 --dry-run=server`)
      .replaceAll(/ --replicas=0/g, '$& --dry-run=server')
      .replaceAll(/ delete (?:crd|namespace) \S+/g, '$& --dry-run=server')
      .replaceAll(/ -w$/gm, '')
      .replaceAll('PORTAL-ID', portal())
      .replaceAll('audit-log-destinations/ID', `audit-log-destinations/${destination?.id ?? ''}`)
      .replaceAll(/https:\/\/(\w+)\.api\.konghq\.com/g, `${environment.services.konnect.url}/$1`)
      .replaceAll('http://127.0.0.1:8081', healthURL)
      // The operator of this test serves metrics without TLS.
      .replaceAll('https://127.0.0.1:8080', new URL(metricsURL).origin)
  );
}

/** Resolves with the functions and variables that first aid defines and that the script uses without defining them. */
async function definitionsFor({ text: script }: Script): Promise<string> {
  const defined = scriptsOf(document('docs/operate/first-aid.md'))
    .flatMap(({ text: one }) => one.split('\n'))
    .filter((line) => /^(?:[A-Z_]+=|\w+\(\) )/.test(line) && !script.includes(line));
  const uses = (line: string, text: string) =>
    new RegExp(`(?:^|[$\\s])${/^\w+/.exec(line)?.[0] ?? ''}\\b`, 'm').test(text);
  const functions = defined.filter((line) => line.includes('()') && uses(line, script));
  const variables = defined.filter((line) => !line.includes('()') && uses(line, [script, ...functions].join('\n')));
  const all = [...variables, ...functions].map((line) => here({ title: line, text: line }));
  return (await Promise.all(all)).join('\n');
}

/** Runs the script, and waits until its effect is complete. Resolves with its output. */
async function typed(script: Script): Promise<string> {
  const whose = script.text.includes('export F=') ? whoami : '';
  await writeFile(join(folder, 'operator.log'), await environment.operator().output());
  const output = await bash([await definitionsFor(script), await here(script), whose].join('\n'), folder);
  if (script.text.includes('apply -f forwarding.yaml')) await environment.waitForReady('sumologic');
  if (script.text.startsWith('kubectl annotate')) await environment.waitFor('sumologic', isAnswered);
  return output;
}

const whoami = 'kubectl --kubeconfig=$F auth whoami -o jsonpath={.status.userInfo.username}; ! grep client-key $F';

function isAnswered({ metadata, status }: ForwardingObject): boolean {
  const { 'konnect-audit-log.io/reconcile-requested-at': reconcile, 'konnect-audit-log.io/replay': replay } =
    metadata.annotations ?? {};
  return reconcile === status.lastHandledReconcileAt && replay === status.lastHandledReplay;
}

/** Returns the expected output, as far as it is known. */
function expected({ text: script }: Script): RegExp {
  const { namespace, name } = serviceAccount;
  if (script.includes('auth can-i')) return /^yes\n$/m;
  if (script.includes('export F=')) return new RegExp(`system:serviceaccount:${namespace}:${name}$`);
  if (script.includes('create secret generic')) return /^secret\/\w+ (?:configured|unchanged)$/m;
  if (script.includes('apply -f forwarding.yaml')) return /^auditlogforwarding\S+\/sumologic created$/m;
  if (script.includes('select(any(')) return /^documents-\w+\/sumologic\n$/;
  if (script.includes('go-template')) return /^$/;
  if (script.includes('ask /metrics')) return /^readyz check passed\n(?:.*\n)*.*konnect_audit_log_/m;
  if (script.includes('.reason + " "')) return /^\S+Z InSync \d portal/m;
  if (script.includes('lastHandledReconcileAt')) return /^\d{4}-\d\d-\d\dT/;
  if (script.includes('organizationID')) return new RegExp(`^${environment.blue.id}$`);
  if (script.includes('/organizations/me')) return /"id": ?"|^200$/m;
  return /^/;
}

const missing = missingTools();

/** Returns whether the tools of the script exist. `konnect` is the name of first aid for curl with a token. */
function canBeTyped({ text: script }: Script): boolean {
  const uses = (tool: string) =>
    new RegExp(tool === 'curl' ? String.raw`\b(curl|konnect) ` : `\\b${tool} `).test(script);
  return !missing.some(uses);
}

/** The tests of portalRefs and authRef run the scripts about objects of kong-operator. */
const isTyped = ({ text: script, ...rest }: Script) =>
  script.replaceAll(endless, '').trim() !== '' &&
  ![portalCRD, authConfigurationCRD].some((crd) => script.includes(crd)) &&
  canBeTyped({ ...rest, text: script });

test(`${missing.length === 0 ? 'no command' : `commands with ${missing.join(' and ')}, missing on this machine,`} of the documents had to be left out`, () => {
  const left = scriptsOf(document('docs/operate/first-aid.md')).filter((script) => !canBeTyped(script));
  expect(left.length > 0).toBe(missing.length > 0);
});

function testCommandsOf(path: string): void {
  describe(`the commands of ${path}`, () => {
    test.each(scriptsOf(document(path)).filter(isTyped))('$title', async (script) => {
      await expect(typed(script)).resolves.toMatch(expected(script));
    });
  });
}

/** Removes text that differs from run to run. */
function asAlways(line: string): string {
  return line
    .replaceAll(environment.namespace, 'platform')
    .replaceAll(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}(\/\d+)?/g, 'ID')
    .replaceAll(/\b[0-9a-f]{64}\b/g, 'DIGEST')
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'TIME')
    .replaceAll(/\b(?:<invalid>|\d+[sm])(?= |$)/g, 'AGE')
    .replaceAll(/\s+/g, ' ')
    .trim();
}

testCommandsOf('README.md');
testCommandsOf('docs/install/process.md');

describe('docs/use/kubectl.md shows', () => {
  test.each(sessionsOf(document('docs/use/kubectl.md')))('$title', async (session) => {
    await eventually(async () => {
      const lines = (await typed(session)).split('\n').map(asAlways).filter(Boolean);
      const shown = session.shown.map(asAlways);
      expect(shown).toEqual(session.isWhole ? lines : shown.filter((line) => lines.includes(line)));
    });
  });
});

for (const page of ['conditions', 'behavior', 'deliveries', 'rotation']) testCommandsOf(`docs/use/${page}.md`);
for (const page of ['flux', 'upgrade']) testCommandsOf(`docs/install/${page}.md`);
testCommandsOf('docs/operate/first-aid.md');
testCommandsOf('docs/operate/logs.md');
for (const { file, text } of runbookPages()) if (scriptsOf(text).some(isTyped)) testCommandsOf(file);
for (const page of ['alerts', 'troubleshooting']) testCommandsOf(`docs/operate/${page}.md`);
testCommandsOf('docs/operate/backup-and-disaster.md');
