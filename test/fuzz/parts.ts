import { commandLines } from './command-line.ts';
import { konnectAnswers } from './konnect-answers.ts';
import { konnectBytes } from './konnect-bytes.ts';
import type { Part } from './part.ts';
import { resource } from './resource.ts';
import { secretValues } from './secret-values.ts';
import { watchStreams } from './watch-streams.ts';

export const parts: readonly Part[] = [
  resource,
  secretValues,
  konnectAnswers,
  konnectBytes,
  watchStreams,
  commandLines,
];
