/** Changes of other clients in Konnect, as Kong's how-tos show them. */
import type { Environment } from './environment.ts';

export interface DestinationBody {
  readonly name: string;
  readonly endpoint: string;
  readonly authorization: string;
  readonly log_format: 'cef' | 'json' | 'cps';
}

/** Returns a destination of a SIEM that no test uses. */
export function otherDestination(name: string): DestinationBody {
  return { name, endpoint: 'https://other.example.com/logs', authorization: 'Bearer other', log_format: 'cef' };
}

/** Creates a destination. Default: in organization blue. Resolves with its ID. */
export async function createDestination(
  environment: Environment,
  body: DestinationBody,
  token?: string,
): Promise<string> {
  const options = { body, ...(token === undefined ? {} : { token }) };
  const answer = await environment.asOtherClient('POST', '/global/v3/audit-log-destinations', options);
  const made = answer.body;
  if (typeof made === 'object' && made !== null && 'id' in made && typeof made.id === 'string') return made.id;
  throw new Error(`no destination was created: HTTP ${String(answer.status)}`);
}

/** Attaches a portal of region us to a destination. */
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

/** Attaches the organization's webhook to a destination. Default: in organization blue. */
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

/** Sets the organization's webhook through v2, with an inline endpoint. */
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
