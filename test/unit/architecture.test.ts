import { globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from '@jest/globals';

interface Import {
  /** Path from `src/`, or the name of a package. */
  readonly target: string;
  /** The names, where there are any; `*` for a namespace. */
  readonly names: string;
  readonly typesOnly: boolean;
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
  const found = [...code.matchAll(statements), ...code.matchAll(dynamic)];
  return found.map(({ groups = {} }) => {
    const from = groups['from'] ?? groups['bare'] ?? '';
    const names = (groups['what'] ?? '').trim();
    const inside = /^\{(?<list>.*)\}$/s.exec(names)?.groups?.['list']?.split(',') ?? [];
    const named = inside.map((name) => name.trim()).filter((name) => name !== '');
    return {
      target: from.startsWith('.') ? join(dirname(file), from) : from,
      names,
      typesOnly: names.startsWith('type ') || (named.length > 0 && named.every((name) => name.startsWith('type '))),
    };
  });
}

function roomOf(path: string): string {
  return path.includes('/') ? path.slice(0, path.indexOf('/')) : path;
}

function isOurs(target: string): boolean {
  return target.endsWith('.ts');
}

/** What a room may import of `src/` beside itself: rooms, or single files. */
const allowed: Readonly<Record<string, readonly string[]>> = {
  api: [],
  controller: ['fence.ts', 'log.ts'],
  kube: ['fence.ts', 'log.ts'],
  konnect: ['fence.ts', 'log.ts'],
  telemetry: ['log.ts'],
  status: ['api'],
  forwarding: ['api', 'status', 'konnect'],
};

/** Files at the top put the rooms together, and are imported by no room. */
const rooms = [...new Set(files.filter((file) => file.includes('/')).map(roomOf))];

function forbidden(): string[] {
  return [...imports].flatMap(([file, found]) => {
    const room = roomOf(file);
    if (!file.includes('/')) return [];
    const may = new Set([room, ...(allowed[room] ?? [])]);
    return found
      .filter(({ target }) => isOurs(target) && !may.has(roomOf(target)))
      .map(({ target }) => `${file} imports ${target}`);
  });
}

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

describe('rooms', () => {
  test('are those that have a rule', () => {
    expect(rooms.toSorted()).toEqual(Object.keys(allowed).toSorted());
  });

  test('import downward only', () => {
    expect(forbidden()).toEqual([]);
  });

  test('the log is imported as a type', () => {
    const values = [...imports].flatMap(([file, found]) =>
      found.filter(({ target, typesOnly }) => target === 'log.ts' && !typesOnly).map(() => file),
    );
    expect(values).toEqual([]);
  });
});

describe('the domain', () => {
  test('has of Konnect only types and its error', () => {
    const more = [...imports].flatMap(([file, found]) =>
      found
        .filter(({ target, typesOnly }) => roomOf(file) === 'forwarding' && roomOf(target) === 'konnect' && !typesOnly)
        .filter(({ target }) => target !== 'konnect/errors.ts')
        .map(({ target }) => `${file} imports ${target}`),
    );
    expect(more).toEqual([]);
  });

  test('plans with types alone', () => {
    const values = imports.get('forwarding/plan.ts')?.filter(({ typesOnly }) => !typesOnly);
    expect(values).toEqual([]);
  });

  test('imports no package but what belongs to Node', () => {
    const packages = [...imports].flatMap(([file, found]) =>
      found
        .filter(({ target }) => ['forwarding', 'status'].includes(roomOf(file)) && !isOurs(target))
        .map(({ target }) => target),
    );
    expect(packages.filter((name) => !['node:crypto', 'node:util'].includes(name))).toEqual([]);
  });
});

function importersOf(name: RegExp): string[] {
  return [...imports].flatMap(([file, found]) => (found.some(({ target }) => name.test(target)) ? [file] : []));
}

describe('the outside', () => {
  test('only konnect/http.ts imports got', () => {
    expect(importersOf(/^got$/)).toEqual(['konnect/http.ts']);
  });

  test.each([
    ['@kubernetes/client-node', 'kube'],
    ['undici', 'kube'],
    ['pino', 'telemetry'],
    ['prom-client', 'telemetry'],
  ])('%s is imported by %s/ alone', (name, room) => {
    expect(
      importersOf(new RegExp(`^${name}$`))
        .map(roomOf)
        .filter((one) => one !== room),
    ).toEqual([]);
  });

  test('only config.ts reads the environment, which main.ts may hand to it', () => {
    const readers = files.filter((file) =>
      /\bprocess\s*(\.|\?\.|\[\s*['"])\s*env\b|\benv\b[^\n]*from 'node:process'|\{[^}\n]*\benv\b[^}\n]*\}\s*=\s*process\b/.test(
        sources.get(file) ?? '',
      ),
    );
    expect(readers.filter((file) => file !== 'config.ts' && file !== 'main.ts')).toEqual([]);
    const inMain = [...(sources.get('main.ts') ?? '').matchAll(/process\.env(?<next>.?)/g)];
    expect(inMain.filter(({ groups }) => /[.[]/.test(groups?.['next'] ?? ''))).toEqual([]);
  });
});

test('no file imports itself, by whatever way round', () => {
  const cycles: string[] = [];
  const done = new Set<string>();
  const visit = (file: string, path: readonly string[]): void => {
    if (path.includes(file)) cycles.push([...path.slice(path.indexOf(file)), file].join(' > '));
    if (done.has(file) || path.includes(file)) return;
    // Types are gone by the time the program runs.
    const values = (imports.get(file) ?? []).filter(({ target, typesOnly }) => isOurs(target) && !typesOnly);
    for (const { target } of values) visit(target, [...path, file]);
    done.add(file);
  };
  for (const file of files) visit(file, []);
  expect(cycles).toEqual([]);
});
