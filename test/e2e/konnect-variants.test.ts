/** Behavior of Konnect that is not documented. The operator works with each variant. */
import { expect, test } from '@jest/globals';
import type { Behavior } from '../../sandbox/konnect/behavior.ts';
import { eventually } from '../support/eventually.ts';
import { isAnswered } from './support/conditions.ts';
import { nothing } from './support/fixture.ts';
import { oneEnvironment } from './support/one-environment.ts';

const { environment, fixture } = oneEnvironment({ prefix: 'ways' });

const ways: readonly Partial<Behavior>[] = [
  { unconfiguredWebhook: 'disabled-absent' },
  { unconfiguredWebhook: 'disabled-nil' },
  { unconfiguredWebhook: 'not-found' },
  { duplicateNames: 'allowed', unknownDestination: 400 },
  { patchAnswersUpdatedAt: false, firstUpdatedAt: 'zero' },
  { patchStatus: 201, firstUpdatedAt: 'malformed' },
  { fillPatchDefaults: false, pageSizeMax: 1 },
  { releaseDelayMs: 300, portalDeleteConflict: true },
  { destinationItems: 'region-v3', unservedDestinationItem: 'no-route' },
  { destinationItems: 'region-v2', unservedDestinationItem: 'problem' },
];

test.each(ways.map((way, index) => ({ way, index, says: JSON.stringify(way) })))('$says', async ({ way, index }) => {
  environment().services.konnect.control.behave(way);
  const one = await fixture(`way-${String(index)}`, { portals: 2 });
  const settings = { secretRef: { name: one.siemSecret }, logFormat: 'json', skipSSLVerification: true };
  const [on = '', off = ''] = one.portals;
  const spec = {
    destination: settings,
    organization: {},
    portals: [{ id: on }, { id: off, enabled: false }],
  };
  await one.apply(spec);
  await environment().waitForReady(one.name);
  const [destination, ...more] = one.destinations();
  expect({ ...destination, more }).toMatchObject({ ...environment().credentials, logFormat: 'json', more: [] });
  const target = { kind: 'destination', id: destination?.id };
  expect(one.portalWebhook(0)).toMatchObject({ enabled: true, target });
  expect(one.portalWebhook(1)).toMatchObject({ enabled: false, target });
  expect(one.organizationWebhook()).toMatchObject({ enabled: true, target });

  const fresh = environment().newCredentials();
  await one.applySIEM(fresh);
  await eventually(() =>
    expect(one.destinations()).toMatchObject([{ ...fresh, logFormat: 'json', skipSSLVerification: true }]),
  );

  // Nothing has changed: this reconciliation and the next one write nothing.
  await environment().waitForReady(one.name);
  const writes = one.writes();
  for (const interval of ['23h', '22h']) {
    await environment().patch(one.name, { spec: { interval } });
    await environment().waitFor(one.name, isAnswered);
    await environment().waitForReady(one.name);
  }
  expect(one.writes()).toEqual(writes);

  await one.applyForwarding({ ...spec, konnect: one.konnect({ auditLogsAPI: 'v2' }) });
  await environment().waitForReady(one.name);
  const inline = { ...fresh, logFormat: 'json', skipSSLVerification: true };
  expect(one.organizationWebhook()).toMatchObject({ enabled: true, target: { kind: 'inline', inline } });

  await environment().remove(one.name);
  expect(one.destinations()).toEqual([]);
  expect([one.portalWebhook(0), one.portalWebhook(1), one.organizationWebhook()]).toMatchObject([
    nothing,
    nothing,
    nothing,
  ]);
});
