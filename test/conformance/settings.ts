import { parseArgs } from 'node:util';

/** Settings of `npm run test:contract`. */
export interface ContractSettings {
  readonly token: string;
  /** Template with `{region}`. */
  readonly konnectURL: string;
  readonly region: string;
  /** Without it, the checks of portals are left out. */
  readonly portalID?: string;
  /** Whether the checks may borrow a webhook that has a destination. They restore it. */
  readonly takeWebhooks: boolean;
  /** Endpoint of the destinations. The default does not resolve, so nothing is delivered. */
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

/** Returns the settings. Throws an error with a message for the user. */
export function readSettings(
  env: Readonly<Record<string, string | undefined>>,
  args: readonly string[],
): ContractSettings {
  const { values } = parseArgs({ args: [...args], options: { 'take-webhooks': { type: 'boolean' } } });
  if (isSet(env['CI'])) throw new Error('CI is set: this changes a real organization, so it runs only by hand');
  const token = env['KONNECT_TOKEN'];
  if (!isSet(token)) throw new Error('KONNECT_TOKEN is not set');
  const region = env['KONNECT_REGION'] ?? 'us';
  if (!/^[a-z][a-z0-9]{1,14}$/.test(region)) throw new Error('KONNECT_REGION is not a region');
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
