const unitsMs: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

/** Returns the milliseconds of a duration as Go writes it (`90s`, `10m`, `1h30m`), or undefined if the text is not a duration. */
export function parseDurationMs(text: string): number | undefined {
  if (!/^(\d{1,9}(ms|[smh]))+$/.test(text)) return undefined;
  let totalMs = 0;
  for (const [, amount, unit] of text.matchAll(/(\d+)(ms|[smh])/g)) {
    totalMs += Number(amount) * (unitsMs[unit ?? ''] ?? Number.NaN);
  }
  return totalMs;
}
