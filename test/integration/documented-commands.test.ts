/** Runs each documented command that changes a forwarding, for forwardings that users create by different methods. */
import { describe, expect, test } from '@jest/globals';
import * as z from 'zod';
import { documents, root } from '../docs/documents.ts';
import { scriptsOf } from '../docs/scripts.ts';
import { bash } from '../e2e/support/shell.ts';
import { cluster } from '../support/cluster.ts';

const { kubectl, createNamespace } = cluster();

/** The documented commands that change an object which exists already. */
const changes = [
  ...new Set(
    [...documents.values()]
      .flatMap((text) => scriptsOf(text).flatMap((script) => script.text.split('\n')))
      .map((line) => line.trim())
      .filter((line) => /^kubectl (?:annotate|edit|label|patch|replace|scale|set) /.test(line)),
  ),
];
const commands = changes.filter((line) => /^kubectl \w+ auditlogforwarding /.test(line));

/** The methods by which a user creates a forwarding, and the method by which the same user changes it later. */
const methods = [
  ['create', ['create'], undefined],
  ['client-side apply', ['apply'], ['apply']],
  ['server-side apply', ['apply', '--server-side'], ['apply', '--server-side']],
] as const;

const spec = {
  konnect: { region: 'us', tokenSecretRef: { name: 'konnect', key: 'token' } },
  destination: { secretRef: { name: 'sumologic' }, logFormat: 'json' },
  organization: { enabled: true },
  portals: [{ id: '3e551b39-227d-4297-b911-e68fd5d77c17', enabled: false }],
};

const Live = z.looseObject({
  metadata: z.looseObject({ annotations: z.record(z.string(), z.string()).optional() }),
  spec: z.looseObject({}),
});

test('the documents contain commands that change a forwarding', () => {
  expect(commands.length).toBeGreaterThan(4);
});

test('the other commands that change an object have their own tests, or change one field that nobody else sets', () => {
  const others = changes.filter((line) => !commands.includes(line));
  expect(others.map((line) => line.split(' ').slice(1, 4).join(' ')).toSorted()).toEqual([
    'annotate application audit-logs',
    'patch configmap argocd-cm',
    'patch configmap argocd-notifications-cm',
    'scale deployment/konnect-audit-log-operator -n',
  ]);
});

describe.each(methods)('a forwarding that a user creates by %s', (_method, install, upgrade) => {
  test.each(commands)('%s', async (command) => {
    const namespace = await createNamespace('documented');
    const manifest = (labels: Record<string, string>) =>
      JSON.stringify({
        apiVersion: 'konnect-audit-log.io/v1alpha1',
        kind: 'AuditLogForwarding',
        metadata: { name: 'sumologic', namespace, labels, annotations: { owner: 'platform' } },
        spec,
      });
    const live = async () => {
      const { stdout } = await kubectl(['get', 'alf', 'sumologic', '-n', namespace, '-o', 'json']);
      return Live.parse(JSON.parse(stdout));
    };
    await kubectl([...install, '-f', '-'], { input: manifest({}) });
    const before = await live();

    const typed = command.replaceAll(/ (?:-n platform|-A)\b/g, ` -n ${namespace}`);
    await bash(typed, root);
    await bash(typed, root);
    expect(await live()).toMatchObject({ metadata: { annotations: { owner: 'platform' } }, spec });

    // The command must not prevent the next change of the same manifest by the user.
    if (upgrade !== undefined) await kubectl([...upgrade, '-f', '-'], { input: manifest({ team: 'blue' }) });
    const after = await live();
    const changed = Object.keys({ ...before.spec, ...after.spec }).filter(
      (field) => JSON.stringify(before.spec[field]) !== JSON.stringify(after.spec[field]),
    );
    expect(changed.filter((field) => !command.includes(field))).toEqual([]);
    expect(after.metadata.annotations).toMatchObject({ owner: 'platform' });
    await kubectl(['delete', 'namespace', namespace, '--wait=false']);
  });
});

test('first aid lists the forwardings that no operator has looked at for two hours', async () => {
  const namespace = await createNamespace('unobserved');
  const list = scriptsOf(documents.get('docs/operate/first-aid.md') ?? '')
    .map(({ text }) => text.replaceAll('auditlogforwarding -A', `auditlogforwarding -n ${namespace}`))
    .find((text) => text.includes('lastObservedTime'));
  const apply = (name: string) =>
    kubectl(['apply', '-f', '-'], {
      input: JSON.stringify({
        apiVersion: 'konnect-audit-log.io/v1alpha1',
        kind: 'AuditLogForwarding',
        metadata: { name, namespace },
        spec,
      }),
    });
  const timeBefore = (minutes: number) => new Date(Date.now() - minutes * 60_000).toISOString();
  const ready = { type: 'Ready', status: 'True', reason: 'InSync', message: '', lastTransitionTime: timeBefore(180) };
  const old = timeBefore(121);
  for (const [name, lastObservedTime] of Object.entries({ abandoned: old, observed: timeBefore(119) })) {
    await apply(name);
    const status = JSON.stringify({ status: { lastObservedTime, conditions: [ready] } });
    await kubectl(['patch', 'alf', name, '-n', namespace, '--subresource=status', '--type=merge', '-p', status]);
  }
  await apply('never-watched');
  expect((await bash(list ?? '', root)).split('\n')).toEqual([
    `${namespace}/abandoned ${old} InSync`,
    `${namespace}/never-watched never Pending`,
    '',
  ]);
  await kubectl(['delete', 'namespace', namespace, '--wait=false']);
});

test('kubectl wait with two conditions checks one after the other', async () => {
  const namespace = await createNamespace('waiting');
  await kubectl(['create', '-f', '-'], {
    input: JSON.stringify({
      apiVersion: 'konnect-audit-log.io/v1alpha1',
      kind: 'AuditLogForwarding',
      metadata: { name: 'sumologic', namespace },
      spec,
    }),
  });
  const patch = (...conditions: readonly (readonly [type: string, status: string])[]) => {
    const status = conditions.map(([type, value]) => ({
      type,
      status: value,
      reason: 'Tested',
      message: '',
      lastTransitionTime: '2026-01-02T03:04:05Z',
      observedGeneration: 1,
    }));
    const body = JSON.stringify({ status: { observedGeneration: 1, conditions: status } });
    return `kubectl patch alf sumologic -n ${namespace} --subresource=status --type=merge -p '${body}' >/dev/null`;
  };
  const output = await bash(
    [
      'met=$(mktemp)',
      patch(['Ready', 'True']),
      `kubectl wait alf/sumologic -n ${namespace} --for=condition=Ready --for=condition=WebhooksReady --timeout=30s >$met &`,
      'until grep -q "condition met" $met; do sleep 0.1; done',
      patch(['Ready', 'False'], ['WebhooksReady', 'True']),
      'wait $!',
      `kubectl get alf sumologic -n ${namespace} -o jsonpath='{.status.conditions[?(@.type=="Ready")].status}'`,
      'rm $met',
    ].join('\n'),
    root,
  );
  expect(output).toBe('False');
  await kubectl(['delete', 'namespace', namespace, '--wait=false']);
});
