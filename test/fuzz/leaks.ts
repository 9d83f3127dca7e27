/** Secrets that no output may contain, complete or in part. */
import { inspect } from 'node:util';
import { createLog } from '../../src/telemetry/log.ts';

export const secrets = {
  token: 'kpat_Q7vZcanaryTOKEN0x9fKq2LmNbV4',
  endpoint: 'https://siem.example.com/receiver/v1/http/ZaVnCanaryCODE8Jx5Rw2Qp7==',
  authorization: 'Bearer wD3canaryAUTH6Ht1Yb9Ue0Go',
} as const;

const marks = ['canaryTOKEN', 'CanaryCODE', 'canaryAUTH'];

/** Returns the secrets in a text, case-insensitive. */
export function leaksIn(text: string): string[] {
  const lower = text.toLowerCase();
  return marks.filter((mark) => lower.includes(mark.toLowerCase()));
}

/** Returns a value as text in every form: printed, serialized and logged. */
export function everyPrintOf(value: unknown): string {
  const lines: string[] = [];
  for (const format of ['json', 'text'] as const) {
    const log = createLog({ level: 'trace', format, output: { write: (line) => lines.push(line) } });
    log.error({ err: value, deep: { inside: [{ value }] } }, 'failed');
    log.error({ err: new Error('outer', { cause: value }) }, 'failed');
  }
  const whole = inspect(value, { depth: Number.POSITIVE_INFINITY, showHidden: true, maxStringLength: null });
  return [...lines, whole, JSON.stringify(value), String(value)].join('\n');
}
