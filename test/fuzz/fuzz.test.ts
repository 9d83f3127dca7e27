/** A few seconds of each part, always with the same seed. `npm run fuzz` runs longer. */
import { getActiveResourcesInfo } from 'node:process';
import { expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { eventually } from '../support/eventually.ts';
import { parts } from './parts.ts';

/** Returns the open sockets, servers and timers. */
function handles(): string[] {
  return getActiveResourcesInfo()
    .filter((name) => /TCP|TLS|Timeout|Pipe/.test(name))
    .toSorted();
}

test.each(parts.map((part) => [part.name, part] as const))(
  '%s: no input causes a crash, a hang, a leak or a wrong write',
  async (_name, { open, runsInTest }) => {
    const before = handles();
    {
      await using opened = await open();
      await fc.assert(opened.property, { seed: 20_260_102, numRuns: runsInTest, interruptAfterTimeLimit: 5_000 });
    }
    await eventually(() => expect(handles().length).toBeLessThanOrEqual(before.length));
  },
);
