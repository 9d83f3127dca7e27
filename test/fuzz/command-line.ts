/** Invalid command lines, environments and kubeconfig files: the result is one clear line, or a configuration. */

import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { parseConfig } from '../../src/config/config.ts';
import { environmentName, flagTable } from '../../src/config/flags.ts';
import { loadKubeConfig, PooledKubeConfig } from '../../src/kube/kube-config.ts';
import { anyCharacter } from '../support/any-character.ts';
import { type Mutation, mutate, mutation } from './json-mutation.ts';
import type { Part } from './part.ts';

const mark = 'kpat_q7XcanaryZ9';

const odd = fc.constantFrom(
  '',
  ' ',
  '0',
  '-1',
  '--',
  '-',
  '=',
  ',',
  'true',
  '1e9',
  '\n',
  '\0',
  '\u{1F980}',
  '__proto__',
  'x'.repeat(5_000),
  '99999999999',
  ':8080',
  '[::1]:0',
  '::',
  'https://{region}.h',
  `https://u:${mark}@{region}.h.example`,
  `https://{region}.h.example/?${mark}`,
  `http://${mark}/{region}`,
  '10m',
  '1h1h',
  'a,b,,A',
);
const value = fc.oneof(odd, fc.string({ unit: anyCharacter, maxLength: 40 }), fc.string({ maxLength: 20 }));
const flag = fc.constantFrom(
  ...flagTable.map(({ name }) => name),
  'help',
  'version',
  'nope',
  'constructor',
  '__proto__',
  'no-log-level',
);
const argument = fc.oneof(
  fc.tuple(flag, value).map(([name, text]) => [`--${name}=${text}`]),
  fc.tuple(flag, value).map(([name, text]) => [`--${name}`, text]),
  value.map((text) => [text]),
  // A token in the wrong place.
  fc.constantFrom([mark], ['--', mark], [`-${mark}`]),
);
const variable = fc.tuple(
  fc.constantFrom(
    ...flagTable.map(environmentName),
    'HOME',
    'USERPROFILE',
    'KUBECONFIG',
    'HTTP_PROXY',
    'https_proxy',
    'NO_PROXY',
    '__proto__',
  ),
  fc.oneof(value, fc.constant(`http://u:${mark}@proxy:1`)),
);

const kubeconfig = {
  apiVersion: 'v1',
  kind: 'Config',
  'current-context': 'c',
  clusters: [{ name: 'k', cluster: { server: 'https://127.0.0.1:1', 'certificate-authority-data': 'AA==' } }],
  users: [
    {
      name: 'u',
      user: { token: mark, tokenFile: '/nowhere', 'client-key-data': 'AA==', exec: { command: 'x', args: [mark] } },
    },
  ],
  contexts: [{ name: 'c', context: { cluster: 'k', user: 'u' } }],
};

const situation = fc.record({
  argv: fc.array(argument, { maxLength: 4 }),
  env: fc.array(variable, { maxLength: 4 }),
  mutations: fc.array(mutation, { minLength: 1, maxLength: 4 }),
  // Otherwise JSON, which is also YAML.
  bytes: fc.option(
    fc.oneof(
      fc.uint8Array({ maxLength: 100 }),
      fc
        .constantFrom(
          '---\n---\n',
          'a: &a [*a]',
          `a: &a [x]\n${'b: &b [*a,*a]\n'.repeat(50)}`,
          'users: 5',
          'clusters: {}',
          '\tx',
          '? ',
          '!!js/function x',
          `users: [{name: u, user: {token: "${mark}`,
        )
        .map((text) => Buffer.from(text)),
    ),
    { nil: undefined, freq: 4 },
  ),
});
type Situation = typeof situation extends fc.Arbitrary<infer T> ? T : never;

function commandLine({ argv, env }: Pick<Situation, 'argv' | 'env'>): void {
  const given = argv.flat();
  const parsed = parseConfig(given, Object.fromEntries(env));
  if (parsed.kind !== 'error') return;
  const { message } = parsed;
  assert.ok(message.length < 400 && !/[\n\r\0]/.test(message), `not one short line: ${message}`);
  assert.ok(!message.includes(mark), `a credential is repeated: ${message}`);
}

async function kubeconfigFile(
  folder: string,
  mutations: readonly Mutation[],
  bytes: Uint8Array | undefined,
): Promise<void> {
  const file = join(folder, 'config');
  await writeFile(file, bytes ?? JSON.stringify(mutate(kubeconfig, mutations) ?? null));
  try {
    const config = loadKubeConfig({ kubeconfig: file, home: undefined });
    assert.ok(config instanceof PooledKubeConfig);
    assert.equal(typeof config.server, 'string');
    config.close();
  } catch (error) {
    assert.ok(error instanceof Error);
    assert.match(error.message, /kubeconfig/, `no clear line: ${error.stack ?? ''}`);
    assert.ok(!error.message.includes(mark), 'a credential is repeated');
    assert.ok(!error.message.includes('\n'));
  }
}

async function open() {
  const folder = await mkdtemp(join(tmpdir(), 'fuzz-'));
  return {
    property: fc.asyncProperty(situation, async ({ argv, env, mutations, bytes }) => {
      commandLine({ argv, env });
      await kubeconfigFile(folder, mutations, bytes);
      return true;
    }),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true }),
  };
}

export const commandLines: Part = { name: 'command-line', runsInTest: 150, open };
