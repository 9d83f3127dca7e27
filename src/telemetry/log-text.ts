/** Turns one line of JSON, as pino writes it, into a line for people: time, level, message, then `field=value`. */
export function asText(line: string): string {
  const parsed: unknown = JSON.parse(line);
  if (typeof parsed !== 'object' || parsed === null) return line;
  const entries = new Map<string, unknown>(Object.entries(parsed));
  const head = ['time', 'level', 'message'].map((key) => {
    const value = entries.get(key);
    entries.delete(key);
    return typeof value === 'string' ? value : '';
  });
  const [time = '', level = '', message = ''] = head;
  const fields = [...entries].map(([key, value]) => `  ${key}=${valueAsText(value)}`);
  return `${time} ${level.toUpperCase().padEnd(5)} ${message}${fields.join('')}\n`;
}

/** JSON, which keeps a value in its line; without quotes where none are needed. */
function valueAsText(value: unknown): string {
  return typeof value === 'string' && /^[\w./:@+-]+$/.test(value) ? value : JSON.stringify(value);
}
