import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { alertPrefix, alerts, objectives } from '../../scripts/monitoring/alerts.ts';
import {
  alertsFile,
  monitoringFile,
  renderRules,
  rulesFile,
  withAlerts,
  withRules,
} from '../../scripts/monitoring/rules.ts';
import { metricTable } from '../../src/telemetry/metric-table.ts';
import { document, headings, root } from './documents.ts';

const page = document(alertsFile);

test('the pages about alerts and the rules of the chart are what npm run generate writes', () => {
  expect(withAlerts(page) === page ? 'up to date' : 'run npm run generate').toBe('up to date');
  const monitoring = document(monitoringFile);
  expect(withRules(monitoring) === monitoring ? 'up to date' : 'run npm run generate').toBe('up to date');
  const rules = readFileSync(join(root, rulesFile), 'utf8');
  expect(rules === renderRules() ? 'up to date' : 'run npm run generate').toBe('up to date');
});

test('every alert has an entry, with the anchor that the chart links', () => {
  expect(headings(page, 3)).toEqual(alerts.map(({ name }) => alertPrefix + name));
});

test('every expression uses only metrics that exist', () => {
  const recorded = objectives.map(({ record }) => record);
  const known = new Set<string>([...Object.values(metricTable).map(({ name }) => name), ...recorded]);
  const patterns = /\b(?:konnect_audit_log|controller_runtime|workqueue|rest_client|leader_election)[\w:]+/g;
  const named = [...alerts, ...objectives].flatMap(({ expr }) => expr.match(patterns) ?? []);
  expect(named.length).toBeGreaterThan(alerts.length);
  expect(named.filter((name) => !known.has(name.replace(/_bucket$/, '')))).toEqual([]);
});
