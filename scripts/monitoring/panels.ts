/** The rows of the dashboard. */
import type { RowSpec } from './panel.ts';
import { arriving } from './rows/arriving.ts';
import { causes } from './rows/causes.ts';
import { konnect } from './rows/konnect.ts';
import { operator } from './rows/operator.ts';

export const rows: readonly RowSpec[] = [arriving, causes, konnect, operator];
