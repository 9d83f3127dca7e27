import { expect, test } from '@jest/globals';
import { deliveryProblem } from '../../../../src/forwarding/reconcile/delivery-problem.ts';
import type { SeenDelivery } from '../../../../src/status/delivery.ts';

const source = 'Secret siem';
const seen = (failure?: SeenDelivery['failure']): SeenDelivery => ({ kind: 'seen', state: 'Failing', failure });

/** Returns the reason, and the part of the message that says why and what helps. */
function messageFor(code: number | undefined, failure?: SeenDelivery['failure']): readonly [string, string] {
  const entry = { key: 'p', state: 'Failing', lastResponseCode: code } as const;
  const problem = deliveryProblem('portal p', entry, seen(failure), { source, mayWrite: true });
  expect(problem).toMatchObject({ object: 'portal p', message: expect.stringMatching(/^deliveries fail because /) });
  return [problem.reason, problem.message.slice('deliveries fail because '.length)];
}

test.each<[number, string]>([
  [
    401,
    'the endpoint rejects the authorization, or the code in a SumoLogic URL (HTTP 401): put valid values into Secret siem; a SumoLogic source has to be of the kind Presigned URL',
  ],
  [
    403,
    'the endpoint rejects the authorization, or the code in a SumoLogic URL (HTTP 403): put valid values into Secret siem; a SumoLogic source has to be of the kind Presigned URL',
  ],
  [404, 'the endpoint does not exist (HTTP 404): correct the URL in Secret siem'],
  [408, 'the endpoint takes too long to read a delivery (HTTP 408): check the load of the SIEM'],
  [
    413,
    'a delivery is too large for the endpoint (HTTP 413): raise the size limit of the SIEM, or of the proxy before it',
  ],
  [429, 'the endpoint limits the deliveries (HTTP 429): raise the limit or the quota in the SIEM'],
  [500, "the SIEM fails (HTTP 500): see the SIEM's status page"],
  [504, "the SIEM fails (HTTP 504): see the SIEM's status page"],
  [302, 'the endpoint redirects (HTTP 302): put the URL of its target into Secret siem'],
  [400, 'the endpoint refuses them (HTTP 400): check the URL and the authorization in Secret siem, and the log format'],
])('the message for HTTP %i names the code and the way out', (code, expected) => {
  expect(messageFor(code)).toEqual(['EndpointRejected', expected]);
});

test.each<[SeenDelivery['failure'], string]>([
  [
    'certificate',
    'Konnect does not accept the TLS certificate of the endpoint: install a valid certificate of a public authority there',
  ],
  [
    'name',
    'the host of the endpoint has no address in the DNS of the internet: correct the URL in Secret siem, or publish the name',
  ],
  [
    'connection',
    'Konnect cannot connect to the endpoint: check the host and the port of the URL in Secret siem, and open the port to the internet',
  ],
  [
    undefined,
    'Konnect cannot connect to the endpoint: check the host and the port of the URL in Secret siem, and open the port to the internet',
  ],
])('the message for an endpoint that does not answer (%s) says why', (failure, expected) => {
  expect(messageFor(undefined, failure)).toEqual(['EndpointUnreachable', expected]);
});

test('the message for a webhook that Konnect switched off says what the operator does', () => {
  const entry = { key: 'p', state: 'SwitchedOff', lastResponseCode: 503 } as const;
  const say = (mayWrite: boolean) => deliveryProblem('portal p', entry, seen(), { source, mayWrite });
  expect(say(true)).toMatchObject({
    object: 'portal p',
    reason: 'SwitchedOff',
    message:
      "Konnect switched the webhook off because the SIEM fails (HTTP 503), and the operator switches it on again: see the SIEM's status page",
  });
  expect(say(false).message).toContain(', and with spec.mode Observe the operator leaves it off: ');
});
