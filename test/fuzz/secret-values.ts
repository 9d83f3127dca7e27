/** Values of Secrets: any bytes with any key that the API server accepts, or none. */

import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { AuditLogForwarding, apiVersion, kind } from '../../src/api/v1alpha1.ts';
import { type Resolved, resolveCredentials } from '../../src/forwarding/desired/credentials.ts';
import { resolveToken } from '../../src/forwarding/desired/token.ts';
import { KonnectHTTP } from '../../src/konnect/http.ts';
import { anyCharacter } from '../support/any-character.ts';
import { specOf } from '../support/forwarding-spec.ts';
import { FakeCluster } from '../unit/forwarding/support/fake-cluster.ts';
import { scriptedKonnect } from '../unit/konnect/scripted-konnect.ts';
import type { Part } from './part.ts';

/** So long that a message which contains the value is detected. */
const mark = 'q7XcanaryZ9';

const oddParts = [
  '\0',
  '\uFEFF',
  '\r',
  '\n',
  '\r\n',
  ' ',
  '\t',
  '\u00A0',
  '\u2028',
  '\u0085',
  '\u007F',
  'é',
  '\u{1F980}',
  '%',
  '%0d%0a',
  '\\',
  '"',
  '`',
  '<',
  '{',
  '|',
  '^',
];
const urls = [
  'https://siem.example.com/',
  'https://siem.example.com:8443/x?y=z#part',
  'HTTPS://SIEM.EXAMPLE.COM/A',
  'https://[::1]/x',
  'https://1.2.3.4',
  'https://müller.example/',
  'https://xn--mller-kva.example/',
  'https://u@h.example/',
  'https://u:p@h.example/',
  'https://:@h.example/',
  'https://@h.example/',
  'http://h.example/',
  'ftp://h/',
  'javascript:alert(1)',
  'https:',
  'https:/h',
  'https:h',
  'https:\\\\h\\x',
  '//h/x',
  'https://h:0/',
  'https://h:65536/',
  'https://h:99999999/',
  'https://',
  'https:///x',
  'https://h/%',
  'https://h/..//../',
  'https://h/?#',
  'https://h\\@evil.example/',
  'https://0x7f.1/',
  'https://256.256.256.256/',
  'https://h..example/',
  'https://-h/',
  'https://*/',
  'https://h/{region}',
  'https://h/$(REGION)',
];

const text = fc.oneof(
  fc.constantFrom(...urls),
  fc.string({ unit: 'grapheme', maxLength: 60 }),
  fc.string({ unit: anyCharacter, maxLength: 60 }),
  fc.string({ unit: 'grapheme-ascii', maxLength: 200 }),
  fc.webUrl({ validSchemes: ['https', 'http'], withFragments: true, withQueryParameters: true }),
  fc.constantFrom('Bearer abc', 'Splunk 0d9ac7a8-4f65-4bd8-8f0a-3f1f3b1c5a11', 'kpat_abc', 'a'),
  fc.constantFrom('Authorization: Bearer a', 'Bearer Bearer a', '<path:a#b>', '${A}', '{{ a }}', 'a3BhdF8', '"a"'),
);

/** Generates bytes that contain the mark, with unusual bytes before, inside or after it. */
const bytes: fc.Arbitrary<Buffer> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc
      .tuple(text, fc.constantFrom('', ...oddParts), fc.constantFrom('', ...oddParts), fc.boolean())
      .map(([value, before, after, marked]) => Buffer.from(`${before}${value}${marked ? mark : ''}${after}`)),
  },
  { weight: 2, arbitrary: fc.uint8Array({ maxLength: 64 }).map((some) => Buffer.from(some)) },
  {
    weight: 1,
    arbitrary: fc
      .constantFrom(0, 1, 2_047, 2_048, 2_049, 2_050, 2_051, 4_096, 4_097, 8_192, 8_193, 8_195, 1_048_576)
      .map((length) => Buffer.alloc(length, mark)),
  },
  {
    weight: 1,
    arbitrary: fc
      .constantFrom(2_047, 2_048, 2_049)
      .map((length) => Buffer.from(`https://h.example/${mark}`.padEnd(length, 'x'))),
  },
);

const value = fc.option(bytes, { freq: 12, nil: undefined });
const keyName = fc.oneof(
  fc.constantFrom('endpoint', 'authorization', 'token', 'constructor', '__proto__', 'toString', '...', '-'),
  fc.stringMatching(/^[-._a-zA-Z0-9]{1,40}$/),
);

const situation = fc.record({
  endpoint: value,
  authorization: value,
  token: value,
  endpointKey: keyName,
  authorizationKey: keyName,
  tokenKey: keyName,
  scheme: fc.option(fc.constantFrom('Bearer', 'Splunk', 'A-1'), { nil: undefined }),
  extra: fc.array(fc.tuple(keyName, bytes), { maxLength: 2 }),
});

type Situation = typeof situation extends fc.Arbitrary<infer T> ? T : never;

function forwardingFor({ endpointKey, authorizationKey, tokenKey, scheme }: Situation): AuditLogForwarding {
  const spec = specOf({ organization: { enabled: true } });
  return AuditLogForwarding.parse({
    apiVersion,
    kind,
    metadata: { namespace: 'platform', name: 'sumologic', uid: 'u', resourceVersion: '1' },
    spec: {
      ...spec,
      konnect: { ...spec.konnect, tokenSecretRef: { name: 'konnect', key: tokenKey } },
      destination: {
        secretRef: { name: 'siem', endpointKey, authorizationKey },
        ...(scheme === undefined ? {} : { authorizationScheme: scheme }),
      },
    },
  });
}

function secretOf(entries: readonly (readonly [string, Buffer | undefined])[]) {
  const data = entries.flatMap(([key, one]) => (one === undefined ? [] : [[key, one.toString('base64')] as const]));
  // As from JSON.parse, where `__proto__` is a normal key.
  return { uid: 'u', resourceVersion: '1', data: Object.fromEntries(data) };
}

/** Checks the message of a rejected value: it names Secret, key and way out, and contains nothing of the value. */
function assertClear(resolved: Resolved<unknown>, name: string, held: readonly Buffer[]): void {
  if (resolved.kind === 'resolved') return;
  const { message, reason } = resolved.problem;
  assert.match(message, new RegExp(`^Secret ${name}, (key \\S+ |named by spec\\.)`));
  assert.match(message, /: [^:]+; the operator did not send this value|add this key, or name another key|create it/);
  assert.match(reason, /^Secret[A-Z]\w+$/);
  assert.ok(message.length < 700 && /^[\x20-\x7e]+$/.test(message), 'a message is one plain line');
  for (const one of held) {
    const content = one.toString('utf8').trim();
    if (content.length >= 8 && content.length <= 2_048) assert.ok(!message.includes(content), 'the value is repeated');
  }
  assert.ok(!message.includes(mark), 'the value is repeated');
}

/** Returns the text without the line breaks that an editor adds at its end. */
function trimmed(one: Buffer | undefined): string {
  return (one?.toString('utf8') ?? '').replace(/[\r\n]+$/, '');
}

async function open() {
  const konnect = await scriptedKonnect(() => ({ status: 200, body: {} }));
  const http = new KonnectHTTP({ userAgent: 'fuzz', timeoutMs: 5_000 });

  async function play(one: Situation): Promise<boolean> {
    const cluster = new FakeCluster();
    const siem = secretOf([...one.extra, [one.endpointKey, one.endpoint], [one.authorizationKey, one.authorization]]);
    cluster.secrets.set('siem', siem);
    cluster.secrets.set('konnect', secretOf([[one.tokenKey, one.token]]));
    const signal = new AbortController().signal;
    const forwarding = forwardingFor(one);
    const held = [one.endpoint, one.authorization, one.token].filter((each) => each !== undefined);
    const token = await resolveToken(forwarding, cluster, signal);
    const credentials = await resolveCredentials(forwarding, cluster, signal);
    assertClear(token, 'konnect', held);
    assertClear(credentials, 'siem', held);
    if (credentials.kind === 'resolved' && credentials.value !== undefined) {
      const { endpoint, authorization } = credentials.value;
      const stored = (key: string) =>
        trimmed(Buffer.from(Object.entries(siem.data).find(([name]) => name === key)?.[1] ?? '', 'base64'));
      assert.equal(endpoint, stored(one.endpointKey));
      assert.equal(authorization, `${one.scheme === undefined ? '' : `${one.scheme} `}${stored(one.authorizationKey)}`);
      assert.match(endpoint, /^https:/i);
      assert.equal(new URL(endpoint).username + new URL(endpoint).password, '');
      // As an HTTP library sends it.
      assert.equal(new Headers({ authorization }).get('authorization'), authorization.trim());
    }
    if (token.kind === 'resolved') {
      assert.equal(token.value, trimmed(one.token));
      konnect.requests.length = 0;
      const url = new URL(`http://127.0.0.1:${String(konnect.port)}/global/x`);
      const body = credentials.kind === 'resolved' ? { ...credentials.value } : {};
      await http.send({
        operation: 'create destination',
        region: 'global',
        method: 'POST',
        url,
        token: token.value,
        body,
        signal,
      });
      assert.equal(konnect.requests[0]?.headers.authorization, `Bearer ${trimmed(one.token)}`);
      assert.deepEqual(konnect.requests[0]?.body, body);
    }
    return true;
  }

  return {
    property: fc.asyncProperty(situation, play),
    async [Symbol.asyncDispose]() {
      http.close();
      await konnect[Symbol.asyncDispose]();
    },
  };
}

export const secretValues: Part = { name: 'secrets', runsInTest: 300, open };
