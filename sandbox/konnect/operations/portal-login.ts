import * as z from 'zod';
import { auditLogin } from '../model/audit.ts';
import type { KonnectModel, Organization, Portal } from '../model.ts';
import type { PublicOperation } from '../operation.ts';
import { notFound, unauthorized } from '../problem.ts';
import { readBody, text } from '../validation.ts';

const credentials = z.strictObject({ username: text, password: text });

const loginPath = '/api/v2/developer/authenticate';

/** A developer's login. The real one is on the portal's own domain. Here, the path names the portal. */
export const portalLoginOperation: PublicOperation = {
  id: 'authenticate-developer',
  method: 'POST',
  path: `/__portals/{portalId}${loginPath}`,
  hosts: 'regional',
  access: 'public',
  handle({ model, region, params, body, source, userAgent, traceID }) {
    const { organization, portal } = findPortal(model, region, params['portalId'] ?? '');
    const { username, password } = readBody(credentials, body);
    const developer = portal.developers.find(({ email }) => email === username);
    const facts = { path: loginPath, region, source, userAgent, traceID };
    if (developer === undefined || developer.password !== password) {
      const outcome = developer === undefined ? 'NOT_FOUND' : 'INVALID_PASSWORD';
      auditLogin(model, organization, portal, { ...facts, outcome });
      throw unauthorized(username);
    }
    auditLogin(model, organization, portal, { ...facts, outcome: 'SUCCESS', principalID: developer.id });
    return { status: 200, body: { id: developer.id, email: developer.email } };
  },
};

function findPortal(model: KonnectModel, region: string, id: string): { organization: Organization; portal: Portal } {
  for (const organization of model.organizations.values()) {
    const portal = organization.portals.get(id);
    if (portal?.region === region) return { organization, portal };
  }
  throw notFound(`portal ${id}`);
}
