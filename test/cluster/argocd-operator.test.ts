/** What Argo CD and kstatus make of forwardings that the operator works on. */
import { beforeAll, expect, test } from '@jest/globals';
import { conditionOf, isReady } from '../e2e/support/forwarding-object.ts';
import { forwarding, secret } from '../e2e/support/manifests.ts';
import { oneWorld } from '../e2e/support/one-world.ts';
import { argoSettings } from '../judges/argocd-settings.ts';
import { ensureJudges, type Judges, type KubeObject } from '../judges/judges.ts';
import { assertLegalStatus } from '../judges/legal-status.ts';
import { buildTimeoutMs, progress } from '../judges/progress.ts';
import { cluster } from '../support/cluster.ts';

const { world, scene } = oneWorld({ prefix: 'argocd-operator' });
const settings = argoSettings();

let judges: Judges;
beforeAll(async () => {
  judges = await ensureJudges({ progress });
}, buildTimeoutMs);

/** States as they were seen, without the one that a deletion leaves. */
function statesOf(name: string): KubeObject[] {
  const seen = world()
    .history(name)
    .filter(({ type }) => type !== 'DELETED');
  return seen.map(({ object }) => ({ ...object }));
}

test.each(['client-side', 'server-side'] as const)(
  'a forwarding that Argo CD syncs %s becomes Healthy, stays Synced, and is gone after its deletion',
  async (method) => {
    const one = await scene(`synced-${method}`);
    const where = { kubeconfig: cluster().adminKubeconfig, application: 'audit-logs' };
    const manifests = [
      secret(one.tokenSecret, { token: one.token }),
      secret(one.siemSecret, { ...world().credentials }),
      forwarding(one.name, {
        konnect: one.konnect(),
        destination: { secretRef: { name: one.siemSecret } },
        portals: one.portals.map((id) => ({ id })),
      }),
    ];
    const desired = manifests.map((manifest) => ({
      ...manifest,
      metadata: { ...manifest.metadata, namespace: world().namespace },
    }));
    await judges.sync(desired, method, where);
    const ready = await world().waitForReady(one.name);

    const [health] = await judges.health([{ ...ready }], settings);
    expect(health?.shown).toEqual({ status: 'Healthy', message: `InSync: ${conditionOf(ready, 'Ready')?.message}` });
    const ofForwarding = desired.slice(-1);
    for (const diff of method === 'client-side'
      ? (['client-side'] as const)
      : (['structured-merge', 'server-side'] as const)) {
      expect(await judges.diff(ofForwarding, diff, where)).toEqual([expect.objectContaining({ modified: false })]);
    }

    await world().remove(one.name);
    expect(one.destinations()).toEqual([]);
    const states = statesOf(one.name);
    await assertLegalStatus(judges, ...states);
    const healths = await judges.health(states, settings);
    expect(new Set(healths.map(({ shown }) => shown.status))).toEqual(new Set(['Progressing', 'Healthy']));
  },
);

test('a token that Konnect refuses is Degraded, with what to do', async () => {
  const one = await scene('refused');
  await one.apply();
  await world().waitForReady(one.name);
  await one.applyToken('kpat_nobodyHasThisToken');
  const refused = await world().waitFor(one.name, (object) => conditionOf(object, 'Stalled') !== undefined);
  const [health] = await judges.health([{ ...refused }], settings);
  expect(health?.shown.status).toBe('Degraded');
  expect(health?.shown.message).toMatch(/^TokenRejected: Konnect refuses the token/);
  await assertLegalStatus(judges, ...statesOf(one.name));
});

test('a limit of Konnect’s is Progressing, before anything stood and after', async () => {
  const one = await scene('limited');
  const fault = one.fail({ kind: 'status', status: 429, retryAfter: 1 });
  await one.apply();
  const limited = await world().waitFor(one.name, (object) => conditionOf(object, 'Ready')?.reason === 'RateLimited');
  fault.remove();
  const ready = await world().waitFor(one.name, isReady);
  const healths = await judges.health([{ ...limited }, { ...ready }], settings);
  expect(healths.map(({ shown }) => shown.status)).toEqual(['Progressing', 'Healthy']);
  await assertLegalStatus(judges, ...statesOf(one.name));
});
