/** Finds secrets in output, in clear and encoded. */

/** A secret that no output may contain, with a name that may be printed. */
export interface Canary {
  readonly name: string;
  /** Random text. Each half is searched for on its own, so that a truncated secret is found too. */
  readonly value: string;
}

/** One piece of output: a log, a status, events, metrics. */
export interface Output {
  readonly source: string;
  readonly text: string;
}

const shortest = 24;
/** Every form has at least this length, which is that of a half of the shortest secret. */
const prefixLength = shortest / 2;

/**
 * Returns which output contains which secret, without the secret: `authorization (base64) in the metrics, line 12`. Reads each output once, because the
 * last search of a run is for ten thousand forms in the output of all environments.
 */
export function findLeaks(outputs: readonly Output[], canaries: readonly Canary[]): string[] {
  const forms = canaries.flatMap(({ name, value }) => {
    if (value.length < shortest) throw new RangeError(`${name} is too short: other text may contain it by chance`);
    return formsOf(value).map((form) => ({ name, ...form }));
  });
  const formsAt = finder(forms);
  return outputs.flatMap(({ source, text }) => {
    const found = new Map<(typeof forms)[number], number>();
    for (let at = 0; at <= text.length - prefixLength; at += 1) {
      for (const one of formsAt(text, at)) if (!found.has(one)) found.set(one, at);
    }
    return [...found].map(([{ name, form }, at]) => {
      const line = text.slice(0, at).split('\n').length;
      return `${name} (${form}) in ${source}, line ${String(line)}`;
    });
  });
}

/** Returns a function that returns the forms that begin at a position of a text. */
function finder<T extends Form>(forms: readonly T[]): (text: string, at: number) => readonly T[] {
  const byPrefix = Map.groupBy(forms, ({ text }) => text.slice(0, prefixLength));
  // A bit for three characters of each prefix, since a lookup in the map at every position takes ten times as long.
  const mayBegin = new Uint8Array(2 ** 18);
  const bitAt = (text: string, at: number) =>
    ((text.charCodeAt(at) & 63) << 12) |
    ((text.charCodeAt(at + 5) & 63) << 6) |
    (text.charCodeAt(at + prefixLength - 1) & 63);
  for (const prefix of byPrefix.keys()) mayBegin[bitAt(prefix, 0)] = 1;
  return (text, at) => {
    if (mayBegin[bitAt(text, at)] === 0) return [];
    return (byPrefix.get(text.slice(at, at + prefixLength)) ?? []).filter((one) => text.startsWith(one.text, at));
  };
}

interface Form {
  readonly form: string;
  readonly text: string;
}

function formsOf(value: string): Form[] {
  const middle = Math.floor(value.length / 2);
  const halves = [value.slice(0, middle), value.slice(middle)];
  const forms = halves.flatMap((half) => [
    { form: 'plain', text: half },
    { form: 'URL-encoded', text: encodeURIComponent(half) },
    { form: 'URL-encoded', text: encodeURIComponent(half).replaceAll(/%../g, (code) => code.toLowerCase()) },
    { form: 'hex', text: Buffer.from(half).toString('hex') },
    ...base64InText(half, 'base64'),
    ...base64InText(half, 'base64url'),
  ]);
  return forms.filter((one, index) => forms.findIndex(({ text }) => text === one.text) === index);
}

/**
 * Returns the base64 forms of a text inside a longer text. There are three, one for each position modulo 3. Characters that also depend on the
 * text around it are left out.
 */
function base64InText(text: string, encoding: 'base64' | 'base64url'): Form[] {
  return [0, 1, 2].map((before) => {
    const encoded = Buffer.from(`${'x'.repeat(before)}${text}`)
      .toString(encoding)
      .replaceAll('=', '');
    const whole = Math.floor(((before + text.length) * 8) / 6);
    return { form: encoding, text: encoded.slice(Math.ceil((before * 8) / 6), whole) };
  });
}
