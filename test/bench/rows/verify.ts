/** `auditlog verify` beside bare `crypto.verify` and a short program in Go, and the memory of large files. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { findGo } from '../../../sandbox/control-plane/go-build.ts';
import { operatorFile } from '../../../sandbox/operator-process.ts';
import { type Contender, type Measurement, ours } from '../row.ts';
import { auditLine, writeKey, writeLines } from '../support/audit-files.ts';
import { runMeasured } from '../support/run-measured.ts';

const bare = 'bare crypto.verify';
const goProgram = 'Go program';
const lines = 120_000;
const onOneCore = ['taskset', '--cpu-list', '0'] as const;
const support = fileURLToPath(new URL('../support/', import.meta.url));
const run = promisify(execFile);

const speed = 'lines a second of processor time, on one core';

export const verify: Measurement = {
  rows: [
    {
      name: 'verify',
      title: `auditlog verify with ${lines.toLocaleString('en')} signed lines`,
      forwardings: 0,
      figures: [
        {
          name: speed,
          unit: 'lines',
          better: 'more',
          targets: [
            { ratioTo: bare, limit: 0.8 },
            { ratioTo: goProgram, limit: 1.5 },
          ],
        },
        { name: 'time on one core by that on all', unit: '', better: 'more', targets: [{ limit: 1.7 }] },
        { name: 'peak', unit: 'MiB', targets: [{ limit: 100 }] },
      ],
    },
  ],
  async contenders({ folder, progress }) {
    const { jwks, signed } = await writeKey(folder);
    const file = await writeLines(folder, 'signed.log', lines, (index) => signed(auditLine(index)));
    const own = [process.execPath, operatorFile, 'auditlog', 'verify', '--jwks', jwks, file] as const;
    const contenders: Contender[] = [
      {
        name: ours,
        async measure() {
          const one = await runMeasured([...onOneCore, ...own]);
          const all = await runMeasured([...own]);
          return {
            verify: {
              [speed]: lines / one.usage.processorSeconds,
              'time on one core by that on all': one.seconds / all.seconds,
              peak: all.usage.peakMiB,
            },
          };
        },
      },
      {
        name: bare,
        async measure() {
          const script = join(support, 'bare-verify.ts');
          const { output } = await runMeasured([...onOneCore, process.execPath, script, file, jwks]);
          return { verify: { [speed]: lines / Number(output) } };
        },
      },
    ];
    const program = join(folder, 'verify');
    const installed = await findGo(process.env);
    if (installed.kind === 'unusable') {
      progress(`verify: the ${goProgram} is left out: ${installed.reason}`);
      return contenders;
    }
    // Rejects with what the compiler says.
    await run('go', ['build', '-o', program, join(support, 'verify.go')]);
    const go: Contender = {
      name: goProgram,
      async measure() {
        const { usage } = await runMeasured([...onOneCore, program, file, jwks]);
        return { verify: { [speed]: lines / usage.processorSeconds } };
      },
    };
    return [...contenders, go];
  },
};

/** Of so many lines, one is signed: signatures are slow, and cost no memory that stays. */
const unsignedLines = 50;
/** The largest file has 1.8 GB. */
const lineCounts = [150_000, 1_500_000, 5_000_000];
const peakWith = (count: number) => `peak with ${count.toLocaleString('en')} lines`;

export const verifyMemory: Measurement = {
  rows: [
    {
      name: 'verify-memory',
      title: 'memory of auditlog verify with small and large files',
      isSlow: true,
      forwardings: 0,
      figures: lineCounts.map((count) => ({ name: peakWith(count), unit: 'MiB', targets: [{ limit: 100 }] })),
    },
  ],
  async contenders({ folder }) {
    const { jwks, signed } = await writeKey(folder);
    const line = (index: number) => (index % unsignedLines === 0 ? signed(auditLine(index)) : auditLine(index));
    const peak = async (count: number) => {
      const file = await writeLines(folder, 'lines.log', count, line);
      // Unsigned lines make the exit code 3.
      const verifying = ['auditlog', 'verify', '--jwks', jwks, file] as const;
      return (await runMeasured([process.execPath, operatorFile, ...verifying], 3)).usage.peakMiB;
    };
    return [
      {
        name: ours,
        async measure() {
          const figures: Record<string, number> = {};
          for (const count of lineCounts) figures[peakWith(count)] = await peak(count);
          return { 'verify-memory': figures };
        },
      },
    ];
  },
};
