/** Returns a JSON line of pino as text for humans: time, level, message, then `field=value`. */
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

/** Returns a value as JSON, which keeps it in its line. Omits the quotes if they are not needed. */
function valueAsText(value: unknown): string {
  if (typeof value === 'string' && /^[\w./:@+-]+$/.test(value)) return value;
  return JSON.stringify(value).replaceAll(unprintable, escaped);
}

/** Characters that JSON does not escape, but that a terminal may interpret as a command, a line break or a change of direction. */
const unprintable = /[\u007f-\u009f\u2028\u2029\p{Cf}]/gu;

function escaped(character: string): string {
  const units = character.split('');
  return units.map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`).join('');
}
