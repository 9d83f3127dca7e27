/** Prints each check that succeeds. */
export interface Reporter {
  section(title: string): void;
  /** Runs a check. If it fails, rejects with `what` and the reason. */
  check<T>(what: string, attempt: () => T | Promise<T>): Promise<T>;
}

export function createReporter(write: (text: string) => void): Reporter {
  return {
    section: (title) => write(`\n— ${title}\n`),
    async check(what, attempt) {
      try {
        const found = await attempt();
        write(`  ✓ ${what}\n`);
        return found;
      } catch (error) {
        throw new Error(`failed: ${what}\n${error instanceof Error ? error.message : String(error)}`, {
          cause: error,
        });
      }
    },
  };
}
