/** Runs a program to its end, and measures it. */
import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { type Usage, usageOf } from './usage.ts';

export interface Measured {
  readonly output: string;
  readonly seconds: number;
  readonly usage: Usage;
}

const everyMs = 10;

/** Rejects if the program ends with another code than `expectedCode`. Its use is measured until {@link everyMs} before its end at most. */
export async function runMeasured(
  command: readonly [file: string, ...args: string[]],
  expectedCode = 0,
): Promise<Measured> {
  const [file, ...args] = command;
  const startedAtMs = performance.now();
  const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const output = text(child.stdout);
  const ended = new Promise<void>((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', () => resolve());
  });
  let usage: Usage = { processorSeconds: 0, residentMiB: 0, peakMiB: 0 };
  while (child.exitCode === null && child.signalCode === null) {
    // A process that has just ended has no memory in `/proc`.
    const now = await usageOf(child.pid ?? 0).catch(() => undefined);
    if (now !== undefined && now.peakMiB > 0) usage = now;
    await Promise.race([ended, delay(everyMs)]);
  }
  const seconds = (performance.now() - startedAtMs) / 1_000;
  if (child.exitCode !== expectedCode) throw new Error(`${command.join(' ')} ended with ${String(child.exitCode)}`);
  return { output: await output, seconds, usage };
}
