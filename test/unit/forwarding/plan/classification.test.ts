import { describe, expect, test } from '@jest/globals';
import type { PortalStatus } from '../../../../src/api/v1alpha1.ts';
import { differences, foreignChanges } from '../../../../src/forwarding/observed/destination-diff.ts';
import type { SeenWebhook } from '../../../../src/forwarding/observed/observed-state.ts';
import { classified } from '../../../../src/forwarding/plan/plan-webhook.ts';

const attach = { kind: 'attach', because: 'enabled' } as const;
const applied = { destinationID: 'D', enabled: true };
const recorded: PortalStatus = { id: 'p', destinationID: 'D', enabled: true, state: 'on', applied };
const attached = (destinationID: string, enabled: boolean): SeenWebhook => ({
  kind: 'attached',
  destinationID,
  enabled,
  destinationExists: true,
});
const inline: SeenWebhook = {
  kind: 'inline',
  endpointDigest: 'e',
  enabled: true,
  logFormat: 'cef',
  skipSSLVerification: false,
  updatedAt: '2026-01-01T00:00:00Z',
};
const appliedInline = { endpointDigest: 'e', enabled: true, logFormat: 'cef', skipSSLVerification: false };
const recordedInline: PortalStatus & { updatedAt: string } = {
  ...recorded,
  applied: appliedInline,
  updatedAt: '2026-01-01T00:00:00.000Z',
};

describe('a webhook that differs from spec', () => {
  test.each<readonly [string, PortalStatus | undefined, SeenWebhook, boolean]>([
    ['is as the operator last applied it: spec changed', recorded, attached('D', true), false],
    ['was switched off by another client', recorded, attached('D', false), true],
    ['was pointed elsewhere', recorded, attached('X', true), true],
    ['was detached', recorded, { kind: 'unconfigured' }, true],
    ['got an endpoint of its own', recorded, inline, true],
    ['was never applied', { ...recorded, applied: undefined }, attached('X', true), false],
    ['is not known at all', undefined, attached('X', true), false],
    ['may show a lost write of ours', { ...recorded, updating: 'Change' }, attached('X', true), false],
    ['may show a lost correction of ours', { ...recorded, updating: 'Correction' }, attached('D', true), true],
    ['is inline as applied', recordedInline, inline, false],
    ['is inline and has another format', recordedInline, { ...inline, logFormat: 'json' }, true],
    ['is inline and was written since', recordedInline, { ...inline, updatedAt: '2026-01-01T00:00:01Z' }, true],
    ['is inline and was attached', recordedInline, attached('X', true), true],
  ])('%s', (_title, status, seen, expected) => {
    expect(classified(attach, status, seen)).toEqual(expected ? { ...attach, isForeign: true } : attach);
  });

  test('is not classified if nothing is written', () => {
    expect(classified({ kind: 'refuse', otherID: 'X', why: 'policy' }, recorded, attached('X', true))).toEqual({
      kind: 'refuse',
      otherID: 'X',
      why: 'policy',
    });
  });
});

describe('a destination', () => {
  const own = {
    settings: { name: 'n', endpoint: 'https://x', authorization: 'a', logFormat: 'cef', skipSSLVerification: false },
    secretVersion: 's',
    endpointDigest: 'e',
    endpointHoldsSecret: true,
    isSuspicious: false,
  } as const;
  const known = { name: 'n', endpointDigest: 'e', logFormat: 'cef', skipSSLVerification: false, secretVersion: 's' };
  const seen = {
    id: 'D',
    name: 'n',
    endpointDigest: 'e',
    logFormat: 'cef',
    skipSSLVerification: false,
    updatedAt: '2026-01-01T00:00:00Z',
  };

  test('that differs from what was applied was changed by another client, field by field', () => {
    expect(foreignChanges(known, { ...seen, logFormat: 'json', endpointDigest: 'other' })).toEqual([
      'endpoint',
      'logFormat',
    ]);
    expect(foreignChanges({ ...known, updatedAt: '2025-01-01T00:00:00Z' }, seen)).toEqual(['authorization']);
    expect(foreignChanges({ ...known, updatedAt: seen.updatedAt }, seen)).toEqual([]);
    expect(foreignChanges({}, seen)).toEqual([]);
  });

  test('is written again after a write whose answer was lost, since the authorization cannot be read', () => {
    expect(differences(own, known, seen)).toEqual([]);
    expect(differences(own, { ...known, updating: 'Change' }, seen)).toEqual(['authorization']);
  });
});

test('an inline webhook that shows the endpoint of a lost write of the operator was not changed by another client', () => {
  const step = { kind: 'attach', because: 'pointed elsewhere' } as const;
  const lost = { ...recordedInline, updating: 'Change' } as const;
  const moved = { ...inline, endpointDigest: 'new' } as const;
  expect(classified(step, lost, moved, 'new')).toEqual(step);
  expect(classified(step, lost, moved, 'another')).toEqual({ ...step, isForeign: true });
});
