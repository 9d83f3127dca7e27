/** What people do in the middle of a reconciliation. */
import { changeDestination, currentDestinations, deleteDestination } from '../../sandbox/konnect/model/destinations.ts';
import { clearWebhook, pointWebhook, switchWebhook, touchWebhook } from '../../sandbox/konnect/model/webhooks.ts';
import { key } from '../support/forwarding-spec.ts';
import type { Act } from './faults.ts';
import { type WebhookState, webhooksOf } from './konnect-snapshot.ts';
import { namesWebhook } from './recorded-objects.ts';
import type { SimulatedWorld } from './simulated-world.ts';

/** Does what the act says to an object of our forwarding. `which` chooses one of several webhooks. Returns false if there is no such object. */
export function perform(world: SimulatedWorld, act: Act, which: number): boolean {
  switch (act) {
    case 'user-undoes':
      return world.undo();
    case 'user-edits':
    case 'user-rotates':
      return actOfUser(world, act);
    case 'other-detaches':
    case 'other-switches':
    case 'other-points':
      return actOnWebhook(world, act, which);
    case 'other-edits':
    case 'other-authorizes':
    case 'other-deletes':
      return actOnDestination(world, act);
  }
}

function actOfUser(world: SimulatedWorld, act: 'user-edits' | 'user-rotates'): boolean {
  const forwarding = world.kubernetes.objects.get(key);
  if (forwarding === undefined) return false;
  const { spec } = forwarding;
  if (act === 'user-edits') {
    world.kubernetes.edit(key, { ...spec, interval: spec.interval === '10m' ? '11m' : '10m' });
    world.told(`a user edits ${key}`);
    return true;
  }
  const name = spec.destination?.secretRef.name;
  const secret = world.kubernetes.secrets.get(`platform/${name ?? ''}`);
  if (name === undefined || secret === undefined) return false;
  const endpoint = Buffer.from(secret.data['endpoint'] ?? '', 'base64').toString();
  world.putSecret(name, { endpoint, authorization: 'Bearer CANARYrotated' });
  return true;
}

function actOnWebhook(
  world: SimulatedWorld,
  act: 'other-detaches' | 'other-switches' | 'other-points',
  which: number,
): boolean {
  const found = ourWebhooks(world);
  const one = found[which % Math.max(found.length, 1)];
  if (one === undefined) return false;
  const { webhook, organization, name } = one;
  if (act === 'other-detaches') clearWebhook(world.konnect, organization, webhook);
  if (act === 'other-switches') switchWebhook(world.konnect, webhook, !webhook.enabled);
  if (act === 'other-points') {
    const id = currentDestinations(organization).find((other) => other.name === 'audit-of-others')?.id ?? '';
    pointWebhook(world.konnect, organization, webhook, { kind: 'destination', id });
    webhook.enabled = true;
  }
  touchWebhook(world.konnect, webhook);
  world.told(`${act} ${name}`);
  return true;
}

function actOnDestination(world: SimulatedWorld, act: 'other-edits' | 'other-authorizes' | 'other-deletes'): boolean {
  const { destination: record, konnect } = world.statusOf(key);
  const organization = world.konnect.organizations.get(konnect?.organizationID ?? '');
  const found = organization && currentDestinations(organization).find(({ id }) => id === record?.id);
  if (organization === undefined || found === undefined || record?.managed !== true) {
    return act === 'other-edits' && editInline(world);
  }
  const { id } = found;
  if (act === 'other-edits') changeDestination(world.konnect, organization, id, { logFormat: 'json' });
  if (act === 'other-authorizes') changeDestination(world.konnect, organization, id, { authorization: 'changed' });
  if (act === 'other-deletes') {
    if (world.konnect.behavior.usedDestination === 'conflict') {
      for (const { webhook } of webhooksOf(world).filter(({ destination }) => destination?.id === id))
        clearWebhook(world.konnect, organization, webhook);
      organization.detachedAt.delete(id);
    }
    deleteDestination(world.konnect, organization, id);
  }
  world.told(`${act} destination ${id}`);
  return true;
}

function editInline(world: SimulatedWorld): boolean {
  const one = ourWebhooks(world).find(({ webhook }) => webhook.target.kind === 'inline');
  if (one?.webhook.target.kind !== 'inline') return false;
  one.webhook.target = { kind: 'inline', inline: { ...one.webhook.target.inline, logFormat: 'json' } };
  touchWebhook(world.konnect, one.webhook);
  world.told(`other-edits ${one.name}`);
  return true;
}

/** Returns the webhooks that our forwarding has attached, and that nobody has pointed elsewhere. */
function ourWebhooks(world: SimulatedWorld): readonly WebhookState[] {
  const forwarding = world.kubernetes.objects.get(key);
  if (forwarding === undefined) return [];
  const { portals = [], organization, cleanup = [] } = forwarding.status;
  return webhooksOf(world).filter((one) => {
    const { target } = one.webhook;
    if (target.kind !== 'destination') return target.kind === 'inline' && namesWebhook(forwarding, one);
    const { which } = one;
    const records =
      which.kind === 'portal'
        ? [...portals, ...cleanup].filter(({ id }) => id === which.id)
        : [organization, ...cleanup.filter(({ kind }) => kind === 'organization')];
    return records.some((record) => record?.destinationID === target.id);
  });
}
