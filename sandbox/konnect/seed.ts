/** What exists in Konnect at the start. IDs are UUIDs. */
export interface KonnectSeed {
  readonly organizations: readonly OrganizationSeed[];
  /** Without `global`, which always exists. */
  readonly regions: readonly string[];
}

export interface OrganizationSeed {
  readonly id: string;
  readonly name: string;
  readonly tokens: readonly TokenSeed[];
  readonly portals?: readonly PortalSeed[];
  readonly controlPlanes?: readonly ControlPlaneSeed[];
}

/** `read-only` gets 403 for every write. `no-organization` gets 403 only for `organizations/me`. */
export interface TokenSeed {
  readonly value: string;
  readonly access: 'full' | 'read-only' | 'no-organization';
}

export interface PortalSeed {
  readonly id: string;
  readonly name: string;
  readonly region: string;
  readonly developers?: readonly DeveloperSeed[];
}

export interface DeveloperSeed {
  readonly email: string;
  readonly password: string;
}

export interface ControlPlaneSeed {
  readonly id: string;
  readonly name: string;
  /** If absent, every region lists it. */
  readonly region?: string;
}
