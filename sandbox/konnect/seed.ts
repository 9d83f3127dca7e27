/** Who exists in Konnect at the start. Ids are UUIDs. */
export interface KonnectSeed {
  readonly organizations: readonly OrganizationSeed[];
  /** Without `global`, which is always there. */
  readonly regions: readonly string[];
}

export interface OrganizationSeed {
  readonly id: string;
  readonly name: string;
  readonly tokens: readonly TokenSeed[];
  readonly portals?: readonly PortalSeed[];
  readonly controlPlanes?: readonly ControlPlaneSeed[];
}

/** `read-only` is refused every write; `no-organization` may do all but ask whose it is (`organizations/me` answers 403). */
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
  /** Absent: every region lists it. */
  readonly region?: string;
}
