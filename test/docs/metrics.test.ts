import { expect, test } from '@jest/globals';
import { metricsFile, withMetricTable } from '../../scripts/metrics.ts';
import { metricTable } from '../../src/telemetry/metric-table.ts';
import { code, document, documents, rows } from './documents.ts';

const page = document(metricsFile);

test('docs/operate/metrics.md is what npm run generate writes, and has every metric', () => {
  expect(withMetricTable(page) === page ? 'up to date' : 'run npm run generate').toBe('up to date');
  const named = rows(page).flatMap((cells) => code(cells[0] ?? ''));
  expect(named).toEqual(Object.values(metricTable).map(({ name }) => name));
});

test('the documents name only metrics that exist', () => {
  const known = new Set<string>(Object.values(metricTable).map(({ name }) => name));
  const named = [...documents.values()].flatMap((text) => text.match(/\bkonnect_audit_log_\w+/g) ?? []);
  expect(named.filter((name) => !known.has(name.replace(/_(?:bucket|sum|count)$/, '')))).toEqual([]);
});
