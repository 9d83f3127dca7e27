import { expect, test } from '@jest/globals';
import { KubeError } from '../../../src/kube/errors.ts';
import { NamespaceCheck } from '../../../src/kube/namespace-check.ts';
import { eventually } from '../../support/eventually.ts';
import { ManualClock } from '../../support/manual-clock.ts';

/** A check of these namespaces against an API server that knows some, and answers with an error for others. */
function setUp(namespaces: readonly string[], known: Set<string>, errors = new Map<string, KubeError>()) {
  const clock = new ManualClock();
  const lines: unknown[] = [];
  const paths: string[] = [];
  const record = (level: string) => (fields: object, message: string) => void lines.push([level, fields, message]);
  const log = { debug: record('debug'), info: record('info'), warn: record('warn'), error: record('error') };
  const client = {
    async get(path: string): Promise<unknown> {
      paths.push(path);
      const namespace = path.replace('/api/v1/namespaces/', '');
      const error = errors.get(namespace);
      if (error !== undefined) throw error;
      if (!known.has(namespace)) throw new KubeError(`GET ${path}: 404`, { kind: 'NotFound', status: 404 });
      return {};
    },
  };
  const check = new NamespaceCheck({ client, namespaces, log, clock });
  const stop = new AbortController();
  const running = check.run(stop.signal);
  const round = async (count: number) => {
    await eventually(() => expect(paths).toHaveLength(count * namespaces.length));
    await eventually(() => expect(clock.pendingTimers).toBe(1));
  };
  return { check, clock, lines, errors, known, paths, round, stop: () => stop.abort(), running };
}

test('a watched namespace that does not exist is named, once in the log, until it exists', async () => {
  const { check, clock, lines, known, round, stop, running } = setUp(['team', 'platfrom'], new Set(['team']));
  await round(1);
  expect(check.missing).toEqual(['platfrom']);
  clock.advance(60_000);
  await round(2);
  const warning = 'a namespace of --watch-namespaces does not exist: create it, or correct the flag';
  expect(lines).toEqual([['warn', { namespace: 'platfrom' }, warning]]);
  known.add('platfrom');
  clock.advance(60_000);
  await round(3);
  expect(check.missing).toEqual([]);
  expect(lines.slice(1)).toEqual([['info', { namespace: 'platfrom' }, 'a namespace of --watch-namespaces exists now']]);
  stop();
  await running;
});

test('without the right to get it, or without an answer, a namespace counts as before', async () => {
  const { check, clock, lines, errors, round, stop, running } = setUp(['team', 'gone'], new Set(['team']));
  await round(1);
  const forbidden = new KubeError('GET: 403', { kind: 'Forbidden', status: 403 });
  for (const namespace of ['team', 'gone']) errors.set(namespace, forbidden);
  clock.advance(60_000);
  await round(2);
  expect([check.missing, lines.length]).toEqual([['gone'], 1]);
  stop();
  await running;
});

test('without --watch-namespaces nothing is requested', async () => {
  const { paths, running } = setUp([], new Set());
  await running;
  expect(paths).toEqual([]);
});
