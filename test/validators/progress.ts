/** The limit of a build without a cache on a busy machine. */
export const buildTimeoutMs = 20 * 60_000;

export function progress(line: string): void {
  process.stderr.write(`==> ${line}\n`);
}
