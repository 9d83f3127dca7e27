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

/** Returns which output contains which secret, without the secret: `authorization (base64) in the metrics, line 12`. */
export function findLeaks(outputs: readonly Output[], canaries: readonly Canary[]): string[] {
  return canaries.flatMap(({ name, value }) => {
    if (value.length < shortest) throw new RangeError(`${name} is too short: other text may contain it by chance`);
    return formsOf(value).flatMap(({ form, text: secret }) =>
      outputs.flatMap(({ source, text }) => {
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
