import { expect, test } from '@jest/globals';
import type { CleanupStatus } from '../../../../src/api/v1alpha1.ts';
import { driftOf } from '../../../../src/forwarding/plan/drift.ts';
import type { AttachReason, DestinationStep, Plan, WebhookStep } from '../../../../src/forwarding/plan/steps.ts';
import { someProblem } from './plan-model.ts';

const kept: DestinationStep = { kind: 'keep', updatedAt: undefined };

function planOf(destination: DestinationStep, portal?: WebhookStep, organization?: WebhookStep): Plan {
  return { destination, organization, portals: new Map(portal === undefined ? [] : [['p', portal]]) };
}

test.each([
  ['create', { kind: 'create' }, ['missing']],
  [
    'update',
    { kind: 'update', differences: ['endpoint', 'authorization'], foreign: [] },
    ['endpoint', 'authorization'],
  ],
  [
    'claim',
    {
      kind: 'claim',
      because: 'adopted',
      id: 'D',
      name: 'n',
      duplicates: [],
      next: { kind: 'update', differences: ['secret'], foreign: [] },
    },
    ['managed', 'secret'],
  ],
  ['keep', kept, undefined],
  ['none', { kind: 'none' }, undefined],
  ['use', { kind: 'use', id: 'D', isSuspicious: false }, undefined],
  ['unresolved', { kind: 'unresolved', ids: [] }, undefined],
  ['wait', { kind: 'wait' }, undefined],
  ['refuse', { kind: 'refuse', name: 'n', ids: ['D'], why: 'policy' }, undefined],
  ['lost', { kind: 'lost', to: 'n/a' }, undefined],
  ['unknown', { kind: 'unknown', problem: someProblem }, undefined],
] as const)('drift of a destination: %s', (_kind, step, found) => {
  expect(driftOf(planOf(step), {})).toEqual(found === undefined ? [] : [{ object: 'destination', fields: found }]);
});

const fields: readonly (readonly [AttachReason, string])[] = [
  ['unconfigured', 'audit_log_destination_id'],
  ['destination gone', 'audit_log_destination_id'],
  ['adopted', 'audit_log_destination_id'],
  ['handed over', 'audit_log_destination_id'],
  ['pointed elsewhere', 'audit_log_destination_id'],
  ['enabled', 'enabled'],
  ['settings', 'endpoint'],
];

test.each(fields)('drift of a webhook: %s', (because, field) => {
  const step: WebhookStep = { kind: 'attach', because };
  expect(driftOf(planOf(kept, step, step), {})).toEqual([
    { object: 'portal/p', fields: [field] },
    { object: 'organization', fields: [field] },
  ]);
});

test.each([
  { kind: 'keep' },
  { kind: 'refuse', otherID: 'X', why: 'policy' },
  { kind: 'lost', to: 'n/a' },
  { kind: 'missing' },
  { kind: 'unknown', problem: someProblem },
] as const)('drift of a webhook: none for $kind', (step) => {
  expect(driftOf(planOf(kept, step, step), {})).toEqual([]);
});

test('objects that spec no longer wants are surplus, each object once', () => {
  const entry = { organizationID: 'o', region: 'us', api: 'v3' } as const;
  const cleanup: CleanupStatus[] = [
    { ...entry, kind: 'portal', id: 'p' },
    { ...entry, kind: 'portal', id: 'q' },
    { ...entry, kind: 'portal', id: 'q', region: 'eu' },
    { ...entry, kind: 'organization' },
    { ...entry, kind: 'destination', destinationID: 'D' },
  ];
  const drift = driftOf(planOf({ kind: 'create' }, { kind: 'attach', because: 'enabled' }), { cleanup });
  expect(drift).toEqual([
    { object: 'destination', fields: ['missing'] },
    { object: 'portal/p', fields: ['enabled'] },
    { object: 'portal/q', fields: ['surplus'] },
    { object: 'organization', fields: ['surplus'] },
  ]);
});
