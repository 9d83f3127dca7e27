import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { holdsSecret, lacksCode } from '../../../../src/forwarding/desired/endpoint-secret.ts';

/** As long and as mixed as a code of SumoLogic, which opens nothing. */
const code = 'ZaVnC4dhaV3kT9xQ2mB7pLw8KsYd-RgHj6Ne0Uo_vF5cXiSzWbEqAtMlJrPyDuOhNgGa1fVe4IoKx2';
const at = (rest: string, host = 'endpoint1.collection.us2.sumologic.com') =>
  `https://${host}/receiver/v1/http/${rest}`;

describe('an endpoint that holds a secret', () => {
  test.each([
    ['a SumoLogic source', at(`${code}==`)],
    ['of the first deployment', at(`${code}==`, 'collectors.sumologic.com')],
    ['with one padding character', at(`${code}=`)],
    ['without padding', at(code)],
    ['with padding as an HTML form encodes it', at(`${code}%3D%3d`)],
    ['behind a private link', at(`${code}==`, 'vpce-0a1b2c3d.example.amazonaws.com')],
    ['with the port', at(`${code}==`, 'collectors.sumologic.com:443')],
    ['with a host in upper case', at(`${code}==`, 'COLLECTORS.SumoLogic.com')],
    ['of the local SumoLogic', at('ZaVnC4dhaV1sandboxCodeThatOpensNothingElse==', '127.0.0.1:40123')],
  ])('%s', (_title, endpoint) => {
    expect(holdsSecret(endpoint)).toBe(true);
  });
});

describe('an endpoint that does not', () => {
  const key = 'dGhpc0lzQVZlcnlMb25nS2V5V2l0aDEyMzQ1Njc4OTBBbmRNb3Jl';
  test.each([
    ["Splunk's HTTP Event Collector", 'https://http-inputs-acme.splunkcloud.com/services/collector/raw'],
    ["Splunk's, with a channel", `https://splunk.example.com:8088/services/collector/raw?channel=${key}`],
    ['a relay', 'https://audit-relay.example.com/'],
    ['a relay with a long path', `https://audit-relay.example.com/v1/logs/${code}`],
    ['a relay with a UUID', 'https://audit-relay.example.com/in/3e551b39-227d-4297-b911-e68fd5d77c17'],
    [
      'Datadog, whose key the whole company uses',
      `https://http-intake.logs.datadoghq.com/api/v2/logs?dd-api-key=${key}`,
    ],
    ['a secret in the query', `https://siem.example.com/receiver/v1/http?code=${code}`],
    ['a secret in the fragment', `https://siem.example.com/receiver/v1/http/#${code}`],
    ['a secret in the host', `https://${code.replace('_', '').slice(0, 50)}.example.com/receiver/v1/http/`],
    ['a password in the URL', `https://user:${code}@siem.example.com/`],
    ['a SumoLogic source of the kind Auth Header', at('').slice(0, -1)],
    ['without a code', at('')],
    ['a placeholder', at('replace-me')],
    ['a long placeholder', at('X'.repeat(80))],
    ['a long placeholder of mixed kinds', at('Xx1'.repeat(30))],
    ['a short code', at(code.slice(0, 39))],
    ['a short code with much padding', at(`${code.slice(0, 30)}${'='.repeat(50)}`)],
    ['words', at('the-audit-logs-of-all-teams-of-this-company')],
    ['a UUID where the code is', at('3e551b39-227d-4297-b911-e68fd5d77c17')],
    ['a path that goes on', at(`${code}/all-teams`)],
    ['a path that ends in a slash', at(`${code}/`)],
    ['another path before it', `https://relay.example.com/to/receiver/v1/http/${code}`],
    ['another path with a code', `https://siem.example.com/receiver/v2/http/${code}`],
    ['a path in upper case', `https://siem.example.com/RECEIVER/v1/http/${code}`],
    ['an encoded path', at(`${code.slice(0, 40)}%41${code.slice(40)}`)],
    ['dots that lead out of the path', at(`${code}/../all`)],
    ['no URL', `/receiver/v1/http/${code}`],
    ['nothing', ''],
  ])('%s', (_title, endpoint) => {
    expect(holdsSecret(endpoint)).toBe(false);
  });
});

describe('for any input', () => {
  const characters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-';
  const text = (minLength: number, maxLength: number) =>
    fc.shuffledSubarray(characters.split(''), { minLength, maxLength }).map((all) => all.join(''));

  test('a code of 40 or more characters counts, if it has letters of both kinds and a digit', () => {
    fc.assert(
      fc.property(text(37, 64), fc.constantFrom('', '=', '=='), (end, padding) => {
        expect(holdsSecret(at(`aB3${end}${padding}`))).toBe(true);
      }),
    );
  });

  test('a code of less than 40 characters never counts', () => {
    fc.assert(
      fc.property(text(0, 39), fc.webQueryParameters(), (short, query) => {
        expect(holdsSecret(at(`${short}==?${query}`))).toBe(false);
      }),
    );
  });

  test('nothing counts whose path is not that of a source', () => {
    fc.assert(
      fc.property(fc.oneof(fc.webUrl({ withQueryParameters: true, withFragments: true }), fc.string()), (endpoint) => {
        expect(holdsSecret(endpoint)).toBe(false);
      }),
    );
  });

  test('the answer is the same for the form of the URL in which Konnect may show it', () => {
    fc.assert(
      fc.property(fc.webAuthority(), text(30, 60), (host, end) => {
        const endpoint = at(`aB3${end}`, host);
        const canonical = URL.parse(endpoint)?.href;
        fc.pre(canonical !== undefined);
        expect(holdsSecret(canonical)).toBe(holdsSecret(endpoint));
      }),
    );
  });
});

test.each<[string, boolean]>([
  ['https://endpoint1.collection.sumologic.com/receiver/v1/http', true],
  ['https://endpoint1.collection.us2.sumologic.com/receiver/v1/http/', true],
  ['https://sumologic.com/receiver/v1/http?x=1', true],
  ['https://collectors.sumologic.com/receiver/v1/http/ZaVnC4dhaV1', false],
  ['https://collectors.sumologic.com/receiver/v1/https', false],
  ['https://relay.example.com/receiver/v1/http', false],
  ['https://notsumologic.com/receiver/v1/http', false],
  ['https://sumologic.com.example.com/receiver/v1/http', false],
  ['no URL', false],
])('%s is the URL of a SumoLogic source of the kind Auth Header: %s', (endpoint, expected) => {
  expect(lacksCode(endpoint)).toBe(expected);
});
