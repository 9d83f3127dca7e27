import { globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from '@jest/globals';

interface Import {
  /** Path from `src/`, or the name of a package. */
  readonly target: string;
  readonly typesOnly: boolean;
  /** False if it is loaded only when it is used. */
  readonly atStart: boolean;
}

const root = join(import.meta.dirname, '../../src');
const files = globSync('**/*.ts', { cwd: root }).toSorted();
const sources = new Map(files.map((file) => [file, readFileSync(join(root, file), 'utf8')]));
const imports = new Map([...sources].map(([file, source]) => [file, importsOf(file, source)]));

/** Static imports and re-exports, and dynamic imports of a literal. */
function importsOf(file: string, source: string): Import[] {
  const code = source.replaceAll(/^\s*(\/\/|\*|\/\*).*$/gm, '');
  const statements = /^(?:import|export)\b(?<what>[^'";]*?)\bfrom\s*'(?<from>[^']+)'|^import\s*'(?<bare>[^']+)'/gm;
  const dynamic = /\bimport\(\s*'(?<from>[^']+)'\s*\)/g;
  const toImport = ({ groups = {} }: RegExpExecArray, atStart: boolean): Import => {
    const from = groups['from'] ?? groups['bare'] ?? '';
    const names = (groups['what'] ?? '').trim();
    const inside = /^\{(?<list>.*)\}$/s.exec(names)?.groups?.['list']?.split(',') ?? [];
    const named = inside.map((name) => name.trim()).filter((name) => name !== '');
    return {
      target: from.startsWith('.') ? join(dirname(file), from) : from,
      atStart,
      typesOnly: names.startsWith('type ') || (named.length > 0 && named.every((name) => name.startsWith('type '))),
    };
  };
  return [
    ...[...code.matchAll(statements)].map((found) => toImport(found, true)),
    ...[...code.matchAll(dynamic)].map((found) => toImport(found, false)),
  ];
}

function isOurs(target: string): boolean {
  return target.endsWith('.ts');
}

/** A file belongs to the folder that it is in, however deep. */
function roomOf(path: string): string {
  return dirname(path);
}

/** What the files of a folder may import beside their own folder. `docs/develop/architecture.md` prints this table. */
const allowed: Readonly<Record<string, readonly string[]>> = {
  runtime: [],
  api: [],
  controller: ['runtime'],
  kube: ['http', 'runtime'],
  telemetry: ['runtime'],
  http: ['runtime'],
  konnect: ['http', 'runtime'],
  sumologic: ['http', 'runtime'],
  'leader-election': ['kube', 'runtime'],
  'konnect/limits': ['konnect', 'runtime'],
  'konnect/session': ['konnect', 'konnect/limits', 'runtime'],
  status: ['api'],
  forwarding: ['api', 'konnect', 'konnect/session', 'status'],
  'forwarding/desired': ['api', 'forwarding', 'konnect', 'status'],
  'forwarding/observed': ['api', 'forwarding', 'forwarding/desired', 'konnect', 'status'],
  'forwarding/ownership': ['api', 'forwarding', 'forwarding/observed', 'status'],
  'forwarding/plan': [
    'api',
    'forwarding',
    'forwarding/desired',
    'forwarding/observed',
    'forwarding/ownership',
    'status',
  ],
  'forwarding/apply': [
    'api',
    'forwarding',
    'forwarding/desired',
    'forwarding/observed',
    'forwarding/plan',
    'konnect',
    'status',
  ],
  'forwarding/reconcile': [
    'api',
    'forwarding',
    'forwarding/apply',
    'forwarding/desired',
    'forwarding/observed',
    'forwarding/ownership',
    'forwarding/plan',
    'konnect',
    'runtime',
    'status',
  ],
  resources: ['api', 'controller', 'forwarding', 'forwarding/desired', 'forwarding/ownership', 'kube', 'runtime'],
  verification: ['api', 'audit-lines', 'forwarding', 'forwarding/desired', 'konnect', 'runtime', 'status', 'sumologic'],
  config: ['api', 'http', 'konnect', 'leader-election', 'sumologic', 'telemetry'],
  operator: [
    'config',
    'controller',
    'forwarding/desired',
    'forwarding/ownership',
    'forwarding/reconcile',
    'http',
    'konnect',
    'konnect/limits',
    'konnect/session',
    'kube',
    'leader-election',
    'resources',
    'runtime',
    'sumologic',
    'telemetry',
    'verification',
  ],
  'audit-lines': [],
  auditlog: [
    'api',
    'audit-lines',
    'config',
    'forwarding',
    'forwarding/desired',
    'forwarding/ownership',
    'forwarding/reconcile',
    'http',
    'konnect',
    'konnect/session',
    'kube',
    'resources',
    'telemetry',
  ],
};

const rooms = [...new Set(files.filter((file) => file.includes('/')).map(roomOf))];

test('every import of the sources is understood', () => {
  for (const [file, found] of imports) {
    const mentioned = [...(sources.get(file) ?? '').matchAll(/^(?:import\b|\} from ')/gm)].length;
    expect({
      file,
      enough: found.length >= mentioned / 2,
      known: found.every(({ target }) => isKnown(target)),
    }).toEqual({ file, enough: true, known: true });
  }
});

function isKnown(target: string): boolean {
  return isOurs(target) ? sources.has(target) : !target.startsWith('.');
}

describe('folders', () => {
  test('are those that have a rule, and hold all files but main.ts', () => {
    expect(rooms.toSorted()).toEqual(Object.keys(allowed).toSorted());
    expect(files.filter((file) => !file.includes('/'))).toEqual(['main.ts']);
  });

  test('import only what the table allows', () => {
    const forbidden = [...imports].flatMap(([file, found]) => {
      const room = roomOf(file);
      if (room === '.') return [];
      const may = new Set([room, ...(allowed[room] ?? [])]);
      return found
        .filter(({ target }) => isOurs(target) && !may.has(roomOf(target)))
        .map(({ target }) => `${file} imports ${target}`);
    });
    expect(forbidden).toEqual([]);
  });

  test('need every arrow of the table', () => {
    const unused = Object.entries(allowed).flatMap(([room, others]) => {
      const found = files.filter((file) => roomOf(file) === room).flatMap((file) => imports.get(file) ?? []);
      const used = new Set(found.map(({ target }) => roomOf(target)));
      return others.filter((other) => !used.has(other)).map((other) => `${room} does not import ${other}`);
    });
    expect(unused).toEqual([]);
  });

  test('have no circle', () => {
    expect(circles(rooms, (room) => allowed[room] ?? [])).toEqual([]);
  });

  test('are printed in docs/develop/architecture.md as they are here', () => {
    const text = readFileSync(join(root, '../docs/develop/architecture.md'), 'utf8');
    const printed = [...text.matchAll(/^\| `src\/([\w/-]+)\/` \| ([^|]*) \|$/gm)].map(([, room = '', others = '']) => [
      room,
      [...others.matchAll(/`([\w/-]+)`/g)].map(([, other = '']) => other),
    ]);
    expect(Object.fromEntries(printed)).toEqual(allowed);
  });
});

/** Each circle as a path that begins and ends with the same name. Type imports count: a reader has to follow them. */
function circles(names: readonly string[], targetsOf: (name: string) => readonly string[]): string[] {
  const found: string[] = [];
  const done = new Set<string>();
  const visit = (name: string, path: readonly string[]): void => {
    if (path.includes(name)) found.push([...path.slice(path.indexOf(name)), name].join(' > '));
    if (done.has(name) || path.includes(name)) return;
    for (const target of targetsOf(name)) visit(target, [...path, name]);
    done.add(name);
  };
  for (const name of names) visit(name, []);
  return found;
}

test('files have no circle, type imports included', () => {
  const targetsOf = (file: string) =>
    (imports.get(file) ?? []).filter(({ target }) => isOurs(target)).map(({ target }) => target);
  expect(circles(files, targetsOf)).toEqual([]);
});

test('no file but the resource has more than 320 lines', () => {
  const long = [...sources].filter(([file, source]) => {
    return file !== 'api/v1alpha1.ts' && source.split('\n').length > 321;
  });
  expect(long.map(([file]) => file)).toEqual([]);
});

test('no file of the tests, the scripts and the sandbox has more than 400 lines', () => {
  const others = globSync('{test,scripts,sandbox}/**/*.ts', {
    cwd: join(root, '..'),
    exclude: ['**/node_modules'],
  });
  expect(others.length).toBeGreaterThan(400);
  const long = others.filter((file) => readFileSync(join(root, '..', file), 'utf8').split('\n').length > 401);
  expect(long).toEqual([]);
});

describe('the domain', () => {
  test('has of Konnect only types and its error', () => {
    const more = [...imports].flatMap(([file, found]) =>
      found
        .filter(
          ({ target, typesOnly }) => file.startsWith('forwarding/') && target.startsWith('konnect/') && !typesOnly,
        )
        .filter(({ target }) => target !== 'konnect/errors.ts')
        .map(({ target }) => `${file} imports ${target}`),
    );
    expect(more).toEqual([]);
  });

  test('plans with pure functions only', () => {
    const pure = new Set([
      'status/recorded-state.ts',
      'status/corrections.ts',
      'status/delivery.ts',
      'forwarding/observed/destination-diff.ts',
      'forwarding/problems.ts',
    ]);
    const values = [...imports].flatMap(([file, found]) =>
      found
        .filter(({ target, typesOnly }) => roomOf(file) === 'forwarding/plan' && !typesOnly && isOurs(target))
        .filter(({ target }) => roomOf(target) !== 'forwarding/plan' && !pure.has(target))
        .map(({ target }) => `${file} imports ${target}`),
    );
    expect(values).toEqual([]);
  });

  test('imports no package but what belongs to Node', () => {
    const packages = [...imports].flatMap(([file, found]) =>
      found.filter(({ target }) => /^(forwarding|status)\//.test(file) && !isOurs(target)).map(({ target }) => target),
    );
    expect(packages.filter((name) => !['node:crypto', 'node:util'].includes(name))).toEqual([]);
  });
});

/** The packages that are loaded with a file, those of Node left out. */
function packagesAtStart(file: string, seen = new Set<string>()): string[] {
  if (seen.has(file)) return [];
  seen.add(file);
  const loaded = (imports.get(file) ?? []).filter(({ atStart, typesOnly }) => atStart && !typesOnly);
  const packages = loaded.flatMap(({ target }) => (isOurs(target) ? packagesAtStart(target, seen) : [target]));
  return [...new Set(packages)].filter((name) => !name.startsWith('node:'));
}

test.each([
  ['main.ts', []],
  ['auditlog/main.ts', []],
  ['auditlog/compare.ts', ['zod']],
  ['auditlog/verify.ts', ['zod']],
])('%s loads no packages at its start but %j, for its memory', (file, packages) => {
  expect(packagesAtStart(file)).toEqual(packages);
});

function importersOf(name: RegExp): string[] {
  return [...imports].flatMap(([file, found]) => (found.some(({ target }) => name.test(target)) ? [file] : []));
}

describe('the outside', () => {
  test('only http/http-connections.ts imports got', () => {
    expect(importersOf(/^got$/)).toEqual(['http/http-connections.ts']);
  });

  test.each([
    ['@kubernetes/client-node/.*', 'kube'],
    ['pino', 'telemetry'],
    ['prom-client', 'telemetry'],
  ])('%s is imported by %s/ only', (name, room) => {
    expect(
      importersOf(new RegExp(`^${name}$`))
        .map(roomOf)
        .filter((one) => one !== room),
    ).toEqual([]);
  });

  test('the log is imported as a type', () => {
    const values = [...imports].flatMap(([file, found]) =>
      found.filter(({ target, typesOnly }) => target === 'runtime/log.ts' && !typesOnly).map(() => file),
    );
    expect(values).toEqual([]);
  });

  test('only config/ reads the environment, which main.ts may hand to it', () => {
    const readers = files.filter((file) =>
      /\bprocess\s*(\.|\?\.|\[\s*['"])\s*env\b|\benv\b[^\n]*from 'node:process'|\{[^}\n]*\benv\b[^}\n]*\}\s*=\s*process\b/.test(
        sources.get(file) ?? '',
      ),
    );
    expect(readers.filter((file) => file !== 'config/config.ts' && file !== 'main.ts')).toEqual([]);
    const inMain = [...(sources.get('main.ts') ?? '').matchAll(/process\.env(?<next>.?)/g)];
    expect(inMain.filter(({ groups }) => /[.[]/.test(groups?.['next'] ?? ''))).toEqual([]);
  });
});
