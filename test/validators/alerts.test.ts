import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { parse, stringify } from 'yaml';
import * as z from 'zod';
import { alertPrefix, alerts } from '../../scripts/monitoring/alerts.ts';
import { rulesFile } from '../../scripts/monitoring/rules.ts';
import { alertCases, objectiveCases, type Series } from './alert-cases.ts';
import { promtool } from './build.ts';
import { dashboardQueries } from './dashboard-queries.ts';
import { useProgram } from './use-program.ts';

const Rules = z.object({
  groups: z.array(
    z.object({
      name: z.string(),
      rules: z.array(z.looseObject({ annotations: z.record(z.string(), z.string()).optional() })),
    }),
  ),
});

const success = { isGood: true, output: expect.stringContaining('SUCCESS') };

const executable = useProgram(promtool);
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'alerts-'));
});
afterAll(() => rm(folder, { recursive: true }));

/** Runs promtool, and returns its output and whether it succeeded. */
function run(...args: readonly string[]): { isGood: boolean; output: string } {
  const { status, stdout, stderr } = spawnSync(executable(), args, { encoding: 'utf8' });
  return { isGood: status === 0, output: stdout + stderr };
}

const input = (series: readonly Series[]) => series.map(({ series: name, values }) => ({ series: name, values }));

/** Returns the test of one alert with one group of series. promtool compares the labels of what fires. */
function testOf(name: string, which: 'fires' | 'silent') {
  const alert = alerts.find((one) => one.name === name);
  const { labels, minutes, [which]: series } = alertCases[name] ?? { labels: {}, minutes: 0, fires: [], silent: [] };
  return {
    name: `${name} ${which}`,
    interval: '1m',
    input_series: input(series),
    alert_rule_test: [
      {
        eval_time: `${String(minutes)}m`,
        alertname: alertPrefix + name,
        exp_alerts: which === 'silent' ? [] : [{ exp_labels: { severity: alert?.severity ?? '', ...labels } }],
      },
    ],
  };
}

/** Writes the rules without annotations, and returns the path. promtool would compare the annotations too. */
async function bareRules(): Promise<string> {
  const { groups } = Rules.parse(parse(readFileSync(rulesFile, 'utf8')));
  const bare = groups.map(({ name, rules }) => ({ name, rules: rules.map((rule) => ({ ...rule, annotations: {} })) }));
  const file = join(folder, 'bare-rules.yaml');
  await writeFile(file, stringify({ groups: bare }));
  return file;
}

async function runTests(name: string, rules: string, tests: readonly object[]) {
  const file = join(folder, `${name}.yaml`);
  await writeFile(file, stringify({ rule_files: [rules], evaluation_interval: '1m', tests }, { lineWidth: 0 }));
  return run('test', 'rules', file);
}

describe('the alerts', () => {
  test('are valid rules', () => {
    expect(run('check', 'rules', '--lint=all', '--lint-fatal', rulesFile)).toEqual(success);
  });

  test('have a case in which they fire and one in which they do not', () => {
    expect(Object.keys(alertCases)).toEqual(alerts.map(({ name }) => name));
  });

  test('fire, and do not fire, in these cases', async () => {
    const tests = alerts.flatMap(({ name }) => [testOf(name, 'fires'), testOf(name, 'silent')]);
    expect(await runTests('cases', await bareRules(), tests)).toEqual(success);
  });

  test('fail these tests if they do not fire', async () => {
    const [first] = alerts;
    const wrong = { ...testOf(first?.name ?? '', 'fires'), input_series: [] };
    const { isGood, output } = await runTests('wrong', await bareRules(), [wrong]);
    expect(isGood).toBe(false);
    expect(output).toContain('KonnectAuditLogNotReady');
  });

  test('name the forwarding and the reason', async () => {
    const [rule] = Rules.parse(parse(readFileSync(rulesFile, 'utf8'))).groups[0]?.rules ?? [];
    const { description } = rule?.annotations ?? {};
    const summary = 'The forwarding platform/sumologic is not ready: RateLimited.';
    const one = testOf('NotReady', 'fires');
    const alert_rule_test = one.alert_rule_test.map((expected) => ({
      ...expected,
      exp_alerts: expected.exp_alerts.map((labels) => ({ ...labels, exp_annotations: { summary, description } })),
    }));
    expect(await runTests('texts', resolve(rulesFile), [{ ...one, alert_rule_test }])).toEqual(success);
  });
});

test('the series of the objectives have these values', async () => {
  const tests = objectiveCases.map(({ input: series, record, value }) => ({
    name: record,
    interval: '1m',
    input_series: input(series),
    promql_expr_test: [{ expr: `round(${record}, 0.001)`, eval_time: '60m', exp_samples: [{ labels: '{}', value }] }],
  }));
  expect(await runTests('objectives', await bareRules(), tests)).toEqual(success);
});

test('promtool parses every query of the dashboard', async () => {
  const rules = dashboardQueries('5m').map(({ expr }, index) => ({ record: `query:${String(index)}`, expr }));
  expect(rules.length).toBeGreaterThan(25);
  const file = join(folder, 'queries.yaml');
  const check = async (wanted: readonly object[]) => {
    await writeFile(file, stringify({ groups: [{ name: 'queries', rules: wanted }] }));
    return run('check', 'rules', '--lint=none', file);
  };
  expect(await check(rules)).toEqual(success);
  expect(await check([...rules, { record: 'wrong', expr: 'sum by (a (b)' }])).toMatchObject({ isGood: false });
});
