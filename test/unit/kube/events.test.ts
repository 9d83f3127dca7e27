import { afterEach, describe, expect, test } from '@jest/globals';
import { KubeError, type KubeErrorKind } from '../../../src/kube/errors.ts';
import type { EventFacts } from '../../../src/kube/event-body.ts';
import { EventRecorder, type EventRecorderOptions } from '../../../src/kube/events.ts';
import type { Patch } from '../../../src/kube/kube-client.ts';
import { eventually } from '../../support/eventually.ts';

interface Write {
  verb: 'create' | 'patch';
  path: string;
  body: object;
}

const widget = { apiVersion: 'example.io/v1', kind: 'Widget', namespace: 'a', name: 'x', uid: 'u1' };

function facts(overrides: Partial<EventFacts> = {}): EventFacts {
  return {
    regarding: widget,
    type: 'Normal',
    reason: 'Attached',
    action: 'Attach',
    note: 'attached portal p',
    ...overrides,
  };
}

const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  await Promise.all(stops.splice(0).map((stop) => stop()));
});

function setUp(overrides: Partial<EventRecorderOptions> = {}) {
  const writes: Write[] = [];
  const dropped: string[] = [];
  const logged: string[] = [];
  /** The errors of the next writes. */
  const failures: (KubeError | undefined)[] = [];
  /** `jumpMs` is how far the time of day was moved since. */
  const clock = { now: Date.parse('2026-01-01T00:00:00.123Z'), jumpMs: 0 };
  let nextId = 1;
  const write = async <T>(verb: Write['verb'], path: string, body: object): Promise<T> => {
    writes.push({ verb, path, body });
    const failure = failures.shift();
    if (failure !== undefined) throw failure;
    return JSON.parse('{}');
  };
  const log = (_fields: object, message: string) => void logged.push(message);
  const recorder = new EventRecorder({
    client: {
      create: (path, body) => write('create', path, body),
      patch: (path, patch: Patch) => write('patch', path, patch.kind === 'json' ? patch.operations : patch.body),
    },
    log: { debug: log, info: log, warn: log, error: log },
    reportingInstance: 'pod-1',
    timeOfDay: () => clock.now + clock.jumpMs,
    now: () => clock.now,
    randomId: () => String(nextId++),
    onDropped: (why) => dropped.push(why),
    ...overrides,
  });
  const flush = () => recorder.flush(new AbortController().signal);
  const run = () => {
    const controller = new AbortController();
    const running = recorder.run(controller.signal);
    const stop = async () => {
      controller.abort();
      await running;
    };
    stops.push(stop);
    return stop;
  };
  return { recorder, writes, dropped, logged, failures, clock, flush, run };
}

function names(writes: Write[]): unknown[] {
  return writes.map(({ body }) => ('metadata' in body ? Object(body.metadata).name : undefined));
}

function failing(kind: KubeErrorKind, reason?: string): KubeError {
  return new KubeError('refused', { kind, ...(reason === undefined ? {} : { reason }) });
}

test('an event is written in the form of events.k8s.io/v1, in the namespace of its object', async () => {
  const { recorder, writes, flush } = setUp();
  recorder.record(facts());
  await flush();
  expect(writes).toEqual([
    {
      verb: 'create',
      path: '/apis/events.k8s.io/v1/namespaces/a/events',
      body: {
        apiVersion: 'events.k8s.io/v1',
        kind: 'Event',
        metadata: { name: 'x.1', namespace: 'a' },
        eventTime: '2026-01-01T00:00:00.123000Z',
        reportingController: 'konnect-audit-log.io/operator',
        reportingInstance: 'pod-1',
        type: 'Normal',
        reason: 'Attached',
        action: 'Attach',
        note: 'attached portal p',
        regarding: widget,
      },
    },
  ]);
});

test('an event about a cluster-scoped object goes to the namespace default', async () => {
  const { recorder, writes, flush } = setUp();
  const { namespace: _namespace, ...cluster } = widget;
  recorder.record(facts({ regarding: cluster }));
  await flush();
  expect(writes[0]).toMatchObject({
    path: '/apis/events.k8s.io/v1/namespaces/default/events',
    body: { metadata: { namespace: 'default' }, regarding: cluster },
  });
});

test.each([
  ['n'.repeat(1024), 'n'.repeat(1024)],
  ['n'.repeat(1025), `${'n'.repeat(1021)}…`],
  ['漢'.repeat(400), `${'漢'.repeat(340)}…`],
  ['🙂'.repeat(300), `${'🙂'.repeat(255)}…`],
])('a note is shortened to 1024 bytes, at the end of a character', async (note, written) => {
  const { recorder, writes, flush } = setUp();
  recorder.record(facts({ note }));
  await flush();
  expect(writes[0]?.body).toMatchObject({ note: written });
  expect(Buffer.byteLength(written)).toBeLessThanOrEqual(1024);
});

test('a long name is shortened and stays a valid name', async () => {
  const { recorder, writes, flush } = setUp();
  recorder.record(facts({ regarding: { ...widget, name: `${'x'.repeat(198)}-.${'y'.repeat(50)}` } }));
  await flush();
  expect(writes[0]?.body).toMatchObject({ metadata: { name: `${'x'.repeat(198)}.1` } });
});

describe('a repeated event', () => {
  test('becomes a series: one create, one patch at once, then one each minute', async () => {
    const { recorder, writes, clock, flush, run } = setUp();
    run();
    recorder.record(facts());
    await eventually(() => expect(writes).toHaveLength(1));
    clock.now += 1000;
    recorder.record(facts());
    await eventually(() => expect(writes).toHaveLength(2));
    for (let round = 0; round < 100; round += 1) recorder.record(facts());
    recorder.record(facts({ note: 'another' }));
    await eventually(() => expect(writes).toHaveLength(3));
    clock.now += 60_000;
    await flush();
    expect(writes.map(({ verb, path }) => `${verb} ${path.split('/').at(-1)}`)).toEqual([
      'create events',
      'patch x.1',
      'create events',
      'patch x.1',
    ]);
    expect(writes[1]?.body).toEqual({ series: { count: 2, lastObservedTime: '2026-01-01T00:00:01.123000Z' } });
    expect(writes[3]?.body).toEqual({ series: { count: 102, lastObservedTime: '2026-01-01T00:00:01.123000Z' } });
  });

  test.each([-48, 48])(
    'is written when it would be, though the time of day has jumped by %i hours, and says that time',
    async (hours) => {
      const { recorder, writes, clock, run } = setUp({ seriesEveryMs: 30 });
      run();
      recorder.record(facts());
      await eventually(() => expect(writes).toHaveLength(1));
      clock.jumpMs = hours * 3_600_000;
      recorder.record(facts());
      await eventually(() => expect(writes).toHaveLength(2));
      expect(writes[1]).toMatchObject({
        verb: 'patch',
        body: { series: { count: 2, lastObservedTime: `${hours < 0 ? '2025-12-30' : '2026-01-03'}T00:00:00.123000Z` } },
      });
      recorder.record(facts());
      clock.now += 30;
      await eventually(() => expect(writes).toHaveLength(3));
      expect(writes[2]).toMatchObject({ verb: 'patch', body: { series: { count: 3 } } });
    },
  );

  test('is one write if the first one was not written yet', async () => {
    const { recorder, writes, flush } = setUp();
    for (let round = 0; round < 5; round += 1) recorder.record(facts());
    await flush();
    expect(writes).toHaveLength(1);
    expect(writes[0]).toMatchObject({ verb: 'create', body: { series: { count: 5 } } });
  });

  test.each([
    { note: 'other' },
    { reason: 'Other' },
    { action: 'Other' },
    { type: 'Warning' as const },
    { regarding: { ...widget, uid: 'u2' } },
  ])('with a difference is a new event: %j', async (difference) => {
    const { recorder, writes, flush } = setUp();
    recorder.record(facts());
    recorder.record(facts(difference));
    await flush();
    expect(writes.map(({ verb }) => verb)).toEqual(['create', 'create']);
  });

  test('after the idle time of the series is a new event', async () => {
    const { recorder, writes, clock, flush } = setUp();
    recorder.record(facts());
    await flush();
    clock.now += 359_999;
    recorder.record(facts());
    await flush();
    clock.now += 360_000;
    recorder.record(facts());
    await flush();
    expect(writes.map(({ verb }) => verb)).toEqual(['create', 'patch', 'create']);
  });

  test('is created again after the API server has deleted the Event', async () => {
    const { recorder, writes, failures, flush } = setUp();
    recorder.record(facts());
    await flush();
    failures.push(failing('NotFound'));
    recorder.record(facts());
    await flush();
    expect(writes.slice(1)).toMatchObject([
      { verb: 'patch' },
      { verb: 'create', body: { metadata: { name: 'x.2' }, series: { count: 2 } } },
    ]);
  });
});

describe('limits', () => {
  test('each object has a budget of new events, which fills up again', async () => {
    const { recorder, writes, dropped, clock, flush } = setUp({ perObject: { burst: 2, refillMs: 1000 } });
    for (const note of ['1', '2', '3', '4']) recorder.record(facts({ note }));
    recorder.record(facts({ regarding: { ...widget, uid: 'u2' } }));
    clock.now += 1000;
    for (const note of ['5', '6']) recorder.record(facts({ note }));
    await flush();
    expect(writes).toHaveLength(4);
    expect(dropped).toEqual(['limited', 'limited', 'limited']);
  });

  test('the number of waiting events is limited', async () => {
    const { recorder, writes, dropped, flush } = setUp({ maxPending: 3 });
    for (let index = 0; index < 5; index += 1) recorder.record(facts({ note: String(index) }));
    await flush();
    expect([writes.length, dropped]).toEqual([3, ['full', 'full']]);
  });
});

describe('a failed write', () => {
  test('with a temporary error is retried later, and an event that exists already counts as written', async () => {
    const { recorder, writes, dropped, failures, clock, run, logged } = setUp();
    failures.push(failing('Timeout'), undefined, failing('Conflict', 'AlreadyExists'));
    run();
    recorder.record(facts());
    await eventually(() => expect(writes).toHaveLength(1));
    clock.now += 999;
    recorder.record(facts({ note: 'makes the recorder look at the clock' }));
    await eventually(() => expect(writes).toHaveLength(2));
    expect(names(writes)).toEqual(['x.1', 'x.2']);
    clock.now += 1;
    recorder.record(facts({ note: 'and once more' }));
    await eventually(() => expect(names(writes)).toEqual(['x.1', 'x.2', 'x.1', 'x.3']));
    expect([dropped, logged]).toEqual([[], []]);
  });

  test.each(['Forbidden', 'Invalid', 'NotFound'] as const)(
    '%s drops the event, with a word in the log',
    async (kind) => {
      const { recorder, writes, dropped, failures, logged, flush } = setUp();
      failures.push(failing(kind));
      recorder.record(facts());
      await flush();
      await flush();
      expect([writes.length, dropped, logged]).toEqual([1, ['refused'], ['event dropped']]);
      recorder.record(facts());
      await flush();
      expect(writes[1]?.verb).toBe('create');
    },
  );

  test('is given up after five attempts', async () => {
    const { recorder, writes, dropped, failures, flush } = setUp();
    failures.push(...Array.from({ length: 9 }, () => failing('Unavailable')));
    recorder.record(facts());
    for (let round = 0; round < 9; round += 1) await flush();
    expect([writes.length, dropped]).toEqual([5, ['refused']]);
  });
});

describe('the end', () => {
  test('writes the remaining events', async () => {
    const { recorder, writes, clock, run } = setUp();
    const stop = run();
    recorder.record(facts());
    await eventually(() => expect(writes).toHaveLength(1));
    recorder.record(facts());
    await eventually(() => expect(writes).toHaveLength(2));
    clock.now += 1;
    recorder.record(facts());
    await stop();
    expect(writes[2]).toMatchObject({ verb: 'patch', body: { series: { count: 3 } } });
  });

  test('does not wait for a server that does not answer', async () => {
    const { recorder, run } = setUp({
      flushMs: 20,
      client: {
        create: (_path, _body, options) => aborted(options?.signal),
        patch: (_path, _patch, options) => aborted(options?.signal),
      },
    });
    const stop = run();
    recorder.record(facts());
    await expect(stop()).resolves.toBeUndefined();
  });
});

function aborted(signal: AbortSignal | undefined): Promise<never> {
  return new Promise((_resolve, reject) => {
    const stop = () => reject(signal?.reason);
    if (signal?.aborted === true) stop();
    else signal?.addEventListener('abort', stop);
  });
}
