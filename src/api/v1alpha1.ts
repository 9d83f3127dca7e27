/**
 * The resource `AuditLogForwarding` as zod schemas with types of the same name. The CRD in `crds/` is generated from them
 * (`npm run generate`), with their descriptions, bounds, CEL rules and list types.
 */
import * as z from 'zod';

export const group = 'konnect-audit-log.io';
export const version = 'v1alpha1';
export const apiVersion = `${group}/${version}`;
export const kind = 'AuditLogForwarding';
export const plural = 'auditlogforwardings';
/** Keeps a forwarding from being removed while Konnect may hold something that belongs to it. */
export const finalizer = `${group}/cleanup`;

/** An annotation. A new value requests a reconciliation. */
export const reconcileAnnotation = `${group}/reconcile-requested-at`;

/** Returns the value of that annotation, cut to the length of `status.lastHandledReconcileAt`, or undefined if there is none. */
export function reconcileRequestOf(annotations: Readonly<Record<string, string>> | undefined): string | undefined {
  return annotations?.[reconcileAnnotation]?.slice(0, 64).toWellFormed();
}

const dnsSubdomain = '^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$';
const regionName = '^[a-z][a-z0-9]{1,14}$';
export const uuid = '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$';
/** The ID of no object. Konnect shows it in a webhook that has no destination. */
export const nilUUID = '00000000-0000-0000-0000-000000000000';

function text(pattern: string, maxLength: number, description: string) {
  return z.string().min(1).max(maxLength).regex(new RegExp(pattern)).meta({ description });
}

const SecretName = text(dnsSubdomain, 253, 'Name of a Secret in the namespace of this resource.');

function secretKey(standard: string, holds: string) {
  return text('^[-._a-zA-Z0-9]+$', 253, `Key of the Secret that holds ${holds}.`).default(standard);
}

/** Returns a string of at most `length` characters. It counts code points, as the API server does. */
function atMost(length: number) {
  return z
    .string()
    .refine((value) => value.length <= length || Array.from(value).length <= length)
    .meta({ maxLength: length });
}

function destinationName(description: string) {
  // No control characters, no invisible ones, and none that changes the direction of the text after it.
  return atMost(128)
    .min(1)
    .regex(/^[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+$/u)
    .optional()
    .meta({ description });
}

export const LogFormat = z.enum(['cef', 'json', 'cps']);
export type LogFormat = z.infer<typeof LogFormat>;

export const AuditLogsAPI = z.enum(['v3', 'v2']);
export type AuditLogsAPI = z.infer<typeof AuditLogsAPI>;

const KonnectSpec = z
  .object({
    region: z
      .string()
      .min(2)
      .max(15)
      .regex(new RegExp(regionName))
      .meta({
        description:
          'Konnect region of the Dev Portals and of the organization webhook: us, eu, au, me, in, sg or a newer one. ' +
          'Changing it attaches in the new region, then detaches in the old one.',
        'x-kubernetes-validations': [
          {
            rule: "self != 'global'",
            message: "region 'global' has no webhooks: name the region of your Dev Portals, such as us or eu",
          },
        ],
      }),
    tokenSecretRef: z
      .object({ name: SecretName, key: secretKey('token', 'the Konnect access token (kpat_… or spat_…)') })
      .meta({
        description:
          'The Konnect access token. It needs to manage audit-log destinations and webhooks and to read the listed Dev Portals.',
      }),
    auditLogsAPI: AuditLogsAPI.default('v3').meta({
      description:
        "Version of Konnect's audit-logs API used for destinations and for the organization webhook. " +
        'v2 sends the organization webhook endpoint and authorization inline, without a destination.',
    }),
  })
  .meta({ description: 'Where in Konnect, and as whom.' });

const DestinationSpec = z
  .object({
    secretRef: z
      .object({
        name: SecretName,
        endpointKey: secretKey('endpoint', 'the https URL that receives the audit logs'),
        authorizationKey: secretKey(
          'authorization',
          'the value of the Authorization header that Konnect sends with them',
        ),
      })
      .meta({
        description:
          'The SIEM: its endpoint and Authorization value. A trailing line break is trimmed. A change of the Secret is applied at once.',
      }),
    name: destinationName(
      'Name of the destination in Konnect. Default: namespace/name of this resource, after --cluster-name and a slash if that is set.',
    ),
    authorizationScheme: z
      .string()
      .min(1)
      .max(32)
      .regex(/^[A-Za-z][A-Za-z0-9-]*$/)
      .optional()
      .meta({
        description: "A word put before the Secret's authorization with a blank between: Bearer, Splunk and the like.",
      }),
    logFormat: LogFormat.default('cef').meta({ description: 'Format of the log lines that Konnect sends.' }),
    skipSSLVerification: z.boolean().default(false).meta({
      description:
        "Konnect does not verify the endpoint's TLS certificate. For tests only: whoever sits between reads the logs.",
    }),
  })
  .meta({ description: 'The destination that the operator creates in Konnect and keeps right.' });

const DestinationRef = z
  .object({
    id: text(uuid, 36, 'ID of the destination: a UUID in lower case, as Konnect shows it.').optional(),
    name: destinationName('Name of the destination; there must be one of this name alone.'),
  })
  .meta({
    description:
      'Instead of destination: one that somebody else made in Konnect. Webhooks are attached to it; it is never changed and never deleted.',
    'x-kubernetes-validations': [
      {
        rule: 'has(self.id) != has(self.name)',
        message: 'destinationRef names a destination by id or by name: set exactly one',
      },
    ],
  });

const OrganizationSpec = z
  .object({
    enabled: z.boolean().default(true).meta({ description: 'false: the webhook stays configured but sends nothing.' }),
  })
  .meta({
    description:
      "The organization's webhook in this region: audit logs of Konnect itself. Absent: the operator does not touch it.",
  });

const PortalSpec = z.object({
  id: text(uuid, 36, 'ID of the Dev Portal: a UUID in lower case, as Konnect shows it.').meta({
    'x-kubernetes-validations': [
      {
        rule: `self != '${nilUUID}'`,
        message: 'the nil UUID names no Dev Portal: put the ID of a Dev Portal there',
      },
    ],
  }),
  enabled: z.boolean().default(true).meta({ description: 'false: the webhook stays configured but sends nothing.' }),
});

export type PortalSpec = z.infer<typeof PortalSpec>;

const PortalRefSpec = z.object({
  name: text(dnsSubdomain, 253, 'Name of a Portal (konnect.konghq.com/v1alpha1) in the namespace of this resource.'),
  enabled: z.boolean().default(true).meta({ description: 'false: the webhook stays configured but sends nothing.' }),
});

export type PortalRefSpec = z.infer<typeof PortalRefSpec>;

export const Spec = z
  .object({
    konnect: KonnectSpec,
    destination: DestinationSpec.optional(),
    destinationRef: DestinationRef.optional(),
    organization: OrganizationSpec.optional(),
    portals: z
      .array(PortalSpec)
      .max(100)
      .optional()
      .meta({
        description: 'Dev Portals whose audit logs are forwarded.',
        'x-kubernetes-list-type': 'map',
        'x-kubernetes-list-map-keys': ['id'],
      }),
    portalRefs: z
      .array(PortalRefSpec)
      .max(100)
      .optional()
      .meta({
        description:
          'Dev Portals that kong-operator manages in this cluster, by the names of their Portal objects, whose IDs are read from their status.',
        'x-kubernetes-list-type': 'map',
        'x-kubernetes-list-map-keys': ['name'],
      }),
    adoptionPolicy: z
      .enum(['IfMatching', 'Never', 'Always'])
      .default('IfMatching')
      .meta({
        description:
          'What to do with a destination of our name, or a webhook in use, that this resource did not set. ' +
          'Never: leave it and say so. IfMatching: take it over if its endpoint is ours. Always: take it over.',
      }),
    mode: z.enum(['Enforce', 'Observe']).default('Enforce').meta({
      description:
        'Enforce: what differs in Konnect is put right. Observe: it is reported in status.drift; nothing is ever written to Konnect, not even when this resource is deleted.',
    }),
    suspend: z.boolean().default(false).meta({
      description:
        'true: nothing is written to Konnect until it is false again. Deletion follows deletionPolicy all the same.',
    }),
    deletionPolicy: z.enum(['Delete', 'Retain']).default('Delete').meta({
      description:
        'What happens in Konnect when this resource is deleted. Delete: webhooks are detached, the destination is deleted. Retain: everything stays as it is.',
    }),
    interval: z
      .string()
      .min(2)
      .max(20)
      .regex(/^([0-9]{1,3}h)?([0-9]{1,5}m)?([0-9]{1,6}s)?$/)
      .default('10m')
      .meta({
        description: 'How often changes made in Konnect by others are looked for and put right. 1m to 24h.',
        'x-kubernetes-validations': [
          {
            rule: "duration(self) >= duration('1m') && duration(self) <= duration('24h')",
            message: 'interval must be between 1m and 24h',
          },
        ],
      }),
  })
  .meta({
    description: 'What is to be forwarded, and where to.',
    'x-kubernetes-validations': [
      {
        rule:
          'has(self.organization) || (has(self.portals) && size(self.portals) > 0) || ' +
          '(has(self.portalRefs) && size(self.portalRefs) > 0)',
        message:
          'nothing would be forwarded: set spec.organization, or list a Dev Portal in spec.portals or spec.portalRefs',
      },
      {
        rule: 'has(self.destination) != has(self.destinationRef)',
        message: 'set exactly one of spec.destination and spec.destinationRef',
      },
      {
        rule: "!(has(self.konnect.auditLogsAPI) && self.konnect.auditLogsAPI == 'v2' && has(self.organization)) || has(self.destination)",
        message:
          'with spec.konnect.auditLogsAPI v2 the organization webhook carries the endpoint itself: set spec.destination, not spec.destinationRef',
      },
    ],
  });
export type Spec = z.infer<typeof Spec>;

const timestamp = atMost(40);
/** These IDs go into request paths, so the schema rejects edited status values that are not UUIDs. */
const id = z.string().max(36).meta({ pattern: uuid });
const region = z.string().max(15).meta({ pattern: regionName });
const digest = atMost(64);
const secretVersion = atMost(128);
const reasonText = atMost(64);

export const AttachmentState = z.enum(['on', 'off', 'pending', 'detaching', 'refused']);
export type AttachmentState = z.infer<typeof AttachmentState>;

export const Condition = z.object({
  type: atMost(316).min(1),
  status: z.enum(['True', 'False', 'Unknown']),
  reason: atMost(1024).min(1),
  message: atMost(32768),
  lastTransitionTime: z.string().meta({ format: 'date-time' }),
  observedGeneration: z.int().min(0).optional().meta({ format: 'int64' }),
});

export type Condition = z.infer<typeof Condition>;

const Updating = z.enum(['Change', 'Correction']).meta({
  description:
    'Set while a request that changes it may be under way. Change: spec or a Secret changed. Correction: another client changed it.',
});

export const AppliedWebhook = z
  .object({
    destinationID: id.optional(),
    endpointDigest: digest.optional(),
    enabled: z.boolean(),
    logFormat: atMost(16).optional(),
    skipSSLVerification: z.boolean().optional(),
  })
  .meta({ description: 'What the operator last set, or saw as wanted.' });
export type AppliedWebhook = z.infer<typeof AppliedWebhook>;

const CreatingStatus = z
  .object({ name: atMost(128), since: timestamp, secretVersion, endpointDigest: digest })
  .meta({ description: 'Stands here while a request that creates the destination may be under way.' });

export const DestinationStatus = z
  .object({
    id: id.optional(),
    name: atMost(128),
    managed: z.boolean().optional().meta({ description: 'true: ours to change and to delete.' }),
    logFormat: atMost(16).optional(),
    skipSSLVerification: z.boolean().optional(),
    endpointDigest: digest.optional().meta({ description: 'Digest of the endpoint that was applied.' }),
    secretVersion: secretVersion
      .optional()
      .meta({ description: 'Keyed digest of the Secret content that was applied.' }),
    updatedAt: timestamp.optional().meta({ description: "Konnect's own time of our last change." }),
    updating: Updating.optional(),
    creating: CreatingStatus.optional(),
  })
  .meta({ description: 'The destination in Konnect.' });
export type DestinationStatus = z.infer<typeof DestinationStatus>;

export const OrganizationStatus = z
  .object({
    api: AuditLogsAPI,
    destinationID: id.optional(),
    enabled: z.boolean(),
    state: AttachmentState,
    reason: reasonText.optional(),
    endpointDigest: digest.optional().meta({ description: 'v2 only: digest of the endpoint that was set.' }),
    secretVersion: secretVersion.optional(),
    updatedAt: timestamp.optional(),
    applied: AppliedWebhook.optional(),
    updating: Updating.optional(),
  })
  .meta({ description: "The organization's webhook." });
export type OrganizationStatus = z.infer<typeof OrganizationStatus>;

export const PortalStatus = z.object({
  id,
  ref: atMost(253).optional().meta({ description: 'The Portal object of spec.portalRefs that has this ID.' }),
  destinationID: id.optional().meta({ description: 'The destination that we attached, or are about to attach.' }),
  enabled: z.boolean(),
  state: AttachmentState,
  reason: reasonText.optional(),
  applied: AppliedWebhook.optional(),
  updating: Updating.optional(),
});

export type PortalStatus = z.infer<typeof PortalStatus>;

export const CleanupStatus = z.object({
  organizationID: id,
  region,
  api: AuditLogsAPI,
  kind: z.enum(['portal', 'organization', 'destination']),
  id: id.optional().meta({ description: 'The Dev Portal.' }),
  destinationID: id.optional(),
  endpointDigest: digest.optional(),
});

export type CleanupStatus = z.infer<typeof CleanupStatus>;

const CorrectionStatus = z.object({
  object: atMost(64).meta({ description: 'destination, organization, or portal/ and its ID.' }),
  at: z.array(timestamp).max(3),
});

const DriftStatus = z.object({
  object: atMost(64).meta({ description: 'destination, organization, or portal/ and its ID.' }),
  fields: z.array(atMost(64)).max(16),
});

export type DriftStatus = z.infer<typeof DriftStatus>;

export const Status = z
  .object({
    observedGeneration: z
      .int()
      .optional()
      .meta({ format: 'int64', description: 'Generation that this status speaks of.' }),
    conditions: z
      .array(Condition)
      .max(16)
      .optional()
      .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['type'] }),
    konnect: z
      .object({ organizationID: id, region })
      .optional()
      .meta({ description: 'The organization that the token belongs to, and the region applied.' }),
    destination: DestinationStatus.optional(),
    organization: OrganizationStatus.optional(),
    portals: z.array(PortalStatus).max(200).optional().meta({
      description: 'The Dev Portals, in the order of their IDs.',
      'x-kubernetes-list-type': 'atomic',
    }),
    portalsReady: atMost(16).optional().meta({ description: 'Dev Portals in place, of those in spec.' }),
    corrections: z.array(CorrectionStatus).max(202).optional().meta({
      description:
        'When changes made by others were put right, in the last 24 hours. At three the object is left alone.',
      'x-kubernetes-list-type': 'atomic',
    }),
    drift: z.array(DriftStatus).max(202).optional().meta({
      description: 'With mode Observe: what differs in Konnect from what is wanted.',
      'x-kubernetes-list-type': 'atomic',
    }),
    lastHandledReconcileAt: atMost(64).optional().meta({
      description: 'The value of the annotation konnect-audit-log.io/reconcile-requested-at that was last answered.',
    }),
    cleanup: z.array(CleanupStatus).max(1000).optional().meta({
      description: 'What is still to be undone in Konnect.',
      'x-kubernetes-list-type': 'atomic',
    }),
  })
  .meta({
    description: "The operator's memory and its report. Written by the operator alone.",
    default: { observedGeneration: -1 },
  });
export type Status = z.infer<typeof Status>;

const Metadata = z.looseObject({
  namespace: z.string(),
  name: z.string(),
  creationTimestamp: z.string().default(''),
  annotations: z.record(z.string(), z.string()).default({}),
  uid: z.string(),
  resourceVersion: z.string(),
  generation: z.int().default(0),
  deletionTimestamp: z.string().optional(),
  finalizers: z.array(z.string()).default([]),
});

export const AuditLogForwarding = z.object({
  apiVersion: z.literal(apiVersion),
  kind: z.literal(kind),
  metadata: Metadata,
  spec: Spec,
  status: Status.default({}),
});

export type AuditLogForwarding = z.infer<typeof AuditLogForwarding>;
