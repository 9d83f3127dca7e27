import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { drawRatios } from '../../bench/drawing.ts';
import { publishedFiles, shownResults, withResults } from '../../bench/publish.ts';
import { Collected, provenance, type RowResult, readResults, writeResult } from '../../bench/results.ts';
import type { Row } from '../../bench/row.ts';
import { nameWithUnit, short, spread, tableOf } from '../../bench/table.ts';

const row: Row = {
  name: 'cold',
  title: 'cold to all Ready',
  figures: [
    { name: 'time <all>', unit: 's', targets: [{ ratioTo: 'go-operator', limit: 0.6 }] },
    { name: 'calls', unit: 'calls', isCount: true },
    { name: 'exponent', unit: '' },
    { name: 'not measured', unit: 's' },
  ],
};

function result(forwardings: number, ours = 5): RowResult {
  const collected = new Collected();
  for (const value of [ours, ours + 1, ours - 1]) collected.add('ours', 'cold', 'time <all>', value);
  collected.add('go-operator', 'cold', 'time <all>', [10, 10]);
  collected.add('ours', 'cold', 'calls', 40);
  for (const contender of ['ours', 'go-operator']) collected.add(contender, 'cold', 'exponent', 1);
  return { row: row.name, title: row.title, forwardings, ...provenance('shared'), figures: collected.of(row) };
}

test('results survive a file', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'bench-results-'));
  try {
    const results = [result(10), result(300)];
    for (const one of results) await writeResult(folder, one);
    // A JSON file has no undefined fields.
    expect(await readResults(folder)).toEqual(JSON.parse(JSON.stringify(results)));
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('a result says on what it was measured', () => {
  expect(result(10)).toMatchObject({
    commit: expect.stringMatching(/^[0-9a-f]{40}/),
    versions: { node: process.version },
    note: 'shared',
  });
});

describe('the table', () => {
  test('has the median, the spread, the ratio and the verdict', () => {
    expect(tableOf([result(300)])).toEqual([
      'cold: cold to all Ready, 300 forwardings',
      '  time <all>, s  ours         5.00 (4.00–6.00)',
      '                 go-operator  10.0              ratio 0.50; met: at most 0.600',
      '  calls          ours         40.0',
      '  exponent       ours         1.00',
      '                 go-operator  1.00              ratio 1.00',
      '',
    ]);
  });

  test('says which target is missed', () => {
    expect(tableOf([result(300, 9)]).join('\n')).toContain('ratio 0.90; MISSED: at most 0.600');
  });

  test.each([
    [0, '0'],
    [0.012_34, '0.0123'],
    [12.34, '12.3'],
    [1_234.5, '1235'],
  ])('shows %d as %s', (value, text) => {
    expect(short(value)).toBe(text);
  });

  test.each([
    ['processor time', 's', 'processor time, s'],
    ['writes to Konnect', 'writes', 'writes to Konnect'],
    ['ratio', '', 'ratio'],
  ])('names %j in %j as %j', (name, unit, shown) => {
    expect(nameWithUnit({ name, unit })).toBe(shown);
  });

  test('shows one value alone', () => {
    expect(spread([2, 2])).toBe('2.00');
  });
});

describe('the page', () => {
  const page = '# Page\n\n<!-- results -->\n<!-- /results -->\n\n<!-- runs -->\n<!-- /runs -->\n';

  test('has a line for each figure and for each run', () => {
    const text = withResults(page, [result(300), result(1_000, 9)]);
    expect(text).toContain(
      '| cold | calls | 300 | 40.0 |  |  |  |  |\n| cold | exponent | 300 | 1.00 | 1.00 | 1.00 |  |  |\n',
    );
    expect(text).toContain(
      '| cold | time <all>, s | 300 | 5.00 (4.00–6.00) | 10.0 | 0.50 |  | ≤ 0.600 × go-operator: met |\n',
    );
    expect(text).toContain(
      '| cold | time <all>, s | 1,000 | 9.00 (8.00–10.0) | 10.0 | 0.90 |  | ≤ 0.600 × go-operator: **missed** |\n',
    );
    expect(text).toMatch(/\| cold 300, cold 1,000 \| \d{4}-\d\d-\d\d \| 3 \| [0-9a-f]{10}.* \| shared \|/);
  });

  test('shows the most forwardings of each row', () => {
    expect(shownResults([result(300), result(1_000), result(10)]).map(({ forwardings }) => forwardings)).toEqual([
      1_000,
    ]);
  });

  test('and the picture show the committed results', async () => {
    const shown = (await publishedFiles()).map(([file]) => [file, readFileSync(file, 'utf8')]);
    expect(shown).toEqual(await publishedFiles());
  });
});

describe('the picture', () => {
  test('has one bar for each ratio to the Go operator', () => {
    const svg = drawRatios([result(300, 9)]);
    expect(svg.match(/class="(?:met|missed|open)" x=/g)).toHaveLength(1);
    expect(svg).toContain('cold, time &lt;all&gt; (300)');
    expect(svg).not.toContain('exponent');
    expect(svg).toContain('class="missed"');
    expect(svg).toContain('>0.90</text>');
  });

  test('is the same for the same results, without scripts and links', () => {
    const results = [result(10)];
    expect(drawRatios(results)).toBe(drawRatios(results));
    expect(drawRatios(results)).not.toMatch(/<script|href|url\(/);
  });

  test('can be drawn without results', () => {
    expect(drawRatios([])).toContain('</svg>');
  });
});
