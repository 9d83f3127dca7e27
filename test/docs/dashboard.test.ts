import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import * as z from 'zod';
import { dashboardFile, dashboardPage, renderDashboard, withPanels } from '../../scripts/monitoring/dashboard.ts';
import { metricTable } from '../../src/telemetry/metric-table.ts';
import { createMetrics } from '../../src/telemetry/metrics.ts';
import { document, root } from './documents.ts';

const page = document(dashboardPage);
const committed = readFileSync(join(root, dashboardFile), 'utf8');
const datasource = z.object({ type: z.literal('prometheus'), uid: z.literal('${datasource}') });
const Panel = z.looseObject({
  id: z.number(),
  type: z.enum(['stat', 'timeseries', 'state-timeline', 'table']),
  title: z.string().min(1),
  description: z.string().min(1),
  datasource,
  gridPos: z.object({ x: z.number(), y: z.number(), w: z.number(), h: z.number() }),
  fieldConfig: z.looseObject({
    defaults: z.looseObject({
      unit: z.string().optional(),
      noValue: z.string().min(1),
      mappings: z.unknown().optional(),
    }),
    overrides: z.array(
      z.object({
        matcher: z.looseObject({ options: z.string() }),
        properties: z.array(z.looseObject({ id: z.string() })),
      }),
    ),
  }),
  transformations: z.array(z.looseObject({ id: z.string(), options: z.looseObject({}) })).optional(),
  targets: z.array(z.looseObject({ refId: z.string(), expr: z.string().min(1) })).min(1),
});
const Organize = z.looseObject({
  options: z.looseObject({
    excludeByName: z.record(z.string(), z.boolean()),
    renameByName: z.record(z.string(), z.string()),
  }),
});
const Dashboard = z.looseObject({
  uid: z.string(),
  panels: z.array(z.union([z.looseObject({ type: z.literal('row'), id: z.number() }), Panel])),
  templating: z.object({ list: z.array(z.looseObject({ name: z.string() })) }),
});
const { panels, templating } = Dashboard.parse(JSON.parse(committed));
const drawn = panels.filter((panel) => panel.type !== 'row').map((panel) => Panel.parse(panel));

function isExplained({ type, fieldConfig, targets, transformations }: z.infer<typeof Panel>): boolean {
  const { defaults, overrides } = fieldConfig;
  if (type === 'state-timeline') return defaults.mappings !== undefined;
  if (type !== 'table') return defaults.unit !== undefined;
  const { options } = Organize.parse(transformations?.find(({ id }) => id === 'organize'));
  const values = targets.map(({ refId }) => (targets.length === 1 ? 'Value' : `Value #${refId}`));
  const shown = values.filter((name) => options.excludeByName[name] !== true);
  const withUnit = overrides.filter(({ properties }) => properties.some(({ id }) => id === 'unit'));
  const named = new Set(withUnit.map(({ matcher }) => matcher.options));
  return shown.every((name) => named.has(options.renameByName[name] ?? name));
}

test('the dashboard and its page are what npm run generate writes', () => {
  expect(committed === renderDashboard() ? 'up to date' : 'run npm run generate').toBe('up to date');
  expect(withPanels(page) === page ? 'up to date' : 'run npm run generate').toBe('up to date');
});

describe('the dashboard', () => {
  test('has panels with title, description, data source, queries and a text for no data, and unique IDs', () => {
    expect(drawn.length).toBeGreaterThan(20);
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
  });

  test('says what each value means: a unit, a word, or a column with a unit', () => {
    expect(drawn.filter((panel) => !isExplained(panel)).map(({ title }) => title)).toEqual([]);
  });

  test('has no panels that overlap or leave the grid', () => {
    const taken = new Set<string>();
    for (const { gridPos, title } of drawn) {
      expect(gridPos.x + gridPos.w).toBeLessThanOrEqual(24);
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x += 1) {
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y += 1) {
          const cell = `${String(x)} ${String(y)}`;
          expect({ title, isFree: !taken.has(cell) }).toEqual({ title, isFree: true });
          taken.add(cell);
        }
      }
    }
  });

  test('uses only metrics and variables that exist', async () => {
    const text = await createMetrics({ version: '', nodeVersion: '' }).text();
    const own = [...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name = '']) => name);
    const known = new Set([...own, ...Object.values(metricTable).map(({ name }) => name)]);
    const exprs = drawn.flatMap(({ targets }) => targets.map(({ expr }) => expr));
    const prefixes =
      /\b(?:konnect_audit_log|controller_runtime|workqueue|rest_client|leader_election|process|nodejs)_\w+/g;
    const named = exprs.flatMap((expr) => expr.match(prefixes) ?? []);
    expect(named.filter((name) => !known.has(name.replace(/_bucket$/, '')))).toEqual([]);
    const variables = new Set(['__rate_interval', ...templating.list.map(({ name }) => name)]);
    const used = exprs.flatMap((expr) => [...expr.matchAll(/\$(\w+)/g)].map(([, name = '']) => name));
    expect(used.filter((name) => !variables.has(name))).toEqual([]);
  });
});
