import type { Measurement } from './row.ts';
import { budget } from './rows/budget.ts';
import { lifecycle } from './rows/lifecycle.ts';
import { size } from './rows/size.ts';

/** In the order of the table. */
export const measurements: readonly Measurement[] = [size, lifecycle, budget];
