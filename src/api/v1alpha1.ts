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

/** An annotation. A new value requests a replay: the audit logs of a period are sent again. */
export const replayAnnotation = `${group}/replay`;

/** Returns the value of that annotation, cut to the length of `status.lastHandledReplay`, or undefined if there is none. */
export function replayAnnotationOf(annotations: Readonly<Record<string, string>> | undefined): string | undefined {
  return annotations?.[replayAnnotation]?.slice(0, 128).toWellFormed();
}

const dnsSubdomain = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const regionName = '^[a-z][a-z0-9]{1,14}$';
export const uuid = '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$';
/** The ID of no object. Konnect shows it in a webhook that has no destination. */
export const nilUUID = '00000000-0000-0000-0000-000000000000';

/**
 * Adds the rule that a string of spec matches `pattern`, and `condition` in CEL. If the API server rejects a value because of a `pattern`
 * of the schema, it shows the regular expression.
 */
function matching(schema: z.ZodString, pattern: RegExp, message: string, { condition = '', more = [] }: Rules = {}) {
  const rules = [{ rule: `self.matches(r'${pattern.source}')${condition}`, message }, ...more];
  return schema.refine((value) => pattern.test(value)).meta({ 'x-kubernetes-validations': rules });
}

interface Rules {
  readonly condition?: string;
  readonly more?: readonly { readonly rule: string; readonly message: string }[];
}

function objectName(description: string) {
  const message = "a name has lower-case letters, digits, '-' and '.', and begins and ends with a letter or a digit";
  return matching(z.string().min(1).max(253), dnsSubdomain, message).meta({ description });
}

const SecretName = objectName('Name of a Secret in the namespace of this resource.');

function secretKey(standard: string, holds: string) {
  return matching(
    z.string().min(1).max(253),
    /^[-._a-zA-Z0-9]+$/,
    "a key of a Secret has letters, digits, '-', '_' and '.'",
  )
    .meta({ description: `Key of the Secret that holds ${holds}.` })
    .default(standard);
}

function objectID(description: string, rules?: Rules) {
  const message = 'an ID is a UUID in lower case, such as 3e551b39-227d-4297-b911-e68fd5d77c17: copy it from Konnect';
  return matching(z.string().min(1).max(36), new RegExp(uuid), message, rules).meta({ description });
}

/** Returns a string of at most `length` characters. It counts code points, as the API server does. */
function atMost(length: number) {
  return z
    .string()
    .refine((value) => value.length <= length || Array.from(value).length <= length)
    .meta({ maxLength: length });
}

/** Returns a duration between two others. `field` and `example` are for the message. */
function duration(field: string, [from, to]: readonly [string, string], example: string) {
  return matching(
    z.string().min(2).max(20),
    /^([0-9]{1,3}h)?([0-9]{1,5}m)?([0-9]{1,6}s)?$/,
    `${field} must be between ${from} and ${to}, in hours, minutes and seconds, such as ${example}`,
    { condition: ` && duration(self) >= duration('${from}') && duration(self) <= duration('${to}')` },
  );
}

function destinationName(description: string) {
  // No control characters, no invisible ones, and none that changes the direction of the text after it.
  return matching(
    atMost(128).min(1),
    /^[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+$/u,
    'a name has no line breaks, control or invisible characters',
  )
    .optional()
    .meta({ description });
}

export const LogFormat = z.enum(['cef', 'json', 'cps']);
export type LogFormat = z.infer<typeof LogFormat>;

export const AuditLogsAPI = z.enum(['v3', 'v2']);
export type AuditLogsAPI = z.infer<typeof AuditLogsAPI>;

const KonnectSpec = z
  .object({
    region: matching(
      z.string().min(2).max(15),
      new RegExp(regionName),
      'a region has lower-case letters and digits, and begins with a letter, such as us or eu',
      {
        more: [
          {
            rule: "self != 'global'",
            message: "region 'global' has no webhooks: set the region of your Dev Portals, such as us or eu",
          },
        ],
      },
    ).meta({
      description:
        'Konnect region of the Dev Portals and of the organization webhook: us, eu, au, me, in, sg or a newer one. ' +
        'After a change, the operator attaches the webhooks in the new region, then detaches those in the old one.',
    }),
    tokenSecretRef: z
      .object({ name: SecretName, key: secretKey('token', 'the Konnect access token (kpat_… or spat_…)') })
      .optional()
      .meta({
        description:
          'The Konnect access token. Its account must be able to manage audit-log destinations and webhooks, and to read the Dev Portals. Set either tokenSecretRef or authRef.',
      }),
    authRef: z
      .object({
        name: objectName(
          'Name of a KonnectAPIAuthConfiguration (konnect.konghq.com/v1alpha1) in the namespace of this resource.',
        ),
      })
      .optional()
      .meta({
        description:
          'The KonnectAPIAuthConfiguration of kong-operator that has the Konnect access token or names its Secret, instead of tokenSecretRef.',
      }),
    auditLogsAPI: AuditLogsAPI.default('v3').meta({
      description:
        "Version of Konnect's audit-logs API for destinations and for the organization's webhook. " +
        "In v2 the organization's webhook has no destination: it has the endpoint and the authorization itself.",
    }),
  })
  .meta({
    description: 'The region in Konnect, the access token, and the version of the API.',
    'x-kubernetes-validations': [
      {
        rule: 'has(self.tokenSecretRef) != has(self.authRef)',
        message: 'set exactly one of spec.konnect.tokenSecretRef and spec.konnect.authRef',
      },
    ],
  });

export const DestinationSpec = z
  .object({
    secretRef: z
      .object({
        name: SecretName,
        endpointKey: secretKey('endpoint', 'the https URL that receives the audit logs'),
        authorizationKey: secretKey(
          'authorization',
          'the value of the Authorization header that Konnect sends with the logs',
        ),
      })
      .meta({
        description:
          'The Secret with the endpoint and the authorization of the SIEM. The operator removes line breaks at the end of a value. It applies a change of the Secret at once.',
      }),
    name: destinationName(
      'Name of the destination in Konnect. Default: namespace/name of this resource, or cluster/namespace/name if the operator runs with --cluster-name.',
    ),
    authorizationScheme: matching(
      z.string().min(1).max(32),
      /^[A-Za-z][A-Za-z0-9-]*$/,
      'a scheme is one word of letters, digits and hyphens that begins with a letter, such as Bearer',
    )
      .optional()
      .meta({
        description:
          'Word that the operator puts before the authorization in the Secret, with a blank between them, such as Bearer or Splunk.',
      }),
    logFormat: LogFormat.default('cef').meta({ description: 'Format of the log lines that Konnect sends.' }),
    skipSSLVerification: z.boolean().default(false).meta({
      description:
        "true: Konnect does not verify the endpoint's TLS certificate, so an attacker on the network can read the logs. Use it only for tests.",
    }),
  })
  .meta({
    description:
      'The destination that the operator creates in Konnect and keeps as described here. Set either destination or destinationRef.',
  });

const DestinationRef = z
  .object({
    id: objectID('ID of the destination: a UUID in lower case, as Konnect shows it.').optional(),
    name: destinationName('Name of the destination. Exactly one destination in Konnect must have this name.'),
  })
  .meta({
    description:
      'A destination that already exists in Konnect, instead of destination. The operator attaches webhooks to it, and never changes or deletes it.',
    'x-kubernetes-validations': [
      {
        rule: 'has(self.id) != has(self.name)',
        message: 'set exactly one of spec.destinationRef.id and spec.destinationRef.name',
      },
    ],
  });

const OrganizationSpec = z
  .object({
    enabled: z.boolean().default(true).meta({ description: 'false: the webhook stays configured, but sends nothing.' }),
  })
  .meta({
    description:
      "The organization's webhook in this region, which sends the audit logs of Konnect itself. Without this field, the operator does not touch it. If you remove this field, the operator detaches it, and Konnect stops sending these logs.",
  });

const PortalSpec = z.object({
  id: objectID('ID of the Dev Portal: a UUID in lower case, as Konnect shows it.', {
    more: [
      {
        rule: `self != '${nilUUID}'`,
        message: 'the nil UUID is not the ID of a Dev Portal: set the ID that Konnect shows',
      },
    ],
  }),
  enabled: z.boolean().default(true).meta({ description: 'false: the webhook stays configured, but sends nothing.' }),
});

export type PortalSpec = z.infer<typeof PortalSpec>;

const PortalRefSpec = z.object({
  name: objectName('Name of a Portal (konnect.konghq.com/v1alpha1) in the namespace of this resource.'),
  enabled: z.boolean().default(true).meta({ description: 'false: the webhook stays configured, but sends nothing.' }),
});

export type PortalRefSpec = z.infer<typeof PortalRefSpec>;

const VerificationSpec = z
  .object({
    sumoLogic: z
      .object({
        secretRef: z
          .object({
            name: SecretName,
            accessIDKey: secretKey('accessId', 'the access ID'),
            accessKeyKey: secretKey('accessKey', 'the access key'),
          })
          .meta({ description: 'The Secret with an access key of SumoLogic, whose user may search the logs.' }),
        deployment: matching(
          z.string().min(2).max(15),
          /^[a-z][a-z0-9]{1,14}$/,
          'a deployment is a word of lower-case letters and digits, such as us1, us2 or eu',
        )
          .default('us1')
          .meta({
            description: 'Deployment of SumoLogic that the access key belongs to: us1, us2, eu, au or another one.',
          }),
        query: atMost(1024).min(1).meta({
          description:
            'Query that finds the lines of this forwarding in SumoLogic and no others, such as _sourceCategory="konnect". The operator searches only by the time at which SumoLogic received a line.',
        }),
      })
      .meta({ description: 'Where the operator looks for the audit lines.' }),
    interval: duration('spec.verification.interval', ['5m', '24h'], '15m').default('15m').meta({
      description: 'How often the operator searches. 5m to 24h.',
    }),
    window: duration('spec.verification.window', ['10m', '24h'], '1h').default('1h').meta({
      description:
        'How much of the audit log the operator compares each time. It ends --verification-delay ago, ten minutes by default. After an outage, the operator also compares everything since the last comparison, up to seven days. 10m to 24h.',
    }),
  })
  .meta({
    description:
      "Makes the operator look in SumoLogic for the lines that Konnect sent, and compare them with Konnect's own list. Without this field, the operator calls nothing of SumoLogic.",
  });

/** How many entries `spec.portals` may have, and `spec.portalRefs`. */
export const maxPortals = 100;

export const Spec = z
  .object({
    konnect: KonnectSpec,
    destination: DestinationSpec.optional(),
    destinationRef: DestinationRef.optional(),
    organization: OrganizationSpec.optional(),
    portals: z
      .array(PortalSpec)
      .max(maxPortals)
      .optional()
      .meta({
        description:
          'Dev Portals whose audit logs, the logins of developers, Konnect sends to the destination, by ID. The operator detaches each one that you remove.',
        'x-kubernetes-list-type': 'map',
        'x-kubernetes-list-map-keys': ['id'],
      }),
    portalRefs: z
      .array(PortalRefSpec)
      .max(maxPortals)
      .optional()
      .meta({
        description:
          'Dev Portals that kong-operator manages in this cluster, by the name of their Portal object. The operator reads their IDs from the status of these objects.',
        'x-kubernetes-list-type': 'map',
        'x-kubernetes-list-map-keys': ['name'],
      }),
    adoptionPolicy: z
      .enum(['IfMatching', 'Never', 'Always'])
      .default('IfMatching')
      .meta({
        description:
          'What the operator does with a destination that has the same name, or a webhook that is in use, if this resource did not set it. ' +
          'Never: it leaves the object unchanged and reports it. IfMatching: it adopts the object if the endpoint is the same and holds a secret itself, as the URL of a SumoLogic source does. Always: it adopts the object.',
      }),
    mode: z.enum(['Enforce', 'Observe']).default('Enforce').meta({
      description:
        'Enforce: the operator corrects what differs in Konnect. Observe: it reports the differences in status.drift and never writes to Konnect, not even when this resource is deleted.',
    }),
    gapRecovery: z
      .object({
        mode: z
          .enum(['None', 'Report', 'Replay'])
          .default('Report')
          .meta({
            description:
              'None: the operator records no gaps. Report: it records since when the logs of a webhook were not delivered, and how to replay them. ' +
              'Replay: it also makes Konnect send them again, once, as soon as deliveries succeed.',
          }),
      })
      .optional()
      .meta({ description: 'What the operator does about audit logs that were not delivered. Default: mode Report.' }),
    suspend: z.boolean().default(false).meta({
      description:
        'true: the operator reads and writes nothing in Konnect until this is false again. If this resource is deleted, deletionPolicy still applies.',
    }),
    deletionPolicy: z.enum(['Delete', 'Retain']).default('Delete').meta({
      description:
        'What the operator does in Konnect when this resource is deleted. Delete: it detaches the webhooks and deletes the destination. Retain: everything stays as it is.',
    }),
    interval: duration('spec.interval', ['1m', '24h'], '90m or 1h30m').default('10m').meta({
      description: 'How often the operator looks for changes of other clients in Konnect and corrects them. 1m to 24h.',
    }),
    verification: VerificationSpec.optional(),
  })
  .meta({
    description: 'Which audit logs Konnect sends, and to which SIEM.',
    'x-kubernetes-validations': [
      {
        rule:
          'has(self.organization) || (has(self.portals) && size(self.portals) > 0) || ' +
          '(has(self.portalRefs) && size(self.portalRefs) > 0)',
        message:
          'spec names no webhook: list a Dev Portal in spec.portals or spec.portalRefs, or write spec.organization as {} (without a value it counts as absent)',
      },
      {
        rule: 'has(self.destination) != has(self.destinationRef)',
        message: 'set exactly one of spec.destination and spec.destinationRef',
      },
      {
        rule: "!(has(self.konnect.auditLogsAPI) && self.konnect.auditLogsAPI == 'v2' && has(self.organization)) || has(self.destination)",
        message:
          'with spec.konnect.auditLogsAPI v2 the organization webhook has the endpoint itself: set spec.destination, not spec.destinationRef',
      },
    ],
  });
export type Spec = z.infer<typeof Spec>;

const timestamp = atMost(40);
/** These IDs go into request paths, so the schema rejects edited status values that are not UUIDs. */
const id = z.string().max(36).meta({ pattern: uuid });
/** An ID of SumoLogic, which goes into request paths as well. */
const jobID = z.string().max(64).meta({ pattern: '^[A-Za-z0-9_-]{1,64}$' });

/** How many search jobs status keeps that the operator has not deleted yet. */
export const maxRecordedJobs = 16;
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

/** What the API server shows until the operator has written status. It is a default of the CRD: the operator never writes it. */
export const pendingCondition: Condition = {
  type: 'Ready',
  status: 'Unknown',
  reason: 'Pending',
  message:
    'no operator has reconciled this forwarding yet: if this lasts, check that the operator runs and watches this namespace',
  lastTransitionTime: '1970-01-01T00:00:00Z',
};

const Updating = z.enum(['Change', 'Correction']).meta({
  description:
    'Present while a request that changes the object may be in flight. Change: spec or a Secret changed. Correction: another client changed the object.',
});

export const AppliedWebhook = z
  .object({
    destinationID: id.optional(),
    endpointDigest: digest.optional(),
    enabled: z.boolean(),
    logFormat: atMost(16).optional(),
    skipSSLVerification: z.boolean().optional(),
  })
  .meta({ description: 'What the operator last set, or found to match spec.' });
export type AppliedWebhook = z.infer<typeof AppliedWebhook>;

const CreatingStatus = z
  .object({ name: atMost(128), since: timestamp, secretVersion, endpointDigest: digest })
  .meta({ description: 'Present while a request that creates the destination may be in flight.' });

export const DestinationStatus = z
  .object({
    id: id.optional(),
    name: atMost(128),
    managed: z.boolean().optional().meta({ description: 'true: the operator changes and deletes this destination.' }),
    logFormat: atMost(16).optional(),
    skipSSLVerification: z.boolean().optional(),
    endpointDigest: digest.optional().meta({ description: 'Digest of the endpoint that the operator last applied.' }),
    secretVersion: secretVersion
      .optional()
      .meta({ description: 'Keyed digest of the Secret content that the operator last applied.' }),
    updatedAt: timestamp.optional().meta({ description: "Konnect's time of the operator's last change." }),
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
    endpointDigest: digest.optional().meta({ description: 'v2 only: digest of the endpoint that the operator set.' }),
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
  destinationID: id
    .optional()
    .meta({ description: 'The destination that the operator attached, or is about to attach.' }),
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
  reason: reasonText.optional().meta({
    description: 'Why the operator cannot tell whether this is done: Konnect no longer shows the Dev Portal.',
  }),
  unseenSince: timestamp.optional().meta({ description: 'Since when Konnect no longer shows the Dev Portal.' }),
});

export type CleanupStatus = z.infer<typeof CleanupStatus>;

const CorrectionStatus = z.object({
  object: atMost(64).meta({
    description: 'Which object: destination, organization, or portal/ and the ID of the portal.',
  }),
  at: z.array(timestamp).max(3),
});

export const DeliveryState = z.enum(['Delivered', 'NoAttemptYet', 'Failing', 'SwitchedOff', 'Off', 'Unknown']);
export type DeliveryState = z.infer<typeof DeliveryState>;

export const ReplayState = z.enum(['Requested', 'Accepted', 'Pending', 'Running', 'Completed', 'Failed']);
export type ReplayState = z.infer<typeof ReplayState>;

const ReplayStatus = z
  .object({
    from: timestamp,
    to: timestamp,
    state: ReplayState.meta({
      description:
        'Requested: the operator is about to request it, or Konnect runs another one. Accepted, Pending, Running, Completed, Failed: as Konnect says. ' +
        'Failed also says that Konnect refused it.',
    }),
    requestedTime: timestamp.meta({ description: 'When the operator decided to request it.' }),
    retryTime: timestamp
      .optional()
      .meta({ description: 'The operator requests a failed replay once more at this time.' }),
    isManual: z.boolean().optional().meta({ description: 'true: a user requested it with the annotation.' }),
    isRetry: z.boolean().optional().meta({ description: 'true: the first request of this replay failed.' }),
    code: z.int().optional().meta({ description: 'HTTP status with which Konnect refused it.' }),
  })
  .meta({
    description: 'The last replay that the operator requested: Konnect sends the audit logs of a period again.',
  });

export type ReplayStatus = z.infer<typeof ReplayStatus>;

/** How many gaps status keeps of each webhook, besides the newest one. */
export const maxEarlierGaps = 4;

const EndedGap = z.object({
  from: timestamp,
  to: timestamp,
  isFailed: z
    .boolean()
    .optional()
    .meta({ description: 'true: the replay of this gap failed, and the operator requests no other one.' }),
  isMerged: z.boolean().optional().meta({
    description: 'true: status had no room for each gap, so this one has several, and what was delivered in between.',
  }),
});

const GapStatus = EndedGap.extend({
  to: timestamp
    .optional()
    .meta({ description: 'The first delivery after it. Absent while no delivery has succeeded since.' }),
  closesAfter: timestamp.optional().meta({ description: 'Only a delivery after this time ends the gap.' }),
}).meta({ description: 'The newest period whose audit logs are not known to have been delivered.' });

export type GapStatus = z.infer<typeof GapStatus>;

const DeliveryStatus = z.object({
  key: atMost(64).meta({ description: 'Which webhook: organization, or the ID of the Dev Portal.' }),
  state: DeliveryState.meta({
    description:
      'Delivered: the last attempt succeeded. NoAttemptYet: Konnect had nothing to send. Failing: the last attempt failed. ' +
      'SwitchedOff: Konnect switched the webhook off after failed attempts. Off: the webhook is off. Unknown: Konnect does not show it, or it is not in place.',
  }),
  lastAttemptTime: timestamp.optional().meta({
    description:
      "Konnect's time of an attempt. Written if the state or the code changes, else at most once an hour, so that it may be an hour old.",
  }),
  lastResponseCode: z
    .int()
    .optional()
    .meta({ description: 'HTTP status of that attempt. Absent if the endpoint did not answer.' }),
  failingSince: timestamp
    .optional()
    .meta({ description: 'When the operator first saw a failed attempt. Absent while deliveries succeed.' }),
  lastDeliveredTime: timestamp
    .optional()
    .meta({ description: "Konnect's time of the last attempt that is known to have succeeded, up to an hour old." }),
  switchOn: z
    .object({
      attempts: z.int().min(0).meta({ description: 'How often the operator has switched the webhook on again.' }),
      notBefore: timestamp.meta({ description: 'The operator does not switch it on again before this time.' }),
    })
    .optional()
    .meta({ description: 'Present from when Konnect may have switched the webhook off until a delivery succeeds.' }),
  since: timestamp.optional().meta({
    description:
      'When the operator last attached the webhook or switched it on, as spec said. A gap begins no earlier.',
  }),
  earlierGaps: z
    .array(EndedGap)
    .max(maxEarlierGaps)
    .optional()
    .meta({ description: 'Gaps before gap that have ended and are not replayed yet, the oldest first.' }),
  gap: GapStatus.optional(),
  replay: ReplayStatus.optional(),
});

export type DeliveryStatus = z.infer<typeof DeliveryStatus>;

const VerificationStatus = z
  .object({
    since: timestamp.optional().meta({
      description: "When the operator first saw the organization's webhook on. It expects no earlier lines.",
    }),
    lastVerifiedTime: timestamp.optional().meta({ description: 'When the last verification began that has ended.' }),
    lastHandledReconcileAt: atMost(64).optional().meta({
      description:
        'The last value of the annotation konnect-audit-log.io/reconcile-requested-at for which a verification has ended.',
    }),
    window: z
      .object({ from: timestamp, to: timestamp })
      .optional()
      .meta({ description: "The last part of the audit log that it compared with Konnect's list." }),
    entries: z.int().min(0).optional().meta({
      description: "Entries of Konnect's list of audit logs. Absent if Konnect does not show the list.",
    }),
    found: z.int().min(0).optional().meta({ description: 'How many of them SumoLogic has.' }),
    missing: z.int().min(0).optional().meta({ description: 'How many of them SumoLogic lacks.' }),
    unsigned: z.int().min(0).optional().meta({ description: 'Lines in SumoLogic without a signature.' }),
    invalidSignatures: z.int().min(0).optional().meta({ description: 'Lines in SumoLogic with an invalid signature.' }),
    foreign: z.int().min(0).optional().meta({ description: "Lines in SumoLogic that Konnect's list lacks." }),
    latencyP50: atMost(16)
      .optional()
      .meta({ description: 'The time from an event to the arrival of its line, for half of the lines at most.' }),
    latencyP99: atMost(16).optional().meta({ description: 'The same for 99 of 100 lines.' }),
    oldestMissing: z
      .object({ traceID: z.string().max(20).meta({ pattern: '^[0-9]{1,20}$' }), time: timestamp })
      .optional()
      .meta({ description: 'The oldest missing entry.' }),
    gapUntil: timestamp.optional().meta({
      description: 'Missing lines up to this time are in a gap of delivery or were replayed, and make no other gap.',
    }),
    probeTime: timestamp.optional().meta({
      description: 'When the operator listed the control planes only to look for the line of this call.',
    }),
    jobs: z.array(jobID).max(maxRecordedJobs).optional().meta({
      description: 'Search jobs in SumoLogic that the operator has not deleted yet.',
      'x-kubernetes-list-type': 'atomic',
    }),
  })
  .meta({ description: 'What the last verification found.' });

export type VerificationStatus = z.infer<typeof VerificationStatus>;

const AdoptionStatus = z.object({
  destinationID: id.optional().meta({
    description:
      "The destination that was adopted, or that an adopted webhook pointed at. Absent: the organization's webhook, which had the endpoint itself.",
  }),
  at: timestamp,
  corrected: z.boolean().optional().meta({
    description: 'true: another client changed it since, and the operator corrected that.',
  }),
  takenBack: z.boolean().optional().meta({
    description: 'true: another client took it back, and the operator leaves it to that client.',
  }),
});

export type AdoptionStatus = z.infer<typeof AdoptionStatus>;

const DriftStatus = z.object({
  object: atMost(64).meta({
    description: 'Which object: destination, organization, or portal/ and the ID of the portal.',
  }),
  fields: z.array(atMost(64)).max(16),
});

export type DriftStatus = z.infer<typeof DriftStatus>;

export const Status = z
  .object({
    observedGeneration: z
      .int()
      .optional()
      .meta({ format: 'int64', description: 'Generation of spec that this status is about.' }),
    conditions: z
      .array(Condition)
      .max(16)
      .optional()
      .meta({
        'x-kubernetes-list-type': 'map',
        'x-kubernetes-list-map-keys': ['type'],
        default: [pendingCondition],
      }),
    lastObservedTime: z.string().optional().meta({
      format: 'date-time',
      description:
        'When the operator last compared Konnect with spec. It writes a new time at most once an hour, so the last comparison may be up to an hour later.',
    }),
    konnect: z.object({ organizationID: id, region }).optional().meta({
      description: 'The organization that the token belongs to, and the region that the operator last applied.',
    }),
    destination: DestinationStatus.optional(),
    organization: OrganizationStatus.optional(),
    portals: z.array(PortalStatus).max(200).optional().meta({
      description: 'The Dev Portals, in the order of their IDs.',
      'x-kubernetes-list-type': 'atomic',
    }),
    portalsReady: atMost(16)
      .optional()
      .meta({ description: 'How many of the Dev Portals in spec are in place, such as 1/2.' }),
    delivery: z
      .array(DeliveryStatus)
      .max(202)
      .optional()
      .meta({
        description: 'Whether the audit logs of each webhook are delivered, as far as Konnect says so.',
        'x-kubernetes-list-type': 'map',
        'x-kubernetes-list-map-keys': ['key'],
      }),
    verification: VerificationStatus.optional(),
    corrections: z.array(CorrectionStatus).max(202).optional().meta({
      description:
        'When the operator corrected changes of other clients in the last 24 hours. After three corrections it leaves the object unchanged.',
      'x-kubernetes-list-type': 'atomic',
    }),
    adoptions: z.array(AdoptionStatus).max(202).optional().meta({
      description:
        'What the operator adopted in the last 4 days with the policy IfMatching. If another client takes it back, the operator leaves it to that client.',
      'x-kubernetes-list-type': 'atomic',
    }),
    drift: z.array(DriftStatus).max(202).optional().meta({
      description: 'With mode Observe: what differs in Konnect from spec and the Secrets.',
      'x-kubernetes-list-type': 'atomic',
    }),
    lastHandledReconcileAt: atMost(64).optional().meta({
      description:
        'The last value of the annotation konnect-audit-log.io/reconcile-requested-at for which a reconciliation has ended.',
    }),
    lastHandledReplay: atMost(128).optional().meta({
      description: 'The last value of the annotation konnect-audit-log.io/replay that the operator has answered.',
    }),
    cleanup: z.array(CleanupStatus).max(1000).optional().meta({
      description: 'What the operator still has to detach or delete in Konnect.',
      'x-kubernetes-list-type': 'atomic',
    }),
  })
  .meta({
    description: 'What the operator recorded about Konnect, and its report. Only the operator writes it.',
    default: { observedGeneration: -1 },
  });
export type Status = z.infer<typeof Status>;

/** Returns the status as the operator wrote it: without the default condition, which stands for no report. */
function withoutPending({ conditions, ...status }: Status): Status {
  const reported = conditions?.filter(({ reason }) => reason !== pendingCondition.reason) ?? [];
  return reported.length === 0 ? status : { ...status, conditions: reported };
}

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
  status: Status.default({}).transform(withoutPending),
});

export type AuditLogForwarding = z.infer<typeof AuditLogForwarding>;
