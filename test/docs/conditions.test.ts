import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { conditionsFile, messagesFile, renderConditions, renderMessages } from '../../scripts/conditions/pages.ts';
import { conditionRows, unknownConditions } from '../../scripts/conditions/rows.ts';
import { situations } from '../../scripts/conditions/situations.ts';
import { isAboutEvents, runbookPages } from '../../scripts/runbook.ts';
import type { Condition } from '../../src/api/v1alpha1.ts';
import { root } from './documents.ts';
import { sources } from './sources.ts';

const rows = conditionRows();
const pages = runbookPages();

describe('the pages about conditions', () => {
  test.each([
    [conditionsFile, renderConditions],
    [messagesFile, renderMessages],
  ])('%s is what npm run generate writes', (file, render) => {
    const committed = readFileSync(join(root, file), 'utf8');
    expect(committed === render() ? 'up to date' : 'run npm run generate').toBe('up to date');
  });

  test('have every message of the runbook that a condition can have', () => {
    const shown = new Set(rows.map(({ message }) => message));
    const elsewhere = Object.values(situations).flatMap((all) => all.filter(({ kind }) => kind === 'elsewhere'));
    const messages = pages
      .filter((page) => !isAboutEvents(page))
      .flatMap(({ text }) => [...text.matchAll(/^> (.+)$/gm)].map(([, message = '']) => message));
    const left = messages.filter((message) => !shown.has(message));
    expect(left).toHaveLength(elsewhere.length);
    expect(left.filter((message) => !elsewhere.some(({ says = '' }) => message.includes(says)))).toEqual([]);
  });

  test('name a condition in every row', () => {
    expect(rows.filter(({ conditions }) => conditions.length === 0)).toEqual([]);
  });
});

/** Each reason with its severity, from `stalled(reasons.claimed, …)` or `{ reason: reasons.rateLimited, severity: 'unavailable', … }`. */
const severities = [
  ...[...sources.matchAll(/\b(stalled|waiting)\(\s*reasons\.(\w)(\w+)/g)].map(([, severity = '', a = '', b = '']) => [
    a.toUpperCase() + b,
    severity,
  ]),
  ...[...sources.matchAll(/reason: reasons\.(\w)(\w+),\s*severity: '(\w+)'/g)].map(
    ([, a = '', b = '', severity = '']) => [a.toUpperCase() + b, severity],
  ),
];

test.each([...new Set(severities.map(([reason]) => reason ?? ''))])('%s is as severe as in the code', (reason) => {
  const inCode = new Set(severities.filter(([one]) => one === reason).map(([, severity]) => severity));
  const inTable = new Set(
    (situations[reason] ?? []).map(({ kind }) => kind).filter((kind) => kind !== 'elsewhere' && kind !== 'working'),
  );
  expect(inTable).toEqual(inCode);
});

test('every reason of a problem is found in the code', () => {
  const troubles = Object.entries(situations).filter(([, all]) =>
    all.some(({ kind }) => kind === 'stalled' || kind === 'waiting' || kind === 'unavailable'),
  );
  const found = new Set(severities.map(([reason]) => reason));
  expect(troubles.map(([reason]) => reason).filter((reason) => !found.has(reason))).toEqual([]);
});

test('every reason of a problem has a test on the real control plane', () => {
  const tests = globSync(['e2e/**/*.ts', 'integration/**/*.ts'], { cwd: join(root, 'test') })
    .map((file) => readFileSync(join(root, 'test', file), 'utf8'))
    .join('\n');
  const reasonsOfTrouble = new Set(severities.map(([reason = '']) => reason));
  expect([...reasonsOfTrouble].filter((reason) => !new RegExp(`\\b${reason}\\b`).test(tests))).toEqual([]);
});

describe('an error names what is missing and where to add it:', () => {
  const changed = (from: string, to: string) =>
    pages.map((page) => ({ ...page, text: page.text.replaceAll(from, to) }));

  test('an entry', () => {
    expect(() => conditionRows(changed('## Claimed\n', ''))).toThrow(/Claimed: give it an entry in docs/);
  });

  test('a situation', () => {
    expect(() => conditionRows(changed('## Claimed\n', '## Clamed\n'))).toThrow(
      /Clamed: docs\/operate\/runbook\/owners\.md has an entry, scripts\/conditions\/situations\.ts no situation/,
    );
  });

  test('a remedy', () => {
    expect(() => conditionRows(changed('**Way out:**', '**Out:**'))).toThrow(
      /SecretNotFound: docs\/operate\/runbook\/secrets\.md needs a line "- \*\*Way out:\*\*/,
    );
  });

  test('a message', () => {
    expect(() => conditionRows(changed('or the same webhook', 'or it'))).toThrow(
      /Claimed: no message in docs\/operate\/runbook\/owners\.md says "or the same webhook"/,
    );
  });
});

describe('a condition', () => {
  const condition = (change: Partial<Condition>): Condition => ({
    type: 'SecretsResolved',
    status: 'True',
    reason: 'Resolved',
    message: 'every Secret and key exists',
    lastTransitionTime: '2026-01-02T03:04:05Z',
    observedGeneration: 1,
    ...change,
  });

  test.each<[string, Partial<Condition>]>([
    ['of another type', { type: 'WebhooksReady' }],
    ['of another status', { status: 'False' }],
    ['of another reason', { reason: 'InPlace' }],
    ['with another message', { message: 'all is well' }],
  ])('%s is not in the table', (_what, change) => {
    expect(unknownConditions([condition({})], rows)).toEqual([]);
    expect(unknownConditions([condition(change)], rows)).toHaveLength(1);
  });

  test('may have a message of several problems, also while being deleted', () => {
    const trouble = { type: 'Ready', status: 'False', reason: 'TokenGone' } as const;
    const message =
      'deletion waits: the Konnect token in Secret konnect, key token is missing or invalid, and the operator knows no earlier one: put a token of organization x there; or set …';
    expect(unknownConditions([condition({ ...trouble, message })], rows)).toEqual([]);
  });
});
