/** What a process uses, from Linux. */
import { readFile } from 'node:fs/promises';

export interface Usage {
  /** Processor time since its start. */
  readonly processorSeconds: number;
  readonly residentMiB: number;
  /** The most memory that was resident at once. */
  readonly peakMiB: number;
}

const ticksPerSecond = 100;

/** Rejects if the process does not run, or if the system is not Linux. */
export async function usageOf(pid: number): Promise<Usage> {
  const read = (file: string) => readFile(`/proc/${String(pid)}/${file}`, 'utf8');
  return parseUsage(await read('stat'), await read('status'));
}

/** Returns the usage that `/proc/PID/stat` and `/proc/PID/status` say. */
export function parseUsage(stat: string, status: string): Usage {
  // The name of the command, in parentheses, may contain blanks.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [user, system] = [Number(fields[11]), Number(fields[12])];
  const mebibytes = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1]) / 1_024;
  return {
    processorSeconds: (user + system) / ticksPerSecond,
    residentMiB: mebibytes('VmRSS'),
    peakMiB: mebibytes('VmHWM'),
  };
}
