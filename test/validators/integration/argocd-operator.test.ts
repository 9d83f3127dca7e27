/** What Argo CD and kstatus make of forwardings that the operator works on. */
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
import { ensureJudges, type HealthStatus, type Judges, type KubeObject } from '../validators.ts';

const { environment, fixture } = oneEnvironment({ prefix: 'argocd-operator' });
const settings = argoSettings();

let judges: Judges;
beforeAll(async () => {
  judges = await ensureJudges({ progress });
}, buildTimeoutMs);

/** States as they were seen, without the one that a deletion leaves. */
function statesOf(name: string): KubeObject[] {
  const seen = environment()
    .history(name)
    .filter(({ type }) => type !== 'DELETED');
  return seen.map(({ object }) => ({ ...object }));
}

const where = { kubeconfig: cluster().adminKubeconfig, application: 'audit-logs' };

/** What Git has: the Secrets, and last the forwarding. */
function manifestsOf(one: Fixture): KubeObject[] {
  return one.manifests().map((manifest) => ({
    ...manifest,
    metadata: { ...manifest.metadata, namespace: environment().namespace },
  }));
}

async function shownOf(object: ForwardingObject): Promise<HealthStatus | undefined> {
  const [health] = await judges.health([{ ...object }], settings);
  return health?.shown;
}

test.each(['client-side', 'server-side'] as const)(
  'a forwarding that Argo CD syncs %s becomes Healthy, stays Synced, and is gone after its deletion',
  async (method) => {
    const one = await fixture(`synced-${method}`);
    const desired = manifestsOf(one);
    await judges.sync(desired, method, where);
    const ready = await environment().waitForReady(one.name);

    expect(await shownOf(ready)).toEqual({
      status: 'Healthy',
      message: `InSync: ${conditionOf(ready, 'Ready')?.message}`,
    });
    const ofForwarding = desired.slice(-1);
    for (const diff of method === 'client-side'
      ? (['client-side'] as const)
      : (['structured-merge', 'server-side'] as const)) {
      expect(await judges.diff(ofForwarding, diff, where)).toEqual([expect.objectContaining({ modified: false })]);
    }

    await environment().remove(one.name);
    expect(one.destinations()).toEqual([]);
    const states = statesOf(one.name);
    await assertLegalStatus(judges, ...states);
    const healths = await judges.health(states, settings);
    expect(new Set(healths.map(({ shown }) => shown.status))).toEqual(new Set(['Progressing', 'Healthy']));
  },
);

test('a token that Konnect refuses is Degraded, with what to do', async () => {
  const one = await fixture('refused');
  await one.apply();
  await environment().waitForReady(one.name);
  await one.applyToken('kpat_nobodyHasThisToken');
  const refused = await environment().waitFor(one.name, (object) => conditionOf(object, 'Stalled') !== undefined);
  expect(await shownOf(refused)).toEqual({
    status: 'Degraded',
    message: expect.stringMatching(/^TokenRejected: Konnect rejects the token/),
  });
  await assertLegalStatus(judges, ...statesOf(one.name));
});

test('a limit of Konnect’s is Progressing, before anything stood and after', async () => {
  const one = await fixture('limited');
  const fault = one.fail({ kind: 'status', status: 429, retryAfter: 1 });
  await one.apply();
  const limited = await environment().waitFor(
    one.name,
    (object) => conditionOf(object, 'Ready')?.reason === 'RateLimited',
  );
  fault.remove();
  const ready = await environment().waitFor(one.name, isReady);
  const healths = await judges.health([{ ...limited }, { ...ready }], settings);
  expect(healths.map(({ shown }) => shown.status)).toEqual(['Progressing', 'Healthy']);
  await assertLegalStatus(judges, ...statesOf(one.name));
});

describe.each(['client-side', 'server-side'] as const)('on a forwarding synced %s', (method) => {
  const name = `acted-on-${method}`;
  let one: Fixture;

  /** As Argo CD does it: its own Lua on the live object, and a merge patch of what that changed. */
  async function act(action: string): Promise<void> {
    const live = { ...(await environment().forwarding(name)) };
    const { object, patch } = await judges.action(live, action, settings);
    await environment().patch(name, patch);
    const { spec, metadata } = await environment().forwarding(name);
    expect({ spec, annotations: metadata.annotations }).toEqual({
      spec: object['spec'],
      annotations: KubeMetadata.parse(object['metadata']).annotations,
    });
  }

  async function offered(): Promise<string[]> {
    const actions = await judges.actions({ ...(await environment().forwarding(name)) }, settings);
    return actions.filter(({ disabled }) => !disabled).map((action) => action.name);
  }

  async function isSynced(): Promise<boolean> {
    const compared = method === 'client-side' ? 'client-side' : 'server-side';
    const differences = await judges.diff(manifestsOf(one).slice(-1), compared, where);
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
    await judges.sync(manifestsOf(one), method, where);
    await environment().waitForReady(name);
  });

  test('Suspend has the operator rest, Resume has it put right what changed meanwhile, and Argo CD shows both', async () => {
    expect(await offered()).toEqual(['reconcile', 'suspend']);
    await act('suspend');
    const resting = await environment().waitFor(name, isUnreadyFor('Suspended'));
    expect(await shownOf(resting)).toEqual({
      status: 'Suspended',
      message: 'Nothing is written to Konnect while spec.suspend is true',
    });
    expect(await isSynced()).toBe(true);
    const before = one.writes();
    await switchOff();

    expect(await offered()).toEqual(['resume']);
    expect(one.writes()).toEqual(before);
    await act('resume');
    const ready = await environment().waitForReady(name);
    expect(ready.status.observedGeneration).toBe(ready.metadata.generation);
    expect(await shownOf(ready)).toMatchObject({ status: 'Healthy', message: expect.stringMatching(/^InSync: /) });
    expect(one.portalWebhook()).toMatchObject({ enabled: true });
    expect(await isSynced()).toBe(true);
  });

  test('Reconcile now has the operator look again and answer', async () => {
    await switchOff();
    await act('reconcile');
    const asked = (await environment().forwarding(name)).metadata.annotations?.[reconcileAnnotation];
    expect(asked).toBeDefined();
    const answered = await environment().waitFor(
      name,
      (object) => object.status.lastHandledReconcileAt === asked && isReady(object),
    );
    expect(one.portalWebhook()).toMatchObject({ enabled: true });
    expect(await shownOf(answered)).toMatchObject({ status: 'Healthy' });
    expect(await isSynced()).toBe(true);
  });
});

const KubeMetadata = z.looseObject({ annotations: z.record(z.string(), z.string()).optional() });
