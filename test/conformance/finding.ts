import { setTimeout as delay } from 'node:timers/promises';
import type { Json, Polling } from './contract-client.ts';

/** One question that Kong's documents leave open, and the answer of the organization. */
export interface Finding {
  readonly id: string;
  readonly question: string;
  readonly answer: string;
}

export function finding(id: string, question: string, answer: string | number): Finding {
  return { id, question, answer: String(answer) };
}

const nilID = '00000000-0000-0000-0000-000000000000';

/** Returns in words the target of a v3 webhook in an answer. */
export function describeWebhook(status: number, body: Json): string {
  if (status === 404) return '404';
  if (status !== 200) return `status ${status}`;
  const { audit_log_destination_id: id, enabled } = body;
  const named =
    id === undefined
      ? 'no id'
      : id === null
        ? 'a null id'
        : id === ''
          ? 'an empty id'
          : id === nilID
            ? 'the nil id'
            : 'a destination';
  return `${named}, ${enabled === true ? 'enabled' : 'disabled'}`;
}

/** Returns in words the value of a time that was never set. */
export function describeTime(value: unknown, created: unknown): string {
  if (value === undefined || value === null) return 'absent';
  if (typeof value !== 'string') return 'no text';
  if (value.startsWith('0001-01-01T00:00:0'))
    return Number.isNaN(Date.parse(value)) ? `malformed (${value})` : 'the zero time';
  return Date.parse(value) === Date.parse(String(created)) ? 'the time of creation' : 'another time';
}

/** Polls until `seen` holds three times in sequence. Resolves with `at once`, `after … s` or `not within … s`. */
export async function howSoon(
  seen: () => Promise<boolean>,
  { pollMs, limitMs }: Polling,
  timesRunning = 3,
): Promise<string> {
  const since = performance.now();
  let running = 0;
  let firstMs = 0;
  let missed = false;
  for (;;) {
    const atMs = performance.now() - since;
    if (await seen()) {
      if (running === 0) firstMs = atMs;
      running += 1;
      if (running >= timesRunning) return missed ? `after ${(firstMs / 1_000).toFixed(1)} s` : 'at once';
    } else {
      missed = true;
      running = 0;
      if (atMs > limitMs) return `not within ${(limitMs / 1_000).toFixed(1)} s`;
    }
    await delay(pollMs);
  }
}
