import type { Measurement } from './row.ts';
import { alone } from './rows/alone.ts';
import { budget } from './rows/budget.ts';
import { compare } from './rows/compare.ts';
import { growth } from './rows/growth.ts';
import { lifecycle } from './rows/lifecycle.ts';
import { quota } from './rows/quota.ts';
import { changes, resync } from './rows/reaction.ts';
import { rest } from './rows/rest.ts';
import { secrets } from './rows/secrets.ts';
import { size } from './rows/size.ts';
import { start } from './rows/start.ts';
import { verify, verifyMemory } from './rows/verify.ts';

/** In the order of the table. */
export const measurements: readonly Measurement[] = [
  size,
  start,
  alone,
  lifecycle,
  budget,
  quota,
  rest,
  resync,
  changes,
  secrets,
  growth,
  verify,
  verifyMemory,
  compare,
];
