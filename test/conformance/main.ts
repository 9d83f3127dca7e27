/** `npm run test:contract`: checks in a real organization what Kong's documents leave open. The exit code is 1 if a check failed or an object is left. */
import process from 'node:process';
import { runChecks } from './run-checks.ts';
import { type ContractSettings, readSettings, usage } from './settings.ts';

const write = (line: string) => void process.stdout.write(`${line}\n`);

function settingsOrExit(): ContractSettings {
  try {
    return readSettings(process.env, process.argv.slice(2));
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${usage}`);
    return process.exit(2);
  }
}

/** Aborts once. Ctrl-C reaches a process under npm more than once, and must not interrupt the cleanup. */
function abortWhenInterrupted(interrupt: AbortController): void {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      if (interrupt.signal.aborted) return;
      write('\nInterrupted: cleaning up, which may take a minute.');
      interrupt.abort();
    });
  }
}

const settings = settingsOrExit();
const interrupt = new AbortController();
abortWhenInterrupted(interrupt);
const documents = process.env['KONNECT_OPENAPI_DIR'];
try {
  const { findings, unanswered, left, deviations } = await runChecks({
    settings,
    polling: { pollMs: 500, limitMs: 60_000 },
    signal: interrupt.signal,
    ...(documents === undefined || documents === '' ? {} : { documents }),
    tell: write,
  });
  if (deviations !== undefined) {
    write(`\nNot as Kong’s documents say: ${deviations.length === 0 ? 'nothing' : ''}`);
    for (const line of deviations) write(`  ${line}`);
  }
  write(`\n${findings.length} answers.`);
  for (const line of unanswered) write(`Without an answer: ${line}`);
  process.exit(left.length > 0 || unanswered.some((line) => line.includes('broken off')) ? 1 : 0);
} catch (error) {
  if (!interrupt.signal.aborted) write(`failed: ${error instanceof Error ? error.message : String(error)}`);
  process.exit(interrupt.signal.aborted ? 130 : 1);
}
