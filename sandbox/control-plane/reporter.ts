const reportEveryMs = 5_000;

/** Returns a reporter that calls each line, and drops its text within 5 seconds of the last one. */
export function reporter(progress: (line: string) => void): (line: () => string) => void {
  let lastMs = Number.NEGATIVE_INFINITY;
  return (line) => {
    const text = line();
    const nowMs = performance.now();
    if (nowMs - lastMs < reportEveryMs) return;
    lastMs = nowMs;
    progress(text);
  };
}
