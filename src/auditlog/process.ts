/** `auditlog` as a process: standard input and output, signals. */
import { once } from 'node:events';
import type { Terminal } from './command.ts';
import { auditlog } from './main.ts';

/** Runs a command. Takes the arguments without the name of the program. Returns the exit code. */
export async function auditlogProcess(argv: readonly string[], env: Terminal['env']): Promise<number> {
  const { stdin, stdout, stderr } = process;
  const stop = new AbortController();
  process.once('SIGINT', () => stop.abort());
  // The reader of a pipe may end first, as `head` does.
  stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));
  return auditlog(argv, {
    stdin,
    print: async (text) => {
      if (!stdout.write(text)) await once(stdout, 'drain');
    },
    warn: (line) => stderr.write(`${line}\n`),
    // Node heeds NO_COLOR and FORCE_COLOR here.
    hasColors: stdout.isTTY && stdout.hasColors(),
    env,
    signal: stop.signal,
  });
}
