import type { Scenario } from './scenario.ts';
import { changes } from './scenarios/change.ts';
import { creations } from './scenarios/create.ts';
import { deletions } from './scenarios/delete.ts';
import { replays } from './scenarios/replay.ts';
import { shared } from './scenarios/share.ts';

export const scenarios: readonly Scenario[] = [...creations, ...changes, ...replays, ...shared, ...deletions];
