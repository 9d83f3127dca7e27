import type { Scenario } from './scenario.ts';
import { changes } from './scenarios/change.ts';
import { creations } from './scenarios/create.ts';
import { deletions } from './scenarios/delete.ts';
import { drifts } from './scenarios/drift.ts';
import { references } from './scenarios/reference.ts';
import { replays } from './scenarios/replay.ts';
import { shared } from './scenarios/share.ts';
import { verifications } from './scenarios/verification.ts';

export const scenarios: readonly Scenario[] = [
  ...creations,
  ...changes,
  ...drifts,
  ...references,
  ...replays,
  ...verifications,
  ...shared,
  ...deletions,
];
