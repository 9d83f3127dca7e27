import * as z from 'zod';
import { badRequest, type InvalidParameter } from './problem.ts';

/**
 * Parses a request body strictly. A null field is ignored.
 *
 * @throws {Problem} 400 that names and echoes every field which is unknown, missing or of the wrong type
 */
export function readBody<Schema extends z.ZodType>(schema: Schema, body: unknown): z.output<Schema> {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw badRequest(`Could not parse request body [${JSON.stringify(body)}]`, [
      { field: 'body', reason: 'request format is invalid' },
    ]);
  }
  const sent = Object.fromEntries(Object.entries(body).filter(([, value]) => value !== null));
  const result = schema.safeParse(sent, { reportInput: true });
  if (result.success) return result.data;
  throw invalid(result.error.issues.flatMap(describe));
}

/** Returns a 400 whose detail repeats the reasons. */
export function invalid(invalidParameters: readonly InvalidParameter[]): Error {
  const reasons = invalidParameters.map(({ field, reason }) => `${field} ${reason}`);
  return badRequest(`Invalid Parameters: ${reasons.join('; ')}`, invalidParameters);
}

export const uuid = z.guid();
export const endpoint = z.url({ protocol: /^https?$/ });
/** A name or a header value that is not blank. */
export const text = z.stringFormat('not_blank', /\S/);
export const logFormat = z.enum(['cef', 'json', 'cps']);
export const dateTime = z.stringFormat('date_time', isDateTime);

function isDateTime(value: string): boolean {
  return (
    /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})$/.test(value) && !Number.isNaN(Date.parse(value))
  );
}

function describe(issue: z.core.$ZodIssue): InvalidParameter[] {
  const field = issue.path.join('.');
  const sent = JSON.stringify(issue.input);
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({
      field: key,
      rule: 'unknown_property',
      reason: `is not a known property [${sent}]`,
    }));
  }
  if (issue.input === undefined) return [{ field, rule: 'required', reason: 'is a required field' }];
  if (issue.code === 'invalid_type') {
    return [{ field, rule: `is_${issue.expected}`, reason: `must be a ${issue.expected} [${sent}]` }];
  }
  if (issue.code === 'invalid_value') {
    const choices = issue.values;
    return [{ field, rule: 'enum', reason: `must be one of [${choices.join(', ')}], not [${sent}]`, choices }];
  }
  if (issue.code === 'invalid_format') return [format(field, issue.format, sent)];
  return [{ field, rule: 'invalid', reason: `is invalid [${sent}]` }];
}

function format(field: string, name: string, sent: string | undefined): InvalidParameter {
  if (name === 'not_blank') return { field, rule: 'required', reason: 'cannot be blank' };
  if (name === 'url') {
    return sent === '""'
      ? { field, rule: 'required', reason: 'cannot be blank' }
      : { field, rule: 'invalid', reason: `must be a valid URL [${sent}]` };
  }
  if (name === 'guid') return { field, rule: 'is_uuid', reason: `must be a UUID [${sent}]` };
  return { field, rule: 'is_date_time', reason: `must be an RFC 3339 date-time [${sent}]` };
}
