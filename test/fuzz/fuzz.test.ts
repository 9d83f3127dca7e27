/** A few seconds of each part, with the same seed every time; `npm run fuzz` goes on from there. */
import { getActiveResourcesInfo } from 'node:process';
import { expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { eventually } from '../support/eventually.ts';
import { parts } from './parts.ts';

/** What keeps a process alive and costs it memory: sockets, servers, timers. */
function handles(): string[] {
  return getActiveResourcesInfo()
    .filter((name) => /TCP|TLS|Timeout|Pipe/.test(name))
    .toSorted();
}

test.each(parts.map((part) => [part.name, part] as const))(
  '%s: nothing that comes in is a crash, a hang, a leak or a wrong write',
  async (_name, { open, runsInTest }) => {
    const before = handles();
    {
      await using opened = await open();
      await fc.assert(opened.property, { seed: 20_260_102, numRuns: runsInTest, interruptAfterTimeLimit: 5_000 });
    }
    await eventually(() => expect(handles().length).toBeLessThanOrEqual(before.length));
  },
);
