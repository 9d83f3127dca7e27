import * as z from 'zod';

const ms = z.int().min(0);

const match = z.strictObject({
  method: z.string().exactOptional(),
  region: z.string().exactOptional(),
  path: z.string().exactOptional(),
  operation: z.string().exactOptional(),
  token: z.string().exactOptional(),
});

const rule = {
  match: match.exactOptional(),
  times: z.int().min(1).exactOptional(),
  skip: z.int().min(0).exactOptional(),
};

export const faultBody = z.discriminatedUnion('kind', [
  z.strictObject({ ...rule, kind: z.literal('latency'), ms }),
  z.strictObject({
    ...rule,
    kind: z.literal('status'),
    status: z.int().min(200).max(599),
    retryAfter: z.union([z.number(), z.string()]).exactOptional(),
    body: z.enum(['problem', 'json', 'html', 'truncated', 'huge', 'empty']).exactOptional(),
    done: z.boolean().exactOptional(),
  }),
  z.strictObject({ ...rule, kind: z.literal('rate-limit'), requests: z.int().min(1), windowMs: z.int().min(1) }),
  z.strictObject({ ...rule, kind: z.literal('drop-before') }),
  z.strictObject({ ...rule, kind: z.literal('drop-after') }),
  z.strictObject({
    ...rule,
    kind: z.literal('redirect'),
    status: z.int().min(300).max(399).exactOptional(),
    location: z.string().exactOptional(),
  }),
  z.strictObject({ ...rule, kind: z.literal('wrong-types') }),
]);

export const behaviorBody = z.strictObject({
  unconfiguredWebhook: z.enum(['disabled-empty', 'disabled-absent', 'disabled-nil', 'not-found']).exactOptional(),
  duplicateNames: z.enum(['conflict', 'allowed']).exactOptional(),
  usedDestination: z.enum(['conflict', 'deleted']).exactOptional(),
  destinationItems: z.enum(['everywhere', 'global', 'region-v3', 'region-v2']).exactOptional(),
  unservedDestinationItem: z.enum(['problem', 'no-route', 'method-not-allowed']).exactOptional(),
  releaseDelayMs: ms.exactOptional(),
  staleListMs: ms.exactOptional(),
  patchAnswersUpdatedAt: z.boolean().exactOptional(),
  patchStatus: z.literal([200, 201]).exactOptional(),
  unknownDestination: z.literal([404, 400]).exactOptional(),
  fillPatchDefaults: z.boolean().exactOptional(),
  pageSizeMax: z.int().min(1).exactOptional(),
  portalDeleteConflict: z.boolean().exactOptional(),
  firstUpdatedAt: z.enum(['created', 'zero', 'malformed']).exactOptional(),
  shownEndpoints: z.enum(['as-sent', 'canonical']).exactOptional(),
  switchOffAfter: z.int().min(0).exactOptional(),
  inactiveWebhook: z.enum(['failed', 'switched-off']).exactOptional(),
  revokedTokenGraceMs: ms.exactOptional(),
  auditLogsList: z.enum(['on', 'forbidden', 'not-found']).exactOptional(),
  auditLogsMeta: z.enum(['nested', 'flat']).exactOptional(),
  replayQueueMs: ms.exactOptional(),
  replayDurationMs: ms.exactOptional(),
  replayOutcome: z.enum(['delivered', 'failed']).exactOptional(),
  replayTimes: z.enum(['as-sent', 'with-offset']).exactOptional(),
  traceIDs: z.enum(['below-2^63', 'above-2^63']).exactOptional(),
});

/** Without `code`, the endpoint did not answer. */
export const attemptBody = z.strictObject({
  code: z.int().min(100).max(999).exactOptional(),
  message: z.string().default(''),
  times: z.int().min(1).max(100).default(1),
});

export const tokenBody = z.strictObject({
  value: z.string().min(1),
  access: z.enum(['full', 'read-only', 'no-organization']),
});

export const revocationBody = z.strictObject({ value: z.string() });

export const portalBody = z.strictObject({
  id: z.guid(),
  name: z.string().min(1),
  region: z.string().min(1),
  developers: z.array(z.strictObject({ email: z.string().min(1), password: z.string().min(1) })).exactOptional(),
});

export const organizationBody = z.strictObject({
  id: z.guid(),
  name: z.string().min(1),
  tokens: z.array(tokenBody),
  portals: z.array(portalBody).exactOptional(),
  controlPlanes: z
    .array(z.strictObject({ id: z.guid(), name: z.string().min(1), region: z.string().exactOptional() }))
    .exactOptional(),
});
