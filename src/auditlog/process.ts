/** `auditlog` as a process: standard input and output, signals. */
import { once } from 'node:events';
import { printable } from '../telemetry/printable.ts';
import { exitCodes, type Terminal } from './command.ts';
import { auditlog } from './main.ts';

/** The reader of a pipe may end first, as `head` does. This is what a shell shows for a program that the signal PIPE ended. */
const closedPipe = 141;

/** Runs a command. Takes the arguments without the name of the program. Returns the exit code. */
export async function auditlogProcess(argv: readonly string[], env: Terminal['env']): Promise<number> {
  const { stdin, stdout, stderr } = process;
  const stop = new AbortController();
  process.once('SIGINT', () => {
    stop.abort();
    // A command that waits for input would not notice.
    stdin.destroy();
  });
  stdout.on('error', ({ code }: NodeJS.ErrnoException) => {
    if (code === 'EPIPE') process.exit(closedPipe);
    stderr.write(`auditlog: standard output cannot be written (${code ?? 'unknown error'})\n`);
    process.exit(exitCodes.failed);
  });
  // Nobody reads the messages any more. The exit code still says what they say.
  stderr.on('error', () => {});
  return auditlog(argv, {
    stdin,
    print: async (text) => {
      if (!stdout.write(text)) await once(stdout, 'drain');
    },
    warn: (line) => stderr.write(`${printable(line)}\n`),
    // Node heeds NO_COLOR and FORCE_COLOR here.
    hasColors: stdout.isTTY && stdout.hasColors(),
    env,
    signal: stop.signal,
  });
}
