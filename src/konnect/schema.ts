import * as z from 'zod';

/** The version of Konnect's audit-log API. */
export type AuditLogsAPI = 'v2' | 'v3';

export type LogFormat = 'cef' | 'json' | 'cps';

/** A destination as Konnect shows it. Only the ID is certain: the API declares no field as required, and `authorization` is write-only. */
export interface Destination {
  /** A UUID in lower case. */
  id: string;
  name?: string | undefined;
  /** Secret, because the endpoint of some SIEMs contains the credential. */
  endpoint?: string | undefined;
  /** Any word, because Konnect may know formats that the operator does not know. */
  logFormat?: string | undefined;
  skipSSLVerification?: boolean | undefined;
  createdAt?: string | undefined;
  updatedAt?: string | undefined;
}

/** The wanted destination. Every PATCH sends every field, because Konnect may set missing fields to its defaults. */
export interface DestinationBody {
  name: string;
  endpoint: string;
  authorization: string;
  logFormat: LogFormat;
  skipSSLVerification: boolean;
}

/** Returns the destination as Konnect's API names its fields. */
export function destinationJSON(body: DestinationBody): object {
  return {
    name: body.name,
    endpoint: body.endpoint,
    authorization: body.authorization,
    log_format: body.logFormat,
    skip_ssl_verification: body.skipSSLVerification,
  };
}

/** The webhook of a portal, or of an organization in v3. */
export interface Webhook {
  /** A UUID in lower case. Undefined if Konnect names none: the field is missing, empty, or the nil UUID. */
  destinationID: string | undefined;
  enabled: boolean;
}

export interface WebhookBody {
  destinationID: string;
  enabled: boolean;
}

/** The webhook of an organization in v2, which has the endpoint in itself. */
export interface InlineWebhook {
  /** Secret. Undefined if no endpoint was ever configured. */
  endpoint: string | undefined;
  enabled: boolean;
  logFormat?: string | undefined;
  skipSSLVerification?: boolean | undefined;
  updatedAt?: string | undefined;
}

export interface InlineWebhookBody {
  endpoint: string;
  authorization: string;
  enabled: boolean;
  logFormat: LogFormat;
  skipSSLVerification: boolean;
}

/** Returns the inline webhook as Konnect's API names its fields. */
export function inlineWebhookJSON(body: InlineWebhookBody): object {
  return {
    endpoint: body.endpoint,
    authorization: body.authorization,
    enabled: body.enabled,
    log_format: body.logFormat,
    skip_ssl_verification: body.skipSSLVerification,
  };
}

/** How a webhook delivers, as Konnect sees it. Konnect's text about the last attempt is left out, because it may contain the endpoint. */
export interface WebhookStatus {
  /** Whether the webhook is on. */
  enabled?: boolean | undefined;
  /** `active`, `inactive`, `unconfigured`, or a word that the operator does not know. */
  word?: string | undefined;
  /** Undefined if there was no attempt yet. */
  lastAttemptAt?: string | undefined;
  /** The HTTP status of the endpoint's last answer. Undefined without an attempt, and if the endpoint did not answer. */
  lastResponseCode?: number | undefined;
  /** Why the endpoint did not answer, as far as Konnect's text says so. */
  lastFailure?: 'certificate' | 'name' | 'connection' | undefined;
}

/** An object of which only the ID is used, a UUID in lower case. */
export interface Identified {
  id: string;
}

const uuidPattern = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Returns whether `text` is a UUID in upper or lower case, including the nil UUID. */
export function hasFormOfUUID(text: string): boolean {
  return uuidPattern.test(text);
}

/** Returns whether `text` is a UUID in upper or lower case. The nil UUID does not count, because it names nothing. */
function isUUID(text: string): boolean {
  return hasFormOfUUID(text) && /[1-9a-f]/i.test(text);
}

const uuid = z
  .string()
  .refine(isUUID)
  .transform((text) => text.toLowerCase());

/** A longer list is refused before its entries are parsed, because four megabytes may contain millions of invalid entries. */
const maxEntries = 1_000;

function listOf<T>(schema: z.ZodType<T>) {
  return z.array(z.unknown()).max(maxEntries).pipe(z.array(schema));
}

/** The entries of a page that match their schema, and how many others there are. */
export interface Entries<T> {
  readonly valid: T[];
  readonly skipped: number;
}

/** Returns a schema for the entries of a page. It skips entries that do not match. A page of which none matches is refused. */
function entriesOf<T>(schema: z.ZodType<T>) {
  return z
    .array(z.unknown())
    .max(maxEntries)
    .transform((entries): Entries<T> => {
      const valid = entries.flatMap((entry) => schema.safeParse(entry).data ?? []);
      return { valid, skipped: entries.length - valid.length };
    })
    .refine(({ valid, skipped }) => valid.length > 0 || skipped === 0);
}

/** Returns a schema for a field that may be missing. `null` counts as missing. */
function optional<T>(schema: z.ZodType<T>) {
  return schema.nullish().transform((value) => value ?? undefined);
}

/** Returns a schema for a string that is only shown or compared. Everything else counts as missing. */
function shown(pattern: RegExp) {
  return z.string().regex(pattern).optional().catch(undefined);
}

export const timestamp = shown(/^[0-9TZ:.+-]{1,40}$/);
const word = shown(/^[A-Za-z0-9_-]{1,32}$/);

const destinationFields = {
  name: optional(z.string()),
  endpoint: optional(z.string()),
  log_format: word,
  skip_ssl_verification: optional(z.boolean()),
  created_at: timestamp,
  updated_at: timestamp,
};

interface DestinationAnswer {
  id: string;
  name: string | undefined;
  endpoint: string | undefined;
  log_format?: string | undefined;
  skip_ssl_verification: boolean | undefined;
  created_at?: string | undefined;
  updated_at?: string | undefined;
}

function toDestination(answer: DestinationAnswer): Destination {
  return {
    id: answer.id,
    name: answer.name,
    endpoint: answer.endpoint,
    logFormat: answer.log_format,
    skipSSLVerification: answer.skip_ssl_verification,
    createdAt: answer.created_at,
    updatedAt: answer.updated_at,
  };
}

export const destinationSchema = z.object({ id: uuid, ...destinationFields }).transform(toDestination);

const destinationItemSchema = z.object({ id: optional(uuid), ...destinationFields });

/**
 * Returns the schema for an answer about a destination with a known ID. The answer may lack the ID, but must not have another one. zod compiles each object
 * schema at its first use, so all IDs share one.
 */
export function destinationSchemaOf(id: string) {
  return destinationItemSchema.transform((answer, context) => {
    if (answer.id === undefined || answer.id === id) return toDestination({ ...answer, id });
    context.addIssue('another ID');
    return z.NEVER;
  });
}

/** An entry of a list counts if its ID is valid. Its invalid fields count as missing. */
const destinationEntrySchema = z
  .object({
    id: uuid,
    ...destinationFields,
    name: destinationFields.name.catch(undefined),
    endpoint: destinationFields.endpoint.catch(undefined),
    skip_ssl_verification: destinationFields.skip_ssl_verification.catch(undefined),
  })
  .transform(toDestination);

export const destinationPageSchema = z.object({
  data: entriesOf(destinationEntrySchema),
  meta: optional(z.object({ next: optional(z.string()) })),
});

export const webhookSchema = z
  .object({
    audit_log_destination_id: optional(
      z
        .union([z.literal(''), z.string().refine(hasFormOfUUID)])
        .transform((text) => (isUUID(text) ? text.toLowerCase() : undefined)),
    ),
    enabled: optional(z.boolean()),
  })
  .transform(
    (answer): Webhook => ({ destinationID: answer.audit_log_destination_id, enabled: answer.enabled ?? false }),
  );

export const inlineWebhookSchema = z
  .object({
    endpoint: optional(z.string()),
    enabled: optional(z.boolean()),
    log_format: word,
    skip_ssl_verification: optional(z.boolean()),
    updated_at: timestamp,
  })
  .transform(
    (answer): InlineWebhook => ({
      endpoint: answer.endpoint === '' || answer.endpoint === 'unconfigured' ? undefined : answer.endpoint,
      enabled: answer.enabled ?? false,
      logFormat: answer.log_format,
      skipSSLVerification: answer.skip_ssl_verification,
      updatedAt: answer.updated_at,
    }),
  );

export const webhookStatusSchema = z
  .object({
    webhook_enabled: optional(z.boolean()),
    webhook_status: word,
    last_attempt_at: timestamp,
    last_response_code: z.int().min(100).max(999).optional().catch(undefined),
    last_response_message: z.string().optional().catch(undefined),
  })
  .transform(
    (answer): WebhookStatus => ({
      enabled: answer.webhook_enabled,
      word: answer.webhook_status,
      lastAttemptAt: unlessZero(answer.last_attempt_at),
      lastResponseCode: answer.last_response_code,
      lastFailure: answer.last_response_code === undefined ? failureIn(answer.last_response_message) : undefined,
    }),
  );

/** Returns a time as it is, and undefined for the zero time, which stands for a time that was never set. */
export function unlessZero(time: string | undefined): string | undefined {
  return time?.startsWith('0001-') === true ? undefined : time;
}

/** Returns why a delivery failed. URLs and names of hosts in the text do not count, since they may contain any word. */
function failureIn(text = ''): WebhookStatus['lastFailure'] {
  const words = text.slice(0, 1_000).replaceAll(/\S*[./]\S*/g, ' ');
  if (/\b(?:certificate|x509|tls|ssl|handshake)\b/i.test(words)) return 'certificate';
  if (/\b(?:no such host|enotfound|eai_again|getaddrinfo|dns|nxdomain|lookup)\b/i.test(words)) return 'name';
  return /\b(?:econn\w+|refused|reset|unreachable|time(?:d ?)?out|etimedout|eof|hang up|closed|aborted)\b/i.test(words)
    ? 'connection'
    : undefined;
}

export const identifiedSchema = z.object({ id: uuid });

export const portalPageSchema = z.object({ data: entriesOf(identifiedSchema) });

/** The part of an error body (RFC 9457) that the operator uses. The rest is free text. */
export const problemSchema = z.object({
  // A number, so that it cannot repeat anything of the request.
  instance: z
    .string()
    .regex(/^[a-z]{1,16}:trace:\d{1,20}$/)
    .optional()
    .catch(undefined),
  invalid_parameters: listOf(z.object({ field: z.string().catch('') }).catch({ field: '' }))
    .catch([])
    .default([]),
  message: z.string().optional().catch(undefined),
});
