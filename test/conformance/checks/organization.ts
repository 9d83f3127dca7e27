import type { ContractClient } from '../contract-client.ts';
import { describeTime, type Finding, finding } from '../finding.ts';

/** Checks the organization of the token, calls without a token, and a webhook that was never configured. */
export async function* askOrganization({ ask }: ContractClient): AsyncGenerator<Finding> {
  const me = await ask('GET', 'global', '/v3/organizations/me');
  const fields = ['id', 'name'].filter((field) => typeof me.body[field] === 'string');
  yield finding(
    'organizations-me',
    'Does GET global/v3/organizations/me tell whose token it is?',
    me.status === 200 ? `200, with ${fields.join(' and ')}` : me.status,
  );
  const jwks = await ask('GET', 'region', '/v2/audit-log-webhook/jwks.json', { token: false });
  yield finding('jwks-without-token', 'Does the JWKS need no token?', jwks.status === 200 ? 'none' : jwks.status);
  const { body } = await ask('GET', 'region', '/v2/audit-log-webhook');
  yield finding(
    'unset-updated-at-v2',
    'What is updated_at of the organization’s webhook (v2), if nobody ever set that up?',
    describeTime(body['updated_at'], undefined),
  );
}
