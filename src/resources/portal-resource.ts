import * as z from 'zod';
import { uuid } from '../api/v1alpha1.ts';
import type { PortalObject } from '../forwarding/ports.ts';
import { isKubeError } from '../kube/errors.ts';
import { hiddenObject, kongOperatorPath } from './kong-operator-resource.ts';

/** Returns the path of a Portal of kong-operator. */
export function portalPath(namespace: string, name: string): string {
  return `${kongOperatorPath('portals', namespace)}/${name}`;
}

/** The object belongs to another operator: a field with an unexpected value counts as missing. */
const lowerUUID = z.string().max(36).toLowerCase().regex(new RegExp(uuid)).optional().catch(undefined);
const serverURL = z.string().max(512).optional().catch(undefined);
const PortalSchema = z
  .object({ status: z.object({ id: lowerUUID, organizationID: lowerUUID, serverURL }) })
  .catch({ status: { id: undefined, organizationID: undefined, serverURL: undefined } });

/** Returns what the operator reads of a Portal, from an answer of the API server. */
export function parsePortal(answer: unknown): PortalObject {
  return { kind: 'portal', ...PortalSchema.parse(answer).status };
}

/** Returns what a failed read says about the Portal. Throws `error` if the Portal did not cause it. */
export function hiddenPortal(error: unknown): PortalObject {
  if (!isKubeError(error, 'TooManyRequests', 'Unavailable', 'Timeout', 'Other')) return hiddenObject(error);
  return { kind: 'unreadable', retryAfterMs: error.retryAfterMs };
}
