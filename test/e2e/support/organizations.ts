import { randomBytes, randomUUID } from 'node:crypto';
import type { KonnectSeed, OrganizationSeed } from '../../../sandbox/konnect/seed.ts';

/** An organization of a local Konnect. It shares no ID and no token with another organization. */
export interface Organization {
  readonly id: string;
  readonly name: string;
  /** For the operator, with all permissions. */
  readonly token: string;
  /** For the operator. Konnect refuses every write with it. */
  readonly readOnlyToken: string;
  /** For the operator. Konnect allows everything except to read the organization of the token. */
  readonly anonymousToken: string;
  /** For clients other than the operator. */
  readonly otherClientToken: string;
  /** IDs of Dev Portals, by region. */
  readonly portals: { readonly us: readonly string[]; readonly eu: readonly string[] };
}

export const regions = ['us', 'eu'] as const;

/** Every portal has this developer. */
export const developer = { email: 'dev@example.com', password: 'a-password-of-the-tests' };

/** Returns letters and digits that no other text contains by chance. */
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
