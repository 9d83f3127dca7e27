/** Finds secrets in what a program said, in any of the forms in which they get out. */

/** What may never be said, by a name that may. */
export interface Canary {
  readonly name: string;
  /** Random text; each half of it is looked for by itself, so that what was cut short is found too. */
  readonly value: string;
}

/** One thing that was said: output, status, events, metrics. */
export interface Output {
  readonly source: string;
  readonly text: string;
}

const shortest = 24;

/** Where which secret was said, without the secret: `authorization (base64) in the metrics, line 12`. */
export function findLeaks(said: readonly Output[], canaries: readonly Canary[]): string[] {
  return canaries.flatMap(({ name, value }) => {
    if (value.length < shortest) throw new RangeError(`${name} is too short to be told from chance`);
    return formsOf(value).flatMap(({ form, text: secret }) =>
      said.flatMap(({ source, text }) => {
        const at = text.indexOf(secret);
        if (at === -1) return [];
        const line = text.slice(0, at).split('\n').length;
        return [`${name} (${form}) in ${source}, line ${String(line)}`];
      }),
    );
  });
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

/** What base64 makes of the text wherever it stands in a longer one: three ways, each without the characters that its neighbors have a part in. */
function base64InText(text: string, encoding: 'base64' | 'base64url'): Form[] {
  return [0, 1, 2].map((before) => {
    const encoded = Buffer.from(`${'x'.repeat(before)}${text}`)
      .toString(encoding)
      .replaceAll('=', '');
    const whole = Math.floor(((before + text.length) * 8) / 6);
    return { form: encoding, text: encoded.slice(Math.ceil((before * 8) / 6), whole) };
  });
}
