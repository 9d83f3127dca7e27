import { printable } from './printable.ts';

/** Returns a JSON line of pino as text for humans: time, level, message, then `field=value`. */
export function asText(line: string): string {
  const parsed: unknown = JSON.parse(line);
  if (typeof parsed !== 'object' || parsed === null) return line;
  const entries = new Map<string, unknown>(Object.entries(parsed));
  const head = ['time', 'level', 'message'].map((key) => {
    const value = entries.get(key);
    entries.delete(key);
    return typeof value === 'string' ? printable(value) : '';
  });
  const [time = '', level = '', message = ''] = head;
  const fields = [...entries].map(([key, value]) => `  ${key}=${valueAsText(value)}`);
  return `${time} ${level.toUpperCase().padEnd(5)} ${message}${fields.join('')}\n`;
}

/** Returns a value as JSON, which keeps it in its line. Omits the quotes if they are not needed. */
function valueAsText(value: unknown): string {
  if (typeof value === 'string' && /^[\w./:@+-]+$/.test(value)) return value;
  return printable(JSON.stringify(value));
}
