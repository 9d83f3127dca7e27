/** Verifications: search jobs in SumoLogic, and lines that it drops. */
import { auditCall } from '../../../sandbox/konnect/model/audit.ts';
import { deliveryTarget, recordAttempt } from '../../../sandbox/konnect/model/webhooks.ts';
import { key, type SpecChoice } from '../../support/forwarding-spec.ts';
import { tokens } from '../../support/konnect-fixtures.ts';
import type { Scenario } from '../scenario.ts';
import { accessKey } from '../simulated-sumologic.ts';
import type { SimulatedWorld } from '../simulated-world.ts';
import { organizationOnly, ownDestination } from './common.ts';

const verified: SpecChoice = {
  ...organizationOnly,
  gapRecovery: 'Replay',
  verification: {
    sumoLogic: {
      secretRef: { name: 'access', accessIDKey: 'accessId', accessKeyKey: 'accessKey' },
      deployment: 'us1',
      query: '_source=Konnect',
    },
    interval: '15m',
    window: '1h',
  },
};

function putAccessKey(world: SimulatedWorld): void {
  world.putSecret('access', { accessId: accessKey.id, accessKey: accessKey.key });
}

function deliver(world: SimulatedWorld): void {
  recordAttempt(world.konnect, world.webhook(), { at: new Date(world.clock.ms), code: 200, message: '', ok: true });
}

/** Ends a gap that another client has left. Only then: a replay of missing lines has what was delivered in their window, too. */
function deliverIfOpen(world: SimulatedWorld): void {
  const { gap } = world.statusOf(key).delivery?.find((one) => one.key === 'organization') ?? {};
  const webhook = world.webhook();
  const isSending = webhook.enabled && deliveryTarget(world.organization(), webhook) !== undefined;
  if (isSending && gap !== undefined && gap.to === undefined) deliver(world);
}

/** The webhook delivers, and a verification has found every line. */
async function verifyFirst(world: SimulatedWorld): Promise<void> {
  deliver(world);
  for (let resyncs = 0; resyncs < 6; resyncs += 1) await world.resync();
}

/** Another client makes a call whose line SumoLogic accepts and drops. With `forGood`, it also drops what a replay sends. */
function loseLine(world: SimulatedWorld, forGood: boolean): void {
  const organization = world.organization();
  const token = organization.tokens.get(tokens.blueAgain);
  if (token === undefined) throw new TypeError('there is no such token');
  const call = { resource: 'control-planes', action: 'list', granted: true, token };
  const client = { region: 'us', source: '127.0.0.1', userAgent: 'other', traceID: '18446744073709551615' };
  auditCall(world.konnect, organization, { ...call, ...client });
  const lost = organization.events.at(-1);
  world.lostLinesMs.push(lost?.event.at.getTime() ?? Number.NaN);
  world.sumologic.drops = (recorded, isReplayed) => recorded === lost && (forGood || !isReplayed);
  world.told('SumoLogic drops a line');
}

const done = {
  after: { 'blue/us': `${key} on` },
  destinations: ownDestination,
  traffic: deliverIfOpen,
  resyncsBeforeRest: 4,
};

export const verifications: readonly Scenario[] = [
  {
    title: 'verify',
    deletable: true,
    foreign: putAccessKey,
    before: { ...verified, verification: undefined },
    prepare: verifyFirst,
    change: (world) => world.edit(verified),
    verified: 'True AllFound',
    ...done,
  },
  {
    title: 'verify-missing',
    deletable: true,
    foreign: putAccessKey,
    before: verified,
    behavior: { replayQueueMs: 60_000, replayDurationMs: 12 * 60_000 },
    prepare: verifyFirst,
    change: (world) => loseLine(world, false),
    replayed: ['blue/us'],
    verified: 'True AllFound',
    ...done,
  },
  {
    title: 'verify-still-missing',
    foreign: putAccessKey,
    before: verified,
    prepare: verifyFirst,
    change: (world) => loseLine(world, true),
    replayed: ['blue/us'],
    ...done,
  },
];
