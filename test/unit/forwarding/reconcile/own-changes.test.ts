import { describe, expect, test } from '@jest/globals';
import type { FaultKind } from '../../../../sandbox/konnect/faults.ts';
import { changeDestination } from '../../../../sandbox/konnect/model/destinations.ts';
import { clearWebhook } from '../../../../sandbox/konnect/model/webhooks.ts';
import { key, own, type SpecChoice, specOf } from '../../../support/forwarding-spec.ts';
import { shop } from '../../../support/konnect-fixtures.ts';
import type { Harness } from '../support/harness.ts';
import { nextResync, onlyDestination, useHarness } from '../support/use-harness.ts';

const { inPlace } = useHarness();
const onePortal: SpecChoice = { portals: [{ id: shop, enabled: true }] };
const inline: SpecChoice = { api: 'v2', organization: { enabled: true } };
const patch = { method: 'PATCH' };

function corrections(harness: Harness): readonly (readonly [object: string, count: number])[] {
  return (harness.status.corrections ?? []).map(({ object, at }) => [object, at.length] as const);
}

function correctionEvents(harness: Harness): string[] {
  return harness.reasons.filter((reason) => reason.endsWith('Corrected'));
}

function detach(harness: Harness): void {
  clearWebhook(harness.konnect.model, harness.organization, harness.portal(shop));
}

function reformat(harness: Harness): void {
  const id = onlyDestination(harness);
  changeDestination(harness.konnect.model, harness.organization, id, { logFormat: 'json' });
}

describe('a change of spec that Konnect does not take counts as no change of another client', () => {
  const answers: readonly (readonly [title: string, answer: FaultKind])[] = [
    ['503', { kind: 'status', status: 503 }],
    ['429', { kind: 'status', status: 429, retryAfter: 5 }],
    ['403', { kind: 'status', status: 403 }],
    ['400', { kind: 'status', status: 400 }],
    ['500 after the change', { kind: 'status', status: 500, done: true }],
    ['no answer after the change', { kind: 'drop-after' }],
  ];
  const edits: readonly (readonly [title: string, before: SpecChoice, edit: (harness: Harness) => void])[] = [
    [
      'enabled of a portal',
      onePortal,
      ({ cluster }) => cluster.edit(() => specOf({ portals: [{ id: shop, enabled: false }] })),
    ],
    [
      'logFormat of the destination',
      onePortal,
      ({ cluster }) => cluster.edit((spec) => ({ ...spec, destination: { ...own(spec), logFormat: 'json' } })),
    ],
    [
      'logFormat of an inline webhook',
      inline,
      ({ cluster }) => cluster.edit((spec) => ({ ...spec, destination: { ...own(spec), logFormat: 'json' } })),
    ],
    [
      'destinationRef in place of the own destination',
      onePortal,
      (harness) => {
        harness.createForeign('theirs');
        harness.cluster.edit(() => specOf({ ...onePortal, destinationRef: { name: 'theirs' } }));
      },
    ],
  ];
  const cases = edits.flatMap(([field, before, edit]) =>
    answers.map(([title, answer]) => ({ field, before, edit, title, answer })),
  );

  test.each(cases)('$field: five times $title', async ({ before, edit, answer }) => {
    const harness = await inPlace(before);
    harness.konnect.control.fail({ ...answer, match: patch });
    edit(harness);
    for (let count = 0; count < 5; count += 1) {
      await nextResync(harness);
      expect(harness.readiness).not.toContain('Contested');
    }
    harness.konnect.control.clearFaults();
    await harness.resync();
    expect(harness.readiness).toBe('True InSync');
    expect([corrections(harness), correctionEvents(harness)]).toEqual([[], []]);
  });
});

describe('one change of another client is one correction, however often its correction fails', () => {
  const strikes: readonly (readonly [
    title: string,
    object: string,
    event: string,
    strike: (harness: Harness) => void,
  ])[] = [
    ['a detached portal', `portal/${shop}`, 'WebhookCorrected', detach],
    ['a destination with another format', 'destination', 'DestinationCorrected', reformat],
  ];
  const answers: readonly (readonly [title: string, answer: FaultKind])[] = [
    ['503', { kind: 'status', status: 503 }],
    ['403', { kind: 'status', status: 403 }],
    ['500 after the change', { kind: 'status', status: 500, done: true }],
    ['no answer after the change', { kind: 'drop-after' }],
  ];
  const cases = strikes.flatMap(([what, object, event, strike]) =>
    answers.map(([title, answer]) => ({ what, object, event, strike, title, answer })),
  );

  test.each(cases)('$what: four times $title', async ({ object, event, strike, answer }) => {
    const harness = await inPlace(onePortal);
    strike(harness);
    harness.konnect.control.fail({ ...answer, match: patch, times: 4 });
    for (let count = 0; count < 6; count += 1) await nextResync(harness);
    expect(harness.readiness).toBe('True InSync');
    expect(harness.pointsAt(harness.portal(shop))).toBe(`${key} on`);
    expect([corrections(harness), correctionEvents(harness)]).toEqual([[[object, 1]], [event]]);
  });
});

test('a change of another client while Konnect refuses the change of spec is still a correction', async () => {
  const harness = await inPlace(onePortal);
  harness.konnect.control.fail({ kind: 'status', status: 403, match: patch });
  harness.cluster.edit(() => specOf({ portals: [{ id: shop, enabled: false }] }));
  await nextResync(harness);
  detach(harness);
  await nextResync(harness);
  harness.konnect.control.clearFaults();
  await harness.resync();
  expect(harness.pointsAt(harness.portal(shop))).toBe(`${key} off`);
  expect(corrections(harness)).toEqual([[`portal/${shop}`, 1]]);
});

describe('a change of spec that is taken back while its answer is lost counts as no change of another client', () => {
  test.each([
    ['the own destination', onePortal],
    ['another destination of another client', { ...onePortal, destinationRef: { name: 'others' } }],
  ])('from %s to a destination of another client, and back', async (_title, before) => {
    const harness = await inPlace(onePortal);
    for (const name of ['others', 'theirs']) harness.createForeign(name);
    harness.cluster.edit(() => specOf(before));
    await harness.work();
    harness.clearRecords();
    harness.konnect.control.fail({ kind: 'drop-after', match: patch });
    harness.cluster.edit(() => specOf({ ...onePortal, destinationRef: { name: 'theirs' } }));
    await harness.reconcile();
    expect(harness.pointsAt(harness.portal(shop))).toBe('theirs on');
    harness.konnect.control.clearFaults();
    harness.cluster.edit(() => specOf(before));
    await harness.work();
    expect(harness.readiness).toBe('True InSync');
    expect(harness.pointsAt(harness.portal(shop))).toBe(`${before === onePortal ? key : 'others'} on`);
    expect([corrections(harness), correctionEvents(harness)]).toEqual([[], []]);
  });
});

test('another --cluster-name renames the destination, and is no change of another client', async () => {
  const harness = await inPlace(onePortal);
  harness.restart({ clusterName: 'blue' });
  await harness.work();
  expect(harness.destinations.map(({ name }) => name)).toEqual([`blue/${key}`]);
  expect(harness.reasons).toEqual(['DestinationUpdated']);
  expect(corrections(harness)).toEqual([]);
});

describe('an endpoint that Konnect shows in canonical form is the one that was sent', () => {
  test.each(['https://SIEM.example.com/x', 'https://siem.example.com:443/x', 'https://siem.example.com'])(
    '%s',
    async (endpoint) => {
      const harness = await inPlace(onePortal);
      harness.onKonnectCall = () => {
        for (const version of harness.organization.destinations) {
          const { destination } = version;
          Object.assign(version, { destination: { ...destination, endpoint: new URL(destination.endpoint).href } });
        }
      };
      harness.cluster.putSecret('siem', { endpoint, authorization: 'Bearer CANARY' });
      await harness.resync();
      harness.clearRecords();
      for (let count = 0; count < 3; count += 1) await harness.resync();
      expect([harness.readiness, harness.konnectWrites, harness.reasons]).toEqual(['True InSync', [], []]);
    },
  );
});

test('two unanswered writes that point a webhook elsewhere count as no change of another client', async () => {
  const harness = await inPlace(onePortal);
  for (const name of ['second', 'third']) harness.createForeign(name);
  for (const [name, answer] of [
    ['second', { kind: 'drop-after' }],
    ['third', { kind: 'drop-before' }],
  ] as const) {
    harness.konnect.control.fail({ ...answer, match: patch, times: 1 });
    harness.cluster.edit(() => specOf({ ...onePortal, destinationRef: { name } }));
    await harness.reconcile();
  }
  await harness.settle();
  expect(harness.pointsAt(harness.portal(shop))).toBe('third on');
  expect(corrections(harness)).toEqual([]);
  expect(correctionEvents(harness)).toEqual([]);
});
