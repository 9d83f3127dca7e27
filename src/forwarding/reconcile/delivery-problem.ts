/** Says why the deliveries of a webhook fail, and what helps. Pure. */
import type { DeliveryStatus } from '../../api/v1alpha1.ts';
import type { DeliveryLook, SeenDelivery } from '../../status/delivery.ts';
import type { Problem } from '../../status/problem.ts';

/** A problem whose reason is that of `Delivering`. */
export interface DeliveryProblem extends Problem {
  readonly reason: 'SwitchedOff' | 'EndpointRejected' | 'EndpointUnreachable';
}

/** Why a delivery failed, and what helps. */
interface Cause {
  readonly why: string;
  readonly wayOut: string;
}

/**
 * Returns the problem of a webhook (`object`) with the state `Failing` or `SwitchedOff`. `source` holds the endpoint, and `mayWrite` is
 * false with `mode: Observe`.
 */
export function deliveryProblem(
  object: string,
  { state, lastResponseCode: code }: DeliveryStatus,
  look: DeliveryLook,
  { source, mayWrite }: { readonly source: string; readonly mayWrite: boolean },
): DeliveryProblem {
  const { why, wayOut } =
    code === undefined ? withoutAnswer(look.kind === 'seen' ? look.failure : undefined, source) : refused(code, source);
  const problem = { object, severity: 'waiting' } as const;
  if (state === 'SwitchedOff') {
    const next = mayWrite ? 'the operator switches it on again' : 'with spec.mode Observe the operator leaves it off';
    const message = `Konnect switched the webhook off because ${why}, and ${next}: ${wayOut}`;
    return { ...problem, reason: 'SwitchedOff', message };
  }
  const message = `deliveries fail because ${why}: ${wayOut}`;
  return code === undefined
    ? { ...problem, reason: 'EndpointUnreachable', message }
    : { ...problem, reason: 'EndpointRejected', message };
}

function refused(code: number, source: string): Cause {
  const http = `(HTTP ${String(code)})`;
  switch (code) {
    case 401:
    case 403:
      return {
        why: `the endpoint rejects the authorization, or the code in a SumoLogic URL ${http}`,
        wayOut: `put valid values into ${source}; a SumoLogic source has to be of the kind Presigned URL`,
      };
    case 404:
      return { why: `the endpoint does not exist ${http}`, wayOut: `correct the URL in ${source}` };
    case 408:
      return { why: `the endpoint takes too long to read a delivery ${http}`, wayOut: 'check the load of the SIEM' };
    case 413:
      return {
        why: `a delivery is too large for the endpoint ${http}`,
        wayOut: 'raise the size limit of the SIEM, or of the proxy before it',
      };
    case 429:
      return { why: `the endpoint limits the deliveries ${http}`, wayOut: 'raise the limit or the quota in the SIEM' };
    default:
      if (code >= 500) return { why: `the SIEM fails ${http}`, wayOut: "see the SIEM's status page" };
      if (code < 400) {
        return { why: `the endpoint redirects ${http}`, wayOut: `put the URL of its target into ${source}` };
      }
      return {
        why: `the endpoint refuses them ${http}`,
        wayOut: `check the URL and the authorization in ${source}, and the log format`,
      };
  }
}

function withoutAnswer(failure: SeenDelivery['failure'], source: string): Cause {
  switch (failure) {
    case 'certificate':
      return {
        why: 'Konnect does not accept the TLS certificate of the endpoint',
        wayOut: 'install a valid certificate of a public authority there',
      };
    case 'name':
      return {
        why: 'the host of the endpoint has no address in the DNS of the internet',
        wayOut: `correct the URL in ${source}, or publish the name`,
      };
    case 'connection':
    case undefined:
      return {
        why: 'Konnect cannot connect to the endpoint',
        wayOut: `check the host and the port of the URL in ${source}, and open the port to the internet`,
      };
  }
}
