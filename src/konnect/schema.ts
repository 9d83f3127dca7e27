import * as z from 'zod';

/** Version of Konnect's audit-log API. */
export type AuditLogsAPI = 'v2' | 'v3';

export type LogFormat = 'cef' | 'json' | 'cps';

/** A destination as Konnect shows it. Only the id is certain: the API declares no field as required, and `authorization` is write-only. */
export interface Destination {
  /** UUID in lower case. */
  id: string;
  name?: string | undefined;
  /** A secret: some SIEMs put the credential into it. */
  endpoint?: string | undefined;
  /** Open: Konnect may know formats that we do not. */
  logFormat?: string | undefined;
  skipSSLVerification?: boolean | undefined;
  createdAt?: string | undefined;
  updatedAt?: string | undefined;
}

/** What a destination is to be. Every PATCH sends every field, since left-out ones may be filled with Konnect's defaults. */
export interface DestinationBody {
  name: string;
  endpoint: string;
  authorization: string;
  logFormat: LogFormat;
  skipSSLVerification: boolean;
}

/** A portal's webhook, or an organization's in v3. */
export interface Webhook {
  /** UUID in lower case; undefined where Konnect names none (left out, empty, or the nil UUID). */
  destinationID: string | undefined;
  enabled: boolean;
}

export interface WebhookBody {
  destinationID: string;
  enabled: boolean;
}

/** An organization's webhook in v2, which carries the endpoint itself. */
export interface InlineWebhook {
  /** A secret; undefined where none was ever configured. */
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

/** Something of which only the id (a UUID in lower case) is of interest. */
export interface Identified {
  id: string;
}

const uuidPattern = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const nilUUID = '00000000-0000-0000-0000-000000000000';

/** True for a UUID in either case, the nil UUID included. */
export function hasFormOfUUID(text: string): boolean {
  return uuidPattern.test(text);
}

/** True for a UUID in either case; the nil UUID names nothing and is none. */
function isUUID(text: string): boolean {
  return hasFormOfUUID(text) && text !== nilUUID;
}

const uuid = z
  .string()
  .refine(isUUID)
  .transform((text) => text.toLowerCase());

/** A longer one is refused whole, before any of it is looked at: four megabytes of nonsense hold millions of entries. */
const mostEntries = 1_000;

function listOf<T>(schema: z.ZodType<T>) {
  return z.array(z.unknown()).max(mostEntries).pipe(z.array(schema));
}

/** Left out, or `null`, which counts as left out. */
function optional<T>(schema: z.ZodType<T>) {
  return schema.nullish().transform((value) => value ?? undefined);
}

/** A string that is only shown or compared: one that does not look as it should counts as left out. */
function shown(pattern: RegExp) {
  return optional(z.string()).transform((text) => (text !== undefined && pattern.test(text) ? text : undefined));
}

const timestamp = shown(/^[0-9TZ:.+-]{1,40}$/);
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
  log_format: string | undefined;
  skip_ssl_verification: boolean | undefined;
  created_at: string | undefined;
  updated_at: string | undefined;
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

/** The answer about a destination whose id is known: it may leave the id out, but must not name another. */
export function destinationSchemaOf(id: string) {
  return z
    .object({ id: optional(uuid), ...destinationFields })
    .refine((answer) => answer.id === undefined || answer.id === id)
    .transform((answer) => toDestination({ ...answer, id }));
}

export const destinationPageSchema = z.object({
  data: listOf(destinationSchema),
  meta: optional(z.object({ next: optional(z.string()) })),
});

export const webhookSchema = z
  .object({
    audit_log_destination_id: optional(z.union([z.literal(['', nilUUID]).transform(() => undefined), uuid])),
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

export const identifiedSchema = z.object({ id: uuid });

export const portalPageSchema = z.object({ data: listOf(identifiedSchema) });

/** The part of an error's body (RFC 9457) that may be looked at; the rest is free text. */
export const problemSchema = z.object({
  // A number, so that nothing which was sent can come back in it.
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
