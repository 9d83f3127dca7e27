/** The replay jobs of webhooks: what the operator sends and reads. */
import * as z from 'zod';
import { timestamp, unlessZero } from './schema.ts';

const states = ['unconfigured', 'accepted', 'pending', 'running', 'completed', 'failed'] as const;

/** A period whose audit logs Konnect sends again. Times are RFC 3339. */
export interface ReplayWindow {
  from: string;
  to: string;
}

/** The last replay job of a webhook, as far as Konnect shows it. */
export interface ReplayJob {
  from?: string | undefined;
  to?: string | undefined;
  /** Undefined if it is a word that the operator does not know. */
  state?: (typeof states)[number] | undefined;
  updatedAt?: string | undefined;
}

/** Returns the window as Konnect's API names its fields. */
export function replayWindowJSON({ from, to }: ReplayWindow): object {
  return { start_at: from, end_at: to };
}

export const replayJobSchema = z
  .object({
    start_at: timestamp,
    end_at: timestamp,
    status: z.enum(states).optional().catch(undefined),
    updated_at: timestamp,
  })
  .transform(
    (answer): ReplayJob => ({
      from: unlessZero(answer.start_at),
      to: unlessZero(answer.end_at),
      state: answer.status,
      updatedAt: unlessZero(answer.updated_at),
    }),
  );
