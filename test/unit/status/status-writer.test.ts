import { expect, test } from '@jest/globals';
import { AuditLogForwarding, apiVersion, kind, type Status } from '../../../src/api/v1alpha1.ts';
import { conditionsOf } from '../../../src/status/conditions.ts';
import { StatusWriter } from '../../../src/status/status-writer.ts';

const signal = new AbortController().signal;
const good = { kind: 'good', reason: 'Fine', message: 'fine' } as const;
const report = { secrets: good, destination: good, webhooks: good, cleanup: good, readyMessage: 'forwards' };

function forwardingWith(status: Status): AuditLogForwarding {
  return AuditLogForwarding.parse({
    apiVersion,
    kind,
    metadata: { namespace: 'n', name: 'f', uid: 'u', resourceVersion: '1', generation: 7 },
    spec: {
      konnect: { region: 'us', tokenSecretRef: { name: 'konnect' } },
      destination: { secretRef: { name: 'siem' } },
      portals: [],
    },
    status,
  });
}

function draftOf(status: Status) {
  const written: Status[] = [];
  const clock = { now: new Date('2026-01-01T00:00:00Z') };
  const draft = new StatusWriter(
    forwardingWith(status),
    async (forwarding, next) => {
      written.push(next);
      const resourceVersion = `${forwarding.metadata.resourceVersion}1`;
      return { ...forwarding, metadata: { ...forwarding.metadata, resourceVersion }, status: next };
    },
    () => clock.now,
  );
  return { draft, written, clock };
}

test('the whole status is replaced: what the recorded state does not have is removed', async () => {
  const { draft, written } = draftOf({
    observedGeneration: 6,
    portalsReady: '1/1',
    cleanup: [{ organizationID: 'o', region: 'us', api: 'v3', kind: 'portal', id: 'p' }],
  });
  draft.recorded = { konnect: { organizationID: 'o', region: 'us' } };
  const conditions = conditionsOf(report, draft.context('none'));
  await draft.write(conditions, signal);
  expect(written).toEqual([{ konnect: { organizationID: 'o', region: 'us' }, observedGeneration: 7, conditions }]);
});

test('nothing is written if only a time would change', async () => {
  const { draft, written, clock } = draftOf({});
  draft.recorded = { portalsReady: '0/0' };
  await draft.write(conditionsOf(report, draft.context('none')), signal);
  clock.now = new Date('2026-06-01T00:00:00Z');
  await draft.write(conditionsOf(report, draft.context('none')), signal);
  await draft.checkpoint({ reason: 'Applying', message: 'at it' }, signal);
  expect(written).toHaveLength(1);
});

test('a field that is undefined equals one that is absent', async () => {
  const { draft, written } = draftOf({ destination: { name: 'n', id: 'd' } });
  draft.recorded = { ...draft.recorded, destination: { name: 'n', id: 'd', updatedAt: undefined } };
  await draft.checkpoint({ reason: 'Applying', message: 'at it' }, signal);
  expect(written).toEqual([draft.forwarding.status]);
});

test('only the first checkpoint of a reconciliation writes a status that did not change', async () => {
  const status: Status = { portalsReady: '1/1', observedGeneration: 6 };
  const { draft, written } = draftOf(status);
  for (let count = 0; count < 2; count += 1) await draft.checkpoint({ reason: 'Applying', message: 'at it' }, signal);
  expect(written).toEqual([status]);
});

test('a checkpoint is written at once, with its progress, and the next write is based on it', async () => {
  const { draft, written } = draftOf({});
  draft.recorded = { portalsReady: '0/1' };
  await draft.checkpoint({ reason: 'Applying', message: 'at it' }, signal);
  expect(written).toMatchObject([
    {
      portalsReady: '0/1',
      observedGeneration: 7,
      conditions: [
        { type: 'Ready', status: 'False', reason: 'Applying' },
        { type: 'Reconciling', status: 'True', reason: 'Applying' },
      ],
    },
  ]);
  expect(draft.forwarding.metadata.resourceVersion).toBe('11');
  await draft.write(conditionsOf(report, draft.context('none')), signal);
  expect(written).toHaveLength(2);
  expect(draft.forwarding.metadata.resourceVersion).toBe('111');
});

test('without progress the conditions stay as they are', async () => {
  const { draft, written } = draftOf({});
  await draft.write(conditionsOf(report, draft.context('none')), signal);
  draft.recorded = { portalsReady: '0/1' };
  await draft.checkpoint(undefined, signal);
  expect(written[1]?.conditions).toEqual(written[0]?.conditions);
});

test('a refused write leaves the status as it was, so that it is retried', async () => {
  const forwarding = forwardingWith({});
  const draft = new StatusWriter(
    forwarding,
    () => Promise.reject(new Error('stale')),
    () => new Date(0),
  );
  draft.recorded = { portalsReady: '0/1' };
  await expect(draft.checkpoint({ reason: 'Applying', message: 'at it' }, signal)).rejects.toThrow('stale');
  expect(draft.forwarding).toBe(forwarding);
});
