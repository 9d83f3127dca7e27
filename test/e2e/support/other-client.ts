/** What people and programs other than the operator do in Konnect, as Kong's how-tos show it. */
import type { Environment } from './environment.ts';

export interface DestinationBody {
  readonly name: string;
  readonly endpoint: string;
  readonly authorization: string;
  readonly log_format: 'cef' | 'json' | 'cps';
}

/** Of another SIEM than that of any test. */
export function otherDestination(name: string): DestinationBody {
  return { name, endpoint: 'https://other.example.com/logs', authorization: 'Bearer other', log_format: 'cef' };
}

/** Makes a destination, in organization blue unless `token` is another's, and answers its ID. */
export async function createDestination(
  environment: Environment,
  body: DestinationBody,
  token?: string,
): Promise<string> {
  const options = { body, ...(token === undefined ? {} : { token }) };
  const answer = await environment.asOtherClient('POST', '/global/v3/audit-log-destinations', options);
  const made = answer.body;
  if (typeof made === 'object' && made !== null && 'id' in made && typeof made.id === 'string') return made.id;
  throw new Error(`no destination was made: HTTP ${String(answer.status)}`);
}

/** Points a portal of region us at a destination. */
export async function attachPortal(
  environment: Environment,
  portal: string,
  id: string,
  enabled = true,
): Promise<void> {
  await expectOK(
    environment.asOtherClient('PATCH', `/us/v3/portals/${portal}/audit-log-webhook`, {
      body: { audit_log_destination_id: id, enabled },
    }),
  );
}

/** Points the organization's webhook at a destination, in organization blue unless `token` is another's. */
export async function attachOrganization(
  environment: Environment,
  region: string,
  id: string,
  token?: string,
): Promise<void> {
  await expectOK(
    environment.asOtherClient('PATCH', `/${region}/v3/audit-log-webhook`, {
      body: { audit_log_destination_id: id, enabled: true },
      ...(token === undefined ? {} : { token }),
    }),
  );
}

/** Sets the organization's webhook by v2, with an endpoint of its own. */
export async function setInline(
  environment: Environment,
  region: string,
  { endpoint, authorization }: { endpoint: string; authorization: string },
  token?: string,
): Promise<void> {
  await expectOK(
    environment.asOtherClient('PATCH', `/${region}/v2/audit-log-webhook`, {
      body: { endpoint, authorization, enabled: true, log_format: 'cef', skip_ssl_verification: false },
      ...(token === undefined ? {} : { token }),
    }),
  );
}

async function expectOK(answer: Promise<{ readonly status: number }>): Promise<void> {
  const { status } = await answer;
  if (status < 200 || status > 299) throw new Error(`Konnect answered HTTP ${String(status)}`);
}
