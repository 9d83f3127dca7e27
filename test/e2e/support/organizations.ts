import { randomBytes, randomUUID } from 'node:crypto';
import type { KonnectSeed, OrganizationSeed } from '../../../sandbox/konnect/seed.ts';

/** An organization of a local Konnect, with nothing in it that any other has. */
export interface Organization {
  readonly id: string;
  readonly name: string;
  /** For the operator: may do everything. */
  readonly token: string;
  /** For the operator: is refused every write. */
  readonly readOnlyToken: string;
  /** For the operator: may do all but ask whose it is. */
  readonly anonymousToken: string;
  /** For people and programs other than the operator. */
  readonly otherClientToken: string;
  /** IDs of Dev Portals, by region. */
  readonly portals: { readonly us: readonly string[]; readonly eu: readonly string[] };
}

export const regions = ['us', 'eu'] as const;

/** Of every portal. */
export const developer = { email: 'dev@example.com', password: 'a-password-of-the-tests' };

/** Letters and digits of more entropy than chance could meet. */
export function randomText(bytes = 30): string {
  return randomBytes(bytes).toString('base64url');
}

export function makeOrganization(name: string, portals: { us: number; eu: number }): Organization {
  return {
    id: randomUUID(),
    name,
    token: `kpat_${randomText()}`,
    readOnlyToken: `spat_${randomText()}`,
    anonymousToken: `spat_${randomText()}`,
    otherClientToken: `kpat_${randomText()}`,
    portals: { us: ids(portals.us), eu: ids(portals.eu) },
  };
}

function ids(count: number): string[] {
  return Array.from({ length: count }, () => randomUUID()).toSorted();
}

export function seedOf(organizations: readonly Organization[]): KonnectSeed {
  return { regions, organizations: organizations.map(seed) };
}

function seed(one: Organization): OrganizationSeed {
  return {
    id: one.id,
    name: one.name,
    tokens: [
      { value: one.token, access: 'full' },
      { value: one.readOnlyToken, access: 'read-only' },
      { value: one.anonymousToken, access: 'no-organization' },
      { value: one.otherClientToken, access: 'full' },
    ],
    portals: regions.flatMap((region) =>
      one.portals[region].map((id, index) => ({
        id,
        name: `${one.name} ${region} ${String(index)}`,
        region,
        developers: [developer],
      })),
    ),
    controlPlanes: [{ id: randomUUID(), name: 'default' }],
  };
}
