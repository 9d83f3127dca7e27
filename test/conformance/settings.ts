import { parseArgs } from 'node:util';

/** What `npm run test:contract` is told. */
export interface ContractSettings {
  readonly token: string;
  /** Template with `{region}`. */
  readonly konnectURL: string;
  readonly region: string;
  /** Absent: nothing is asked about portals. */
  readonly portalID?: string;
  /** Whether a webhook that names a destination already may be borrowed; it is put back. */
  readonly takeWebhooks: boolean;
  /** Where the destinations point. The default resolves nowhere, so that nothing is ever delivered. */
  readonly endpoint: string;
}

export const usage = `KONNECT_TOKEN=… npm run test:contract [-- --take-webhooks]

Asks a real Konnect organization how it behaves where that is not documented, and prints the answers.
Everything is made under names of its own and removed at the end, after a failure and after Ctrl-C too.

  KONNECT_TOKEN      kpat_… or spat_…, with the right to manage audit logs; best of an organization for trying things
  KONNECT_REGION     us unless given
  KONNECT_PORTAL_ID  a Dev Portal of that region, whose webhook is asked about too
  KONNECT_URL        https://{region}.api.konghq.com unless given
  --take-webhooks    borrow a webhook that is configured already; it is put back as it was. Meanwhile it delivers nothing.
`;

/** @throws {Error} for the person who called: what is missing or wrong */
export function readSettings(
  env: Readonly<Record<string, string | undefined>>,
  args: readonly string[],
): ContractSettings {
  const { values } = parseArgs({ args: [...args], options: { 'take-webhooks': { type: 'boolean' } } });
  if (isSet(env['CI'])) throw new Error('CI is set: this changes a real organization, so it runs by hand alone');
  const token = env['KONNECT_TOKEN'];
  if (!isSet(token)) throw new Error('KONNECT_TOKEN is not set');
  const region = env['KONNECT_REGION'] ?? 'us';
  if (!/^[a-z][a-z0-9]{1,14}$/.test(region)) throw new Error('KONNECT_REGION is no region');
  const portalID = env['KONNECT_PORTAL_ID'];
  return {
    token,
    konnectURL: env['KONNECT_URL'] ?? 'https://{region}.api.konghq.com',
    region,
    ...(isSet(portalID) ? { portalID } : {}),
    takeWebhooks: values['take-webhooks'] === true,
    endpoint: 'https://audit-log-contract.invalid/receiver/v1/http/contract',
  };
}

function isSet(value: string | undefined): value is string {
  return value !== undefined && value !== '';
}
