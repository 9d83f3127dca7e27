import { expect, test } from '@jest/globals';
import { RequestPacer } from '../../../src/sumologic/request-pacer.ts';
import { ManualClock } from '../../support/manual-clock.ts';

test('the requests of one key are less than four a second, and those of another key do not wait for them', async () => {
  const clock = new ManualClock();
  const pacer = new RequestPacer(clock);
  const { signal } = new AbortController();
  const turns = Array.from({ length: 8 }, () => pacer.turn('key', signal));
  await Promise.all([turns[0], pacer.turn('other', signal)]);
  let sent = 0;
  for (const turn of turns) void turn.then(() => (sent += 1));
  clock.advance(1_000);
  await Promise.all(turns.slice(0, 4));
  expect(sent).toBe(4);
  clock.advance(1_100);
  await Promise.all(turns);
  expect(clock.pendingTimers).toBe(0);
});

test('a turn ends at once when its signal is aborted', async () => {
  const pacer = new RequestPacer(new ManualClock());
  const abort = new AbortController();
  await pacer.turn('key', abort.signal);
  const waiting = pacer.turn('key', abort.signal);
  abort.abort();
  await expect(waiting).resolves.toBeUndefined();
});
