import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { checkAuthorization, checkEndpoint, checkToken } from '../../../../src/forwarding/desired/secret-values.ts';

/** Returns the value, or `refused: what is wrong`. */
function outcome(checked: ReturnType<typeof checkToken>): string {
  return checked.kind === 'valid' ? checked.value : `refused: ${checked.what}: ${checked.wayOut}`;
}
const token = (text: string) => outcome(checkToken(Buffer.from(text)));
const endpoint = (text: string) => outcome(checkEndpoint(Buffer.from(text)));
const authorization = (text: string, scheme?: string) => outcome(checkAuthorization(Buffer.from(text), scheme));

const base64 = (text: string) => Buffer.from(text).toString('base64');
const check = <T>(values: fc.Arbitrary<T>, predicate: (value: T) => void, numRuns = 100) =>
  fc.assert(fc.property(values, predicate), { numRuns });
const checkOften = <T>(values: fc.Arbitrary<T>, predicate: (value: T) => void) => check(values, predicate, 1_000);

/** The grammar of RFC 9110, 5.6 and 11. */
const word = fc.stringMatching(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,20}$/);
const token68 = fc.stringMatching(/^[A-Za-z0-9._~+/-]{1,60}={0,2}$/);
const blanks = (min: number) => fc.stringMatching(new RegExp(`^ {${String(min)},2}$`));
const quotedString = fc
  .array(fc.stringMatching(/^(?:[ !#-[\]-~]|\\[ -~])$/), { maxLength: 20 })
  .map((parts) => `"${parts.join('')}"`);
const parameter = fc
  .tuple(word, blanks(0), blanks(0), fc.oneof(word, quotedString))
  .map(([name, before, after, value]) => `${name}${before}=${after}${value}`);
const parameters = fc
  .tuple(fc.array(parameter, { minLength: 1, maxLength: 4 }), blanks(0))
  .map(([all, before]) => all.join(`${before}, `));
const rest = fc.oneof(token68, parameters);
const isQuoted = (text: string) => /^(['`]).*\1$/.test(text);
const credentials = fc
  .tuple(word, blanks(1), rest)
  .filter(([scheme, , one]) => scheme.toLowerCase() !== one.toLowerCase())
  .map((parts) => parts.join(''))
  .filter((text) => !isQuoted(text));
const schemeOfSpec = fc.stringMatching(/^[A-Za-z][A-Za-z0-9-]{0,31}$/);

/** The grammar of RFC 3986, for URLs with `https` and a host that exists in a URL of HTTP. */
const characters = (more: string) =>
  fc
    .array(fc.stringMatching(new RegExp(`^(?:[A-Za-z0-9._~!$&'()*+,;=:@${more}-]|%[0-9A-Fa-f]{2})$`)), {
      maxLength: 20,
    })
    .map((parts) => parts.join(''));
const port = fc.oneof(
  fc.constant(''),
  fc.constant(':'),
  fc.integer({ min: 1, max: 65_535 }).map((one) => `:${one}`),
);
const after = (mark: string) =>
  fc.oneof(
    fc.constant(''),
    characters('/?').map((text) => mark + text),
  );
const origin = fc
  .tuple(
    fc.constantFrom('https', 'HTTPS'),
    fc.oneof(
      fc.domain(),
      fc.ipV4(),
      fc.ipV6().map((address) => `[${address}]`),
    ),
    port,
  )
  .map(([scheme, host, colon]) => `${scheme}://${host}${colon}`);
const url = fc
  .tuple(origin, fc.array(characters('')), after('?'), after('#'))
  .map(
    ([start, segments, query, fragment]) => `${start}${segments.map((one) => `/${one}`).join('')}${query}${fragment}`,
  )
  .filter((text) => text.length <= 2_048 && !/\$\([A-Za-z_]/.test(text));

const name = fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_]{0,12}$/).map((text) => `${text}CANARY`);
const placeholder = fc.oneof(
  name.map((one) => `\${${one}}`),
  name.map((one) => `\${${one}:-none}`),
  name.map((one) => `$(${one})`),
  name.map((one) => `{{ .Values.${one} | b64enc }}`),
  name.map((one) => `{{${one}}}`),
  name.map((one) => `<path:secret/data/${one}#${one} | base64encode>`),
  name.map((one) => `<your ${one}>`),
  name.map((one) => `$${one}`),
);

describe('no valid value is refused:', () => {
  test('an authorization that RFC 9110 allows', () => {
    checkOften(credentials, (text) => expect(authorization(text)).toBe(text));
  });

  test('what follows the scheme that spec sets', () => {
    const pair = fc.tuple(schemeOfSpec, rest).filter(([scheme, text]) => {
      return scheme.toLowerCase() !== text.toLowerCase() && !isQuoted(text);
    });
    checkOften(pair, ([scheme, text]) => expect(authorization(text, scheme)).toBe(`${scheme} ${text}`));
  });

  test('a bare token', () => {
    const bare = fc.oneof(
      fc.uuid(),
      fc.base64String({ minLength: 16 }),
      fc.stringMatching(/^[\w.-]{8,60}$/),
      fc.stringMatching(/^\w{1,20}:[\w!#$%&*+./:;=?@^|~-]{1,20}$/),
    );
    checkOften(bare, (text) => expect(authorization(text)).toBe(text));
  });

  test.each([
    'none',
    'Bearer 1|0123456789abcdef',
    'SharedKey account:c2lnbmF0dXJl=',
    'AWS AKID:c2ln=',
    'Token token="a, b", nonce=1',
    'Digest username="${USER}", realm=""',
    'key=value',
    'user:password',
    'two words',
    'Token',
    '$2y$10$abc',
    'a<b>c${',
  ])('an authorization that is unusual: %s', (text) => {
    expect(authorization(text)).toBe(text);
  });

  test('an endpoint that RFC 3986 allows', () => {
    checkOften(url, (text) => expect(endpoint(text)).toBe(text));
  });

  test('a token that RFC 6750 allows', () => {
    checkOften(token68, (text) => expect(token(text)).toBe(text));
  });
});

/** Every slip contains the word CANARY, which no message may repeat. */
const secret = fc.stringMatching(/^[A-Za-z0-9]{0,20}$/).map((text) => `${text}CANARY`);
const scheme = fc.constantFrom('Bearer', 'Basic', 'Splunk');
const quote = fc.constantFrom('"', "'", '`');
const partOfValue = placeholder.filter((text) => !/^(?:\$[^{(]|<your )/.test(text));
const header = fc.constantFrom('Authorization: ', 'authorization:', 'AUTHORIZATION=', 'Authorization ', 'X-Key: ');
const isLower = fc.boolean();
/** A value that `base64` printed with line breaks, and that is encoded once more in the Secret. */
const encoded = (text: string) => `${base64(text).replaceAll(/.{40}/g, '$&\n')}\n`;
const inURL = fc.constantFrom(...(' "<>\\^`{|}[]\n\t\0é'.match(/./gsu) ?? []), '#x#');
const inToken = fc.constantFrom(...(' "\'<>(){}[]:;,@!?$%&*|\\^`é\n'.match(/./gsu) ?? []));
const badPercent = fc.constantFrom('%', '%4', '%zz', '%%41');

const isInQuotes = 'is in quotes';
const isPlaceholder = 'contains a placeholder or an encrypted value';
const isTwiceEncoded = 'is encoded in base64 twice';
const isHeader = 'begins with the name of a header';
const hasSecondScheme = 'has a scheme word, although spec.destination.authorizationScheme sets one';

const slips: readonly (readonly [slip: string, says: string, said: fc.Arbitrary<string>])[] = [
  ['a token in quotes', isInQuotes, fc.tuple(quote, secret).map(([q, text]) => token(`${q}kpat_${text}${q}`))],
  [
    'an endpoint in quotes',
    isInQuotes,
    fc.tuple(quote, secret).map(([q, text]) => endpoint(`${q}https://siem.example.com/${text}${q}`)),
  ],
  [
    'an authorization in quotes',
    isInQuotes,
    fc
      .tuple(quote, secret, fc.constantFrom('', 'Bearer ', 'Basic a=', 'Token key="'))
      .map(([q, text, before]) => authorization(`${q}${before}${text}${before.endsWith('"') ? '"' : ''}${q}`)),
  ],
  [
    'the part after the scheme of spec in quotes',
    isInQuotes,
    fc.tuple(quote, secret, scheme).map(([q, text, word1]) => authorization(`${q}${text}${q}`, word1)),
  ],
  ['a placeholder as token', isPlaceholder, placeholder.map(token)],
  ['a placeholder as endpoint', isPlaceholder, placeholder.map(endpoint)],
  ['a placeholder as authorization', isPlaceholder, placeholder.map((text) => authorization(text))],
  [
    'a placeholder after a scheme',
    isPlaceholder,
    fc.tuple(placeholder, scheme).map(([text, word1]) => authorization(`${word1} ${text}`)),
  ],
  [
    'a placeholder after the scheme of spec',
    isPlaceholder,
    fc.tuple(placeholder, scheme).map(([text, word1]) => authorization(text, word1)),
  ],
  [
    'a placeholder inside a token',
    isPlaceholder,
    fc.tuple(partOfValue, secret).map(([text, more]) => token(`kpat_${text}${more}`)),
  ],
  [
    'a placeholder inside an endpoint',
    isPlaceholder,
    fc.tuple(partOfValue, secret).map(([text, more]) => endpoint(`https://siem.example.com/${text}/${more}`)),
  ],
  [
    'a placeholder inside an authorization',
    isPlaceholder,
    fc.tuple(partOfValue, secret, scheme).map(([text, more, word1]) => authorization(`${word1} ${more}${text}`)),
  ],
  [
    'a value that another tool should decrypt or fetch',
    isPlaceholder,
    fc
      .tuple(
        fc.constantFrom('ENC[AES256_GCM,data:CANARY,iv:x,tag:y,type:str]', 'vault:secret/data/x#CANARY'),
        fc.constantFrom(token, endpoint, authorization),
      )
      .map(([text, one]) => one(text)),
  ],
  [
    'a token that is encoded twice',
    isTwiceEncoded,
    fc.tuple(secret, fc.constantFrom('kpat_', 'spat_')).map(([text, before]) => token(encoded(`${before}${text}`))),
  ],
  [
    'an endpoint that is encoded twice',
    isTwiceEncoded,
    secret.map((text) => endpoint(encoded(`https://siem.example.com/${text}\n`))),
  ],
  [
    'an authorization that is encoded twice',
    isTwiceEncoded,
    fc.tuple(scheme, secret).map(([word1, text]) => authorization(encoded(`${word1} ${text}`))),
  ],
  [
    'the name of the header',
    isHeader,
    fc.tuple(header, scheme, secret).map(([before, word1, text]) => authorization(`${before}${word1} ${text}`)),
  ],
  [
    'a colon after the scheme',
    isHeader,
    fc.tuple(scheme, secret).map(([one, text]) => authorization(`${one}: ${text}`)),
  ],
  [
    'the name of the header after the scheme of spec',
    isHeader,
    fc.tuple(scheme, secret).map(([word1, text]) => authorization(`Authorization:${text}`, word1)),
  ],
  [
    'the scheme word in spec and in the Secret',
    hasSecondScheme,
    fc
      .tuple(scheme, isLower, secret)
      .map(([one, lower, text]) => authorization(`${lower ? one.toLowerCase() : one} ${text}`, one)),
  ],
  [
    'two scheme words, one of them in spec',
    hasSecondScheme,
    secret.map((text) => authorization(`Splunk ${text}`, 'Bearer')),
  ],
  ['only the scheme word of spec again', hasSecondScheme, scheme.map((one) => authorization(one, one))],
  [
    'the scheme word twice in the Secret',
    'has the scheme word twice',
    fc
      .tuple(scheme, isLower, secret)
      .map(([one, lower, text]) => authorization(`${one} ${lower ? one.toLowerCase() : one} ${text}`)),
  ],
  ['a scheme word without a credential', 'is only a scheme word', scheme.map((one) => authorization(one))],
  [
    'a scheme word before the token',
    'begins with a scheme word',
    fc.tuple(fc.constantFrom('Bearer', 'bearer'), secret).map(([one, text]) => token(`${one} kpat_${text}`)),
  ],
  [
    'a character that no URL has',
    'contains a blank, a line break or another character that a URL cannot have',
    fc
      .tuple(origin, characters('/?'), inURL, characters('/?'))
      .map(([start, before, bad, text]) => endpoint(`${start}/${before}${bad}-${text}CANARY`)),
  ],
  [
    'a percent sign without two hex digits',
    'has a % without two hex digits after it',
    fc
      .tuple(origin, characters('/?'), badPercent, characters('/?'))
      .map(([start, before, bad, text]) => endpoint(`${start}/${before}${bad}-${text}CANARY`)),
  ],
  [
    'an endpoint without a host where RFC 3986 looks for it',
    'is not a URL',
    fc
      .tuple(fc.constantFrom('https:', 'https:/', 'https:///', 'https://?', 'https://#'), secret)
      .map(([start, text]) => endpoint(`${start}${text}.example.com`)),
  ],
  [
    'a character that no token has',
    'contains a character that no token has',
    fc.tuple(secret, inToken).map(([text, bad]) => token(`kpat_${text}${bad}${text}`)),
  ],
];

test.each(slips)('a slip is refused by its name, and the value is not repeated: %s', (_slip, says, said) => {
  check(said, (text) => {
    expect(text).toContain(`refused: ${says}`);
    expect(text).not.toContain('CANARY');
  });
});

test.each(['{{', '${', '<', '"', 'a=', 'a="', 'a =', 'a=b,', 'a a ', '\\"', '%', '$(a'])(
  'a long value of %j is checked quickly',
  (part) => {
    const startedAt = performance.now();
    for (const before of ['', 'Bearer ', 'a b="']) {
      const text = `${before}${part.repeat(8_192)}`;
      authorization(text.slice(0, 8_190) + '\u0001');
      token(text.slice(0, 4_095) + '"');
      endpoint(`https://siem.example.com/${text}`.slice(0, 2_047) + '"');
    }
    expect(performance.now() - startedAt).toBeLessThan(1_000);
  },
);
