import { expect, test } from '@jest/globals';
import { problemOf, reasons, stalled, waiting } from '../../../src/forwarding/problems.ts';
import {
  KonnectError,
  type KonnectErrorFields,
  listedButNotServedCode,
  proxyAuthenticationCode,
} from '../../../src/konnect/errors.ts';
import { causeOf, mergeCauses, type Problem, worstFirst } from '../../../src/status/problem.ts';

const tokenSource = 'Secret konnect, key token';
const object = 'portal 3e551b39-227d-4297-b911-e68fd5d77c17';

function problem(fields: Omit<KonnectErrorFields, 'operation'>) {
  const now = () => new Date('2026-01-02T03:04:05Z');
  return problemOf(new KonnectError({ operation: 'update portal webhook', ...fields }), object, { tokenSource, now });
}

/** The message as a condition shows it. */
function shown(found: Problem): string {
  return mergeCauses([found])[0]?.message ?? '';
}

test.each([
  ['Unauthorized', 401, 'stalled', 'TokenRejected', ['401', tokenSource]],
  ['Forbidden', 403, 'stalled', 'PermissionDenied', ['update portal webhook', object, '403', tokenSource, 'quota']],
  ['NotFound', 404, 'stalled', 'RequestRefused', ['update portal webhook', object, '404']],
  ['Conflict', 409, 'waiting', 'Detaching', ['update portal webhook', object, '409']],
  ['Refused', 422, 'stalled', 'RequestRefused', ['update portal webhook', object, '422', 'spec.destination']],
  ['RateLimited', 429, 'unavailable', 'RateLimited', ['429', 'the operator waits until 2026-01-02T03:05:00Z']],
  ['ServerError', 503, 'unavailable', 'KonnectUnavailable', ['update portal webhook', object, 'HTTP 503']],
  ['ServerError', 408, 'unavailable', 'KonnectUnavailable', ['update portal webhook', object, 'HTTP 408']],
  ['Unreachable', undefined, 'unavailable', 'KonnectUnavailable', ['cannot reach Konnect', 'firewall']],
  ['UnexpectedAnswer', 200, 'unavailable', 'UnexpectedAnswer', ['--konnect-url', 'proxy']],
] as const)('%s says what, why and what to do', (kind, status, severity, reason, words) => {
  const found = problem({ kind, status });
  expect(found).toMatchObject({ severity, reason });
  for (const word of words) expect(shown(found)).toContain(word);
});

test('a destination that is listed and not served has another message than an answer of a proxy', () => {
  const found = problem({ kind: 'UnexpectedAnswer', status: 404, code: listedButNotServedCode });
  expect(found).toMatchObject({ severity: 'unavailable', reason: 'UnexpectedAnswer' });
  for (const word of ['404 or 405', 'update portal webhook', 'spec.konnect.region']) {
    expect(shown(found)).toContain(word);
  }
});

test('the message for a proxy that rejects its user or password names the variables to correct', () => {
  const found = problem({ kind: 'Unreachable', code: proxyAuthenticationCode });
  expect(found).toMatchObject({ severity: 'unavailable', reason: 'KonnectUnavailable' });
  for (const word of ['407', 'HTTPS_PROXY', 'update portal webhook']) expect(shown(found)).toContain(word);
});

test('refused fields are named without a text from Konnect', () => {
  const found = problem({ kind: 'Refused', status: 400, refusedFields: ['endpoint', 'log_format'] });
  expect(found.message).toContain('(HTTP 400, fields endpoint, log_format)');
});

test.each([
  ['RateLimited', 15_000],
  ['ServerError', undefined],
] as const)('the a delay that Konnect asks for is kept: %s; without it %s', (kind, otherwise) => {
  expect(problem({ kind, status: 503, retryAfterMs: 77_000 }).retryAfterMs).toBe(77_000);
  expect(problem({ kind, status: 503 }).retryAfterMs).toBe(otherwise);
});

test.each([
  'Unauthorized',
  'Forbidden',
  'NotFound',
  'Conflict',
  'Refused',
  'RateLimited',
  'ServerError',
  'Unreachable',
  'UnexpectedAnswer',
] as const)('the message of %s is the same for every request of its kind', (kind) => {
  const first = problem({ kind, status: 503, instance: 'kong:trace:1', code: 'ECONNRESET', retryAfterMs: 1_000 });
  const second = problem({ kind, status: 503, instance: 'kong:trace:2', code: 'ETIMEDOUT', retryAfterMs: 2_000 });
  expect(second.message).toBe(first.message);
  expect(first.message).not.toMatch(/kong:trace|ECONNRESET/);
});

test('500 and 503 are one cause, since a failing server can answer either, and so are two ends of a limit', () => {
  const causeWith = (fields: Omit<KonnectErrorFields, 'operation'>) => causeOf(problem(fields).message);
  expect(causeWith({ kind: 'ServerError', status: 500 })).toBe(causeWith({ kind: 'ServerError', status: 503 }));
  expect(causeWith({ kind: 'RateLimited', retryAfterMs: 1_000 })).toBe(
    causeWith({ kind: 'RateLimited', retryAfterMs: 600_000 }),
  );
  expect(causeWith({ kind: 'Refused', status: 422 })).not.toBe(causeWith({ kind: 'Refused', status: 400 }));
});

test('failures of one cause become one message, which names up to three objects', () => {
  const failures = (count: number, kind: 'ServerError' | 'Forbidden', status: number) =>
    Array.from({ length: count }, (_, index) => {
      const operation = index === 0 ? 'list destinations' : 'get portal webhook';
      const now = () => new Date(0);
      const retryAfterMs = kind === 'ServerError' ? index * 1_000 : undefined;
      const error = new KonnectError({ kind, operation, status: status + (index % 2), retryAfterMs });
      return problemOf(error, `object ${String(index)}`, { tokenSource, now });
    });
  const [three, ...noMore] = mergeCauses(failures(3, 'ServerError', 502));
  expect(noMore).toEqual([]);
  expect(three).toEqual({
    reason: 'KonnectUnavailable',
    severity: 'unavailable',
    message:
      "object 0 (list destinations), object 1 (get portal webhook), object 2 (get portal webhook): Konnect failed (HTTP 502); the operator retries. If this lasts, see Konnect's status page",
    retryAfterMs: 2_000,
  });
  const [first, ...more] = mergeCauses(failures(100, 'ServerError', 502));
  expect([first?.message, more]).toEqual([expect.stringMatching(/^more than three objects: Konnect failed/), []]);
  const mixed = mergeCauses([...failures(2, 'Forbidden', 403), ...failures(2, 'ServerError', 502)]);
  expect(mixed.map(({ reason }) => reason)).toEqual(['PermissionDenied', 'KonnectUnavailable']);
});

test('problems that need a user come first, then those that wait, then outages; equal ones keep their order', () => {
  const unavailable = problem({ kind: 'ServerError', status: 500 });
  const [wait, stall, stallToo] = [waiting('Creating', ''), stalled('NameInUse', 'a'), stalled('NameInUse', 'b')];
  expect(worstFirst([unavailable, wait, stall, stallToo])).toEqual([stall, stallToo, wait, unavailable]);
});

test('reasons are words that Kubernetes takes as the reason of a condition', () => {
  for (const reason of Object.values(reasons)) expect(reason).toMatch(/^[A-Z][A-Za-z]{2,40}$/);
});
