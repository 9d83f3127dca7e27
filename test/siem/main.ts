/**
 * `npm run test:siem`: runs the pages of docs/siem/ with the real receivers, the built operator and the local Konnect, and checks what the pages say about
 * receivers and parsers. The exit code is 1 if a check fails. `-- PART…` runs only these parts.
 */
import process from 'node:process';
import { createReporter } from '../interop/reporter.ts';
import { runParsers } from './parsers.ts';
import { runRelays, runSumoLogic } from './relays.ts';
import type { Kept } from './sample-lines.ts';
import { createSetting, type Setting } from './setting.ts';
import { expectRows } from './table.ts';
import { runSplunk, runVictoriaLogs } from './victorialogs.ts';

const write = (text: string) => void process.stdout.write(text);
const startedMs = performance.now();
const progress = (line: string) => write(`==> ${line}\n`);
const reporter = createReporter(write);
const receivers: Readonly<Record<string, (setting: Setting) => Promise<Record<string, Kept> | undefined>>> = {
  victorialogs: runVictoriaLogs,
  relays: runRelays,
  splunk: runSplunk,
  sumologic: runSumoLogic,
};
const parts = [...Object.keys(receivers), 'parsers'];
const wanted = process.argv.length > 2 ? process.argv.slice(2) : parts;
const unknown = wanted.filter((name) => !parts.includes(name));
if (unknown.length > 0) throw new Error(`unknown parts: ${unknown.join(', ')}; known: ${parts.join(', ')}`);

async function run(): Promise<void> {
  if (wanted.includes('parsers')) await runParsers(reporter, progress);
  const names = wanted.filter((name) => name in receivers);
  if (names.length === 0) return;
  const setting = await createSetting(reporter, progress);
  try {
    const rows: Record<string, Kept> = {};
    for (const name of names) Object.assign(rows, await receivers[name]?.(setting));
    reporter.section('docs/siem/others.md');
    await reporter.check('the table shows what was seen', () => {
      expectRows(
        'docs/siem/others.md',
        Object.entries(rows).map(([name, kept]) => [name, ...Object.values(kept)]),
      );
    });
  } finally {
    await setting.stop();
  }
}

try {
  await run();
  write(`\n==> all checks succeeded, ${String(Math.round((performance.now() - startedMs) / 1_000))} s\n`);
} catch (error) {
  write(`\n==> ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
process.exit();
