/** One Ctrl-C can cause several signals: the terminal sends one, and npm and scripts/run.mjs forward theirs. */
const sameInterruptMs = 1_000;
const exitInterrupted = 130;

/** Resolves at the first SIGINT (Ctrl-C), SIGTERM or SIGHUP. A signal more than one second later exits the process immediately. */
export function untilInterrupted(): Promise<void> {
  return new Promise((resolve) => {
    let firstMs: number | undefined;
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.on(signal, () => {
        const nowMs = performance.now();
        firstMs ??= nowMs;
        if (nowMs - firstMs > sameInterruptMs) process.exit(exitInterrupted);
        resolve();
      });
    }
  });
}
