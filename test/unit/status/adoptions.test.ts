import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import type { AdoptionStatus } from '../../../src/api/v1alpha1.ts';
import { adoptionStateOf, withAdoptions, withCorrectedAdoption } from '../../../src/status/adoptions.ts';

const now = new Date('2026-01-02T03:04:05.000Z');
const hoursAgo = (hours: number) => new Date(now.getTime() - hours * 3_600_000).toISOString();
interface Change {
  readonly adopted?: readonly (string | undefined)[];
  readonly takenBack?: readonly (string | undefined)[];
  readonly isComplete?: boolean;
}
type Case = readonly [string, readonly AdoptionStatus[], Change, readonly AdoptionStatus[] | undefined];

test.each([
  ['an hour ago', { at: hoursAgo(1) }, 'recent'],
  ['just less than four days ago', { at: hoursAgo(95.9) }, 'recent'],
  ['four days ago', { at: hoursAgo(96) }, undefined],
  ['in the future, since the clock was set back', { at: hoursAgo(-1) }, 'recent'],
  ['in the far future', { at: hoursAgo(-97) }, undefined],
  ['an hour ago, and corrected', { at: hoursAgo(1), corrected: true }, 'corrected'],
  ['long ago, and corrected', { at: hoursAgo(97), corrected: true }, undefined],
  ['long ago, and taken back', { at: hoursAgo(1_000), takenBack: true }, 'taken back'],
  ['at a time that is none', { at: 'x' }, undefined],
] as const)('an adoption %s is %s', (_title, entry, expected) => {
  expect(adoptionStateOf({ adoptions: [{ destinationID: 'D', ...entry }] }, 'D', now)).toBe(expected);
  expect(adoptionStateOf({ adoptions: [{ destinationID: 'D', ...entry }] }, undefined, now)).toBeUndefined();
  expect(adoptionStateOf({ adoptions: [{ ...entry }] }, undefined, now)).toBe(expected);
});

describe('status', () => {
  const at = now.toISOString();
  const old = { destinationID: 'D', at: hoursAgo(97) };
  const recent = { destinationID: 'D', at: hoursAgo(1) };
  const corrected = { ...recent, corrected: true };
  const lost = { destinationID: 'D', at: hoursAgo(1), takenBack: true };
  const cases: readonly Case[] = [
    ['records what is adopted', [], { adopted: ['D'] }, [{ destinationID: 'D', at }]],
    ['records an inline webhook without an ID', [], { adopted: [undefined] }, [{ at }]],
    ['keeps the time if the write is tried again', [recent], { adopted: ['D'] }, [recent]],
    ['keeps that it was corrected', [corrected], { adopted: ['D'] }, [corrected]],
    ['begins anew after what was taken back', [lost], { adopted: ['D'] }, [{ destinationID: 'D', at }]],
    ['begins anew after four days', [old], { adopted: ['D'] }, [{ destinationID: 'D', at }]],
    ['keeps a recent one', [recent], {}, [recent]],
    ['forgets an old one', [old], {}, undefined],
    ['records what is taken back', [recent], { takenBack: ['D'] }, [lost]],
    [
      'keeps what is taken back, however long ago',
      [{ ...old, takenBack: true }],
      { takenBack: ['D'] },
      [{ ...old, takenBack: true }],
    ],
    ['forgets what was taken back once nothing needs it', [lost], {}, undefined],
    ['keeps it if the operator could not read everything', [lost], { isComplete: false }, [lost]],
    ['prefers what is taken back', [recent], { adopted: ['D'], takenBack: ['D'] }, [lost]],
  ];

  test.each(cases)('%s', (_title, adoptions, { adopted, takenBack, isComplete }, expected) => {
    const what = { adopted: new Set(adopted), takenBack: new Set(takenBack), isComplete: isComplete ?? true };
    expect(withAdoptions({ adoptions: [...adoptions] }, what, now).adoptions).toEqual(expected);
  });

  test('records a correction of what was adopted, and of nothing else', () => {
    const adoptions = [recent, { at: hoursAgo(2) }];
    expect(withCorrectedAdoption({ adoptions }, 'D').adoptions).toEqual([corrected, { at: hoursAgo(2) }]);
    expect(withCorrectedAdoption({ adoptions }, undefined).adoptions).toEqual([
      recent,
      { at: hoursAgo(2), corrected: true },
    ]);
    expect(withCorrectedAdoption({ adoptions }, 'X')).toEqual({ adoptions });
    expect(withCorrectedAdoption({}, 'D')).toEqual({});
  });

  test('does not change when the same plan is recorded again', () => {
    const anID = fc.constantFrom('A', 'B', undefined);
    const entry = fc.record({
      destinationID: anID,
      at: fc.constantFrom(hoursAgo(1), hoursAgo(100)),
      takenBack: fc.option(fc.constant(true), { nil: undefined }),
    });
    const entries = fc.uniqueArray(entry, { selector: ({ destinationID }) => destinationID });
    const ids = fc.uniqueArray(anID).map((all) => new Set(all));
    const change = fc.record({ adopted: ids, takenBack: ids, isComplete: fc.boolean() });
    fc.assert(
      fc.property(entries, change, (adoptions, what) => {
        const once = withAdoptions({ adoptions }, what, now);
        expect(withAdoptions(once, what, now)).toEqual(once);
        for (const id of what.takenBack) expect(adoptionStateOf(once, id, now)).toBe('taken back');
        for (const id of what.adopted) expect(adoptionStateOf(once, id, now)).toBeDefined();
      }),
    );
  });
});
