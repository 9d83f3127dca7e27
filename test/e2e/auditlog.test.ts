/** `auditlog` as a person uses it, in the order of its documents: the output that they show is that of the built command. */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { stringify } from 'yaml';
import { operatorFile } from '../../sandbox/operator-process.ts';
import { document } from '../docs/documents.ts';
import { sessionsOf } from '../docs/scripts.ts';
import { cluster } from '../support/cluster.ts';
import { eventually } from '../support/eventually.ts';
import { createEnvironment, type Environment } from './support/environment.ts';
import { forwarding, secret } from './support/manifests.ts';

const name = 'sumologic';
let environment: Environment;
let folder: string;
let portal: string;
let other: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'auditlog-'));
  await Promise.all(['auditlog', 'kubectl-auditlog'].map((link) => symlink(operatorFile, join(folder, link))));
  environment = await createEnvironment({ prefix: 'auditlog', portals: 2 });
  [portal = '', other = ''] = environment.blue.portals.us;
  await environment.applySecrets();
  await environment.apply(forwarding(name, { portals: [{ id: portal }], organization: {} }));
  await environment.waitForReady(name);
  await writeFile(join(folder, 'shop.yaml'), asFile(forwarding('shop', { portals: [{ id: other }] })), { mode: 0o600 });
});

/** The manifest as a file, with its Secrets. */
function asFile(manifest: object): string {
  const { credentials, blue } = environment;
  const secrets = [secret('konnect', { token: blue.token }), secret('sumologic', { ...credentials })];
  return [...secrets, manifest].map((one) => stringify(one)).join('---\n');
}

/** What a session of a document needs, by its command, and what puts the environment back. */
const needs: Readonly<
  Record<string, { readonly before: () => Promise<unknown>; readonly after: () => Promise<unknown> }>
> = {
  'auditlog diff shop -n platform': {
    before: () => environment.apply(forwarding('shop', { portals: [{ id: other }], mode: 'Observe' })),
    after: () => environment.remove('shop'),
  },
};

afterAll(async () => {
  await environment?.stop();
  if (folder !== undefined) await rm(folder, { recursive: true });
});

interface Typed {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command line as a cluster administrator, in a shell that finds `auditlog` and the plugin of kubectl. */
function typed(commandLine: string): Promise<Typed> {
  const { adminKubeconfig, kubectlPath } = cluster();
  const PATH = [folder, dirname(process.execPath), dirname(kubectlPath), process.env['PATH']].join(delimiter);
  const env = { PATH, HOME: folder, KUBECONFIG: adminKubeconfig };
  const script = commandLine
    .replaceAll(/ -n platform\b/g, ` -n ${environment.namespace}`)
    .replaceAll(
      /^auditlog (?:diff|doctor|import|plan)\b/gm,
      `$& --konnect-url ${environment.services.konnect.urlTemplate}`,
    );
  return new Promise((resolve) => {
    execFile('bash', ['-c', script], { cwd: folder, env }, (error, stdout, stderr) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : error === null ? 0 : 1, stdout, stderr });
    });
  });
}

/** Returns the lines without what differs from run to run. */
function asAlways(text: string): string[] {
  return text
    .replaceAll(environment.namespace, 'platform')
    .replaceAll(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, 'ID')
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'TIME')
    .replaceAll(/\b(?:<invalid>|\d+[sm])(?= |$)/gm, 'AGE')
    .replaceAll(/[^\S\n]+/g, ' ')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
}

/** Waits until the organization's webhook has delivered and the operator has seen it. */
async function delivered(): Promise<void> {
  await eventually(async () => {
    await typed(`auditlog reconcile ${name} -n platform`);
    const { status } = await environment.forwarding(name);
    expect(status.delivery).toContainEqual(expect.objectContaining({ key: 'organization', state: 'Delivered' }));
  });
}

describe.each(['docs/operate/auditlog.md', 'docs/use/auditlog.md', 'docs/operate/operations.md'])(
  '%s shows',
  (path) => {
    beforeAll(delivered);

    test.each(sessionsOf(document(path)))('$title', async ({ text, shown, isWhole }) => {
      await needs[text]?.before();
      const { stdout, stderr } = await typed(text);
      await needs[text]?.after();
      const lines = asAlways(stdout + stderr);
      const expected = shown.flatMap(asAlways);
      expect(expected).toEqual(isWhole ? lines : expected.filter((line) => lines.includes(line)));
    });
  },
);

test('kubectl runs the command as its plugin', async () => {
  const { code, stdout } = await typed('kubectl auditlog status -n platform -o json');
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({
    forwardings: [{ name, webhooks: [{ key: 'organization' }, { key: portal }] }],
  });
});

test('auditlog status has exit code 4 while nobody looks', async () => {
  await typed(`auditlog suspend ${name} -n platform`);
  const { code, stderr } = await typed('auditlog status -n platform');
  await typed(`auditlog resume ${name} -n platform`);
  expect({ code, stderr }).toMatchObject({ code: 4, stderr: expect.stringContaining('spec.suspend is true') });
});

test('auditlog import prints what the operator set up, and its plan is empty but for the authorization', async () => {
  const { token } = environment.blue;
  const imported = await typed(`auditlog import --region us -n platform --token-file <(echo ${token})`);
  const { endpoint, authorization } = environment.credentials;
  const filled = imported.stdout
    .replaceAll('<a token of Konnect>', token)
    .replaceAll('<the endpoint of the SIEM>', endpoint)
    .replaceAll('<the value of the Authorization header>', authorization);
  await writeFile(join(folder, 'imported.yaml'), filled, { mode: 0o600 });
  const planned = await typed('auditlog plan -f imported.yaml -o json');
  expect(JSON.parse(planned.stdout)).toMatchObject({
    forwardings: [{ changes: [{ action: 'update', fields: [{ name: 'authorization' }] }] }],
  });
});

test('auditlog report writes a page and the data whose hash it shows', async () => {
  const { code, stdout, stderr } = await typed('auditlog report -o report.html -n platform && sha256sum report.json');
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const [, hash = 'none'] = /^([0-9a-f]{64}) {2}report\.json$/m.exec(stdout) ?? [];
  const page = await readFile(join(folder, 'report.html'), 'utf8');
  expect(page).toContain(hash);
  expect(page).toContain(`<code>${portal}</code>`);
  expect(page).toMatch(/<td>operator<\/td><td>InSync: 1 portal and/);
});
