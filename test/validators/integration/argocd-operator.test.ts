/** Runs the code of Argo CD and kstatus on forwardings that the operator reconciles. */
import { beforeAll, describe, expect, test } from '@jest/globals';
import * as z from 'zod';
import { reconcileAnnotation } from '../../../src/api/v1alpha1.ts';
import type { Fixture } from '../../e2e/support/fixture.ts';
import { conditionOf, type ForwardingObject, isReady, isUnreadyFor } from '../../e2e/support/forwarding-object.ts';
import { oneEnvironment } from '../../e2e/support/one-environment.ts';
import { cluster } from '../../support/cluster.ts';
import { argoSettings } from '../argocd-settings.ts';
import { assertLegalStatus } from '../legal-status.ts';
import { buildTimeoutMs, progress } from '../progress.ts';
import { ensureValidators, type HealthStatus, type KubeObject, type Validators } from '../validators.ts';

const { environment, fixture } = oneEnvironment({ prefix: 'argocd-operator' });
const settings = argoSettings();

let validators: Validators;
beforeAll(async () => {
  validators = await ensureValidators({ progress });
}, buildTimeoutMs);

/** Returns every observed version of the forwarding, without the last version in the DELETED event. */
function statesOf(name: string): KubeObject[] {
  const events = environment()
    .history(name)
    .filter(({ type }) => type !== 'DELETED');
  return events.map(({ object }) => ({ ...object }));
}

const where = { kubeconfig: cluster().adminKubeconfig, application: 'audit-logs' };

/** Returns the manifests in Git: the Secrets, then the forwarding. */
function manifestsOf(one: Fixture): KubeObject[] {
  return one.manifests().map((manifest) => ({
    ...manifest,
    metadata: { ...manifest.metadata, namespace: environment().namespace },
  }));
}

async function shownOf(object: ForwardingObject): Promise<HealthStatus | undefined> {
  const [health] = await validators.health([{ ...object }], settings);
  return health?.shown;
}

test.each(['client-side', 'server-side'] as const)(
  'a forwarding that Argo CD syncs %s becomes Healthy, stays Synced, and can be deleted',
  async (method) => {
    const one = await fixture(`synced-${method}`);
    const desired = manifestsOf(one);
    await validators.sync(desired, method, where);
    const ready = await environment().waitForReady(one.name);

    expect(await shownOf(ready)).toEqual({
      status: 'Healthy',
      message: `InSync: ${conditionOf(ready, 'Ready')?.message}`,
    });
    const ofForwarding = desired.slice(-1);
    for (const diff of method === 'client-side'
      ? (['client-side'] as const)
      : (['structured-merge', 'server-side'] as const)) {
      expect(await validators.diff(ofForwarding, diff, where)).toEqual([expect.objectContaining({ modified: false })]);
    }

    await environment().remove(one.name);
    expect(one.destinations()).toEqual([]);
    const states = statesOf(one.name);
    await assertLegalStatus(validators, ...states);
    const healths = await validators.health(states, settings);
    expect(new Set(healths.map(({ shown }) => shown.status))).toEqual(new Set(['Progressing', 'Healthy']));
  },
);

test('a forwarding whose token Konnect rejects is Degraded, with the reason', async () => {
  const one = await fixture('refused');
  await one.apply();
  await environment().waitForReady(one.name);
  await one.applyToken('kpat_nobodyHasThisToken');
  const refused = await environment().waitFor(one.name, (object) => conditionOf(object, 'Stalled') !== undefined);
  expect(await shownOf(refused)).toEqual({
    status: 'Degraded',
    message: expect.stringMatching(/^TokenRejected: Konnect rejects the token/),
  });
  await assertLegalStatus(validators, ...statesOf(one.name));
});

test('a forwarding is Progressing while Konnect limits requests, and Healthy afterwards', async () => {
  const one = await fixture('limited');
  const fault = one.fail({ kind: 'status', status: 429, retryAfter: 1 });
  await one.apply();
  const limited = await environment().waitFor(
    one.name,
    (object) => conditionOf(object, 'Ready')?.reason === 'RateLimited',
  );
  fault.remove();
  const ready = await environment().waitFor(one.name, isReady);
  const healths = await validators.health([{ ...limited }, { ...ready }], settings);
  expect(healths.map(({ shown }) => shown.status)).toEqual(['Progressing', 'Healthy']);
  await assertLegalStatus(validators, ...statesOf(one.name));
});

describe.each(['client-side', 'server-side'] as const)('for a forwarding synced %s', (method) => {
  const name = `acted-on-${method}`;
  let one: Fixture;

  /** Runs an action as Argo CD does: it runs the Lua script on the live object, and sends the change as a merge patch. */
  async function runAction(action: string, parameters: Readonly<Record<string, string>> = {}): Promise<void> {
    const live = { ...(await environment().forwarding(name)) };
    const { object, patch } = await validators.action(live, action, settings, parameters);
    await environment().patch(name, patch);
    const { spec, metadata } = await environment().forwarding(name);
    expect({ spec, annotations: metadata.annotations }).toEqual({
      spec: object['spec'],
      annotations: KubeMetadata.parse(object['metadata']).annotations,
    });
  }

  async function offered(): Promise<string[]> {
    const actions = await validators.actions({ ...(await environment().forwarding(name)) }, settings);
    return actions.filter(({ disabled }) => !disabled).map((action) => action.name);
  }

  async function isSynced(): Promise<boolean> {
    const compared = method === 'client-side' ? 'client-side' : 'server-side';
    const differences = await validators.diff(manifestsOf(one).slice(-1), compared, where);
    return differences.every(({ modified }) => !modified);
  }

  async function switchOff(): Promise<void> {
    const path = `/us/v3/portals/${one.portals[0]}/audit-log-webhook`;
    expect(await environment().asOtherClient('PATCH', path, { body: { enabled: false } })).toMatchObject({
      status: 200,
    });
  }

  beforeAll(async () => {
    one = await fixture(name);
    await validators.sync(manifestsOf(one), method, where);
    await environment().waitForReady(name);
  });

  test('Suspend stops writes to Konnect, Resume restores the webhook, and Argo CD shows both', async () => {
    expect(await offered()).toEqual(['reconcile', 'replay', 'suspend']);
    await runAction('suspend');
    const suspended = await environment().waitFor(name, isUnreadyFor('Suspended'));
    expect(await shownOf(suspended)).toEqual({
      status: 'Suspended',
      message: 'Nothing is written to Konnect while spec.suspend is true',
    });
    expect(await isSynced()).toBe(true);
    const before = one.writes();
    await switchOff();

    expect(await offered()).toEqual(['resume']);
    expect(one.writes()).toEqual(before);
    await runAction('resume');
    const ready = await environment().waitForReady(name);
    expect(ready.status.observedGeneration).toBe(ready.metadata.generation);
    expect(await shownOf(ready)).toMatchObject({ status: 'Healthy', message: expect.stringMatching(/^InSync: /) });
    expect(one.portalWebhook()).toMatchObject({ enabled: true });
    expect(await isSynced()).toBe(true);
  });

  test('Replay a period requests the replay, and status confirms the request', async () => {
    const [from = '', to = ''] = [3, 2].map((hours) => new Date(Date.now() - hours * 3_600_000).toISOString());
    await runAction('replay', { from, to });
    await environment().waitFor(name, ({ status }) => status.lastHandledReplay === `${from}/${to}`);
    expect(await isSynced()).toBe(true);
  });

  test('Reconcile now triggers a reconciliation, and status confirms the request', async () => {
    await switchOff();
    await runAction('reconcile');
    const requestedAt = (await environment().forwarding(name)).metadata.annotations?.[reconcileAnnotation];
    expect(requestedAt).toBeDefined();
    const reconciled = await environment().waitFor(
      name,
      (object) => object.status.lastHandledReconcileAt === requestedAt && isReady(object),
    );
    expect(one.portalWebhook()).toMatchObject({ enabled: true });
    expect(await shownOf(reconciled)).toMatchObject({ status: 'Healthy' });
    expect(await isSynced()).toBe(true);
  });
});

const KubeMetadata = z.looseObject({ annotations: z.record(z.string(), z.string()).optional() });
