/** Prints what is checked as it is found to hold. */
export interface Teller {
  chapter(title: string): void;
  /** Rejects with `what` and the reason where `attempt` rejects. */
  check<T>(what: string, attempt: () => T | Promise<T>): Promise<T>;
}

export function createTeller(write: (text: string) => void): Teller {
  return {
    chapter: (title) => write(`\n— ${title}\n`),
    async check(what, attempt) {
      try {
        const found = await attempt();
        write(`  ✓ ${what}\n`);
        return found;
      } catch (error) {
        throw new Error(`does not hold: ${what}\n${error instanceof Error ? error.message : String(error)}`, {
          cause: error,
        });
      }
    },
  };
}
