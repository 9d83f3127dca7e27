import { describe, expect, test } from '@jest/globals';
import { KonnectError } from '../../../src/konnect/errors.ts';
import { createLog, type LogFormat, type LogLevel } from '../../../src/telemetry/log.ts';

function recordingLog(level: LogLevel = 'info', format: LogFormat = 'json') {
  const lines: string[] = [];
  return { log: createLog({ level, format, output: { write: (line) => lines.push(line) } }), lines };
}

function logged(fields: object, level: LogLevel = 'info'): Record<string, unknown> {
  const { log, lines } = recordingLog(level);
  log.error(fields, 'static message');
  return JSON.parse(lines[0] ?? '');
}

describe('a JSON line', () => {
  test('has time, level, message and the fields', () => {
    expect(logged({ namespace: 'platform', attempts: 2, ids: ['a'], gone: undefined, nothing: null })).toEqual({
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      level: 'error',
      message: 'static message',
      namespace: 'platform',
      attempts: 2,
      ids: ['a'],
      nothing: null,
    });
  });

  test('is written only at the level or above', () => {
    const { log, lines } = recordingLog('warn');
    log.debug({}, 'no');
    log.info({}, 'no');
    log.warn({}, 'yes');
    log.error({}, 'yes');
    expect(lines).toHaveLength(2);
  });

  test('is one line of limited length, for any fields', () => {
    const circle: Record<string, unknown> = { text: 'two\nlines' };
    circle['itself'] = circle;
    const { log, lines } = recordingLog();
    log.info(circle, 'message');
    expect(lines[0]?.trimEnd().split('\n')).toHaveLength(1);
  });
});

describe('a line of text', () => {
  test('contains nothing that a terminal interprets as a command, a line break or a change of direction', () => {
    const lines: string[] = [];
    const log = createLog({ level: 'info', format: 'text', output: { write: (line) => lines.push(line) } });
    log.info({ name: '\u001b[2J\u009b31m\u2028\u2029\u202ea\u2066\u{e0001}\r\n\u007f' }, 'said');
    expect(lines[0]).toContain(String.raw`name="\u001b[2J\u009b31m\u2028\u2029\u202ea\u2066\udb40\udc01\r\n\u007f"`);
  });

  test('is time, level, message and fields, with quotes where they are needed', () => {
    const { log, lines } = recordingLog('info', 'text');
    log.warn({ key: 'platform/sumologic', note: 'two\nlines', portals: ['a', 'b'] }, 'portal refused');
    expect(lines[0]).toMatch(
      /^\S+Z WARN {2}portal refused {2}key=platform\/sumologic {2}note="two\\nlines" {2}portals=\["a","b"\]\n$/,
    );
  });
});

describe('errors', () => {
  const refused = new KonnectError({
    kind: 'Refused',
    operation: 'create destination',
    status: 400,
    instance: 'konnect:trace:1',
    refusedFields: ['endpoint'],
  });

  test('of the operator are printed with their fields, without a stack', () => {
    expect(logged({ err: refused })['err']).toEqual({
      type: 'KonnectError',
      message: 'create destination: Konnect answered 400 (Refused), refusing endpoint',
      kind: 'Refused',
      operation: 'create destination',
      status: 400,
      instance: 'konnect:trace:1',
      refusedFields: ['endpoint'],
      mayHaveHappened: false,
    });
  });

  test('have a stack at the level debug', () => {
    expect(logged({ err: refused }, 'debug')['err']).toHaveProperty('stack.0', expect.stringContaining('log.test.ts'));
  });

  test('are printed at any depth, with their causes', () => {
    const line = logged({ results: [{ portal: 'x', failure: new Error('outer', { cause: refused }) }] });
    expect(line['results']).toMatchObject([
      { portal: 'x', failure: { type: 'Error', message: 'outer', cause: { type: 'KonnectError', status: 400 } } },
    ]);
    expect(logged(refused)['err']).toMatchObject({ type: 'KonnectError' });
  });

  test.each([
    ['fetch of https://user:pw@siem.example.com/a?b failed', 'fetch of [url] failed'],
    ['bad header Authorization: kpat_x', 'bad header Authorization [redacted]'],
    ['sent Bearer abc to it', 'sent Bearer [redacted] to it'],
    ['no ZaVnC4dhaV1qdd04KtGT9-FjQf3lrLxMRhzWcLQ here', 'no [redacted] here'],
    ['portal 07ec3858-066b-4629-bdc5-d4aa893b424d is gone', 'portal 07ec3858-066b-4629-bdc5-d4aa893b424d is gone'],
    [
      "Cannot read properties of undefined (reading 'getPortalWebhook')",
      "Cannot read properties of undefined (reading 'getPortalWebhook')",
    ],
  ])('of other types are printed without what may be a secret: %s', (message, expected) => {
    expect(logged({ err: new TypeError(message) })['err']).toMatchObject({ type: 'TypeError', message: expected });
  });

  test('of a parser are printed without their message, which quotes the text', () => {
    let error: unknown;
    try {
      JSON.parse('secret');
    } catch (thrown) {
      error = thrown;
    }
    expect(JSON.stringify(logged({ err: error }))).not.toContain('secret');
  });

  test('objects of a class are printed as the name of the class', () => {
    const headers = new Headers({ authorization: 'secret' });
    const line = logged({
      headers,
      url: new URL('https://secret.example.com'),
      map: new Map([['secret', 1]]),
      bytes: Buffer.from('s'),
    });
    expect(line).toMatchObject({ headers: '[Headers]', url: '[URL]', map: '[Map]', bytes: '[Buffer]' });
  });
});
