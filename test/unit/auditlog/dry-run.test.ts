import { describe, expect, test } from '@jest/globals';
import { replayAnnotation } from '../../../src/api/v1alpha1.ts';
import { changesOf, type ForwardingChanges } from '../../../src/auditlog/changes.ts';
import { dryRun } from '../../../src/auditlog/dry-run.ts';
import { key, own, type SpecChoice, specOf, usual } from '../../support/forwarding-spec.ts';
import { inMemoryTransport, urlTemplate } from '../../support/in-memory-konnect.ts';
import { forum, otherSiem, shop } from '../../support/konnect-fixtures.ts';
import type { Harness } from '../forwarding/support/harness.ts';
import { onlyDestination, useHarness } from '../forwarding/support/use-harness.ts';

const { open, inPlace } = useHarness();

/** Returns what the operator of the harness would change now, and the writes as `METHOD path`. */
async function predicted(
  harness: Harness,
): Promise<{ changes: readonly ForwardingChanges[]; writes: readonly string[] }> {
  const forwardings = structuredClone([...harness.cluster.objects.values()]);
  const results = await dryRun(
    {
      http: inMemoryTransport(harness.konnect),
      urlTemplate,
      cluster: {
        readSecret: (...of) => harness.cluster.readSecret(...of),
        readPortal: (...of) => harness.cluster.readPortal(...of),
        readAuthConfiguration: (...of) => harness.cluster.readAuthConfiguration(...of),
      },
      forwardings,
      clusterName: '',
      now: () => new Date(harness.clock.ms),
      signal: new AbortController().signal,
    },
    forwardings,
  );
  const writes = results.flatMap((one) => one.writes.map(({ method, path }) => `${method} ${withoutIDs(path)}`));
  return { changes: changesOf(results), writes };
}

function withoutIDs(path: string): string {
  return path.replace(/(audit-log-destinations)\/.*/, '$1/ID');
}

/** The writes that Konnect got since the last `clearRecords`, in the form of `predicted`. */
function writesOf(harness: Harness): string[] {
  return harness.konnect.control
    .calls()
    .filter(({ method }) => method !== 'GET')
    .map(({ method, path }) => `${method} ${withoutIDs(path.replace(/^.*?\/(?=v\d\/)/, ''))}`);
}

type Act = (harness: Harness) => void;

const edit =
  (choice: SpecChoice): Act =>
  (harness) =>
    harness.cluster.edit(() => specOf({ ...usual, ...choice }));

const acts: readonly (readonly [string, Act])[] = [
  ['nothing', () => undefined],
  ['a portal that another client switched off', (harness) => Object.assign(harness.portal(shop), { enabled: false })],
  [
    'a portal that another client detached',
    (harness) => Object.assign(harness.portal(shop), { target: { kind: 'none' } }),
  ],
  ['a portal that spec no longer wants', edit({ portals: [{ id: shop, enabled: true }] })],
  ['a webhook that spec wants off', edit({ organization: { enabled: false } })],
  ['another name', edit({ name: 'other' })],
  ['another version of the API', edit({ api: 'v2' })],
  ['a rotated Secret', (harness) => harness.cluster.putSecret('siem', otherSiem)],
  ['a deletion', (harness) => harness.cluster.delete(new Date(harness.clock.ms))],
  [
    'a request for a replay',
    (harness) => {
      const [from, to] = [7_200_000, 3_600_000].map((agoMs) => new Date(harness.clock.ms - agoMs).toISOString());
      harness.cluster.annotate(replayAnnotation, `${String(from)}/${String(to)}`);
    },
  ],
  ['a lost status', (harness) => harness.cluster.wipeStatus()],
];

describe('a dry run', () => {
  test.each(acts)('predicts what the operator writes after %s, and writes nothing', async (_name, act) => {
    const harness = await inPlace();
    harness.clock.ms += 600_000;
    act(harness);
    harness.konnect.control.clearCalls();
    const { writes } = await predicted(harness);
    expect(writesOf(harness)).toEqual([]);
    await harness.reconcile();
    expect(writes.toSorted()).toEqual(writesOf(harness).toSorted());
  });

  test('shows what a new forwarding creates, without a secret', async () => {
    const harness = await open();
    const { changes } = await predicted(harness);
    const attached = {
      action: 'update',
      region: 'us',
      fields: [
        { name: 'audit_log_destination_id', to: `the new destination "${key}"` },
        { name: 'enabled', from: 'false', to: 'true' },
      ],
    };
    expect(changes).toEqual([
      {
        namespace: 'platform',
        name: 'sumologic',
        changes: [
          {
            action: 'create',
            object: `destination "${key}"`,
            region: 'global',
            fields: [
              { name: 'name', to: key },
              { name: 'endpoint', to: 'that of the Secret' },
              { name: 'authorization', to: 'that of the Secret' },
              { name: 'log_format', to: 'cef' },
              { name: 'skip_ssl_verification', to: 'false' },
            ],
          },
          { ...attached, object: `portal ${shop}` },
          { ...attached, object: `portal ${forum}` },
          { ...attached, object: "the organization's webhook" },
        ],
      },
    ]);
  });

  test('shows what another client changed', async () => {
    const harness = await inPlace();
    Object.assign(harness.portal(shop), { enabled: false });
    const { changes } = await predicted(harness);
    expect(changes[0]?.changes).toEqual([
      {
        action: 'update',
        object: `portal ${shop}`,
        region: 'us',
        fields: [{ name: 'enabled', from: 'false', to: 'true' }],
      },
    ]);
  });

  test('shows what is deleted', async () => {
    const harness = await inPlace();
    harness.cluster.delete(new Date(harness.clock.ms));
    const { changes } = await predicted(harness);
    expect(changes[0]?.changes.at(-1)).toEqual({
      action: 'delete',
      object: `destination "${key}"`,
      region: 'global',
      fields: [],
    });
  });

  test.each([
    ['suspended', { suspend: true }, 'spec.suspend is true: the operator changes nothing until it is false'],
    ['only observed', { mode: 'Observe' }, 'spec.mode is Observe: the operator only reports this'],
  ] as const)('shows what would follow if the forwarding were not %s', async (_name, choice, heldBy) => {
    const harness = await inPlace();
    harness.cluster.edit((spec) => ({ ...spec, ...choice, destination: { ...own(spec), logFormat: 'json' } }));
    const [found] = (await predicted(harness)).changes;
    expect(found?.heldBy).toBe(heldBy);
    expect(found?.changes[0]?.fields).toContainEqual({ name: 'log_format', from: 'cef', to: 'json' });
  });

  test('names what keeps the operator from what spec wants', async () => {
    const harness = await open();
    harness.cluster.putSecret('konnect', { token: 'kpat_unknown' });
    const [found] = (await predicted(harness)).changes;
    expect(found).toMatchObject({ changes: [], problem: { reason: 'TokenRejected' } });
  });

  test.each(['suspend', 'observe'] as const)(
    'lets a forwarding take what an older one wants and may not take (%s), as the operator does',
    async (why) => {
      const held = why === 'suspend' ? { suspend: true } : { mode: 'Observe' as const };
      const harness = await open({ ...usual, ...held });
      harness.add(usual, 'platform/second');
      const { changes } = await predicted(harness);
      const second = changes.find(({ name }) => name === 'second');
      expect(changes.map(({ name, heldBy }) => [name, heldBy !== undefined])).toEqual([
        ['sumologic', true],
        ['second', false],
      ]);
      expect(second?.problem).toBeUndefined();
      expect(second?.changes.map(({ action, object }) => `${action} ${object}`)).toEqual([
        'create destination "platform/second"',
        `update portal ${shop}`,
        `update portal ${forum}`,
        "update the organization's webhook",
      ]);
    },
  );

  test('does not take over what another forwarding owns', async () => {
    const harness = await inPlace();
    harness.add(usual, 'platform/second');
    const second = (await predicted(harness)).changes.find(({ name }) => name === 'second');
    expect(second).toMatchObject({ changes: [], problem: { reason: 'Claimed' } });
    expect(onlyDestination(harness)).toBeDefined();
  });
});
