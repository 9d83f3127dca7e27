import { spawnSync } from 'node:child_process';
import { expect, test } from '@jest/globals';
import { createMetrics } from '../../src/telemetry/metrics.ts';
import { promtool } from './build.ts';
import { useProgram } from './use-program.ts';

const executable = useProgram(promtool);

/** Returns what promtool says about metrics. */
function check(text: string): string {
  const { stdout, stderr } = spawnSync(executable(), ['check', 'metrics'], { encoding: 'utf8', input: text });
  return stdout + stderr;
}

test('promtool finds no fault in the names, types and texts of all metrics', async () => {
  const text = await createMetrics({ version: '1.2.3', nodeVersion: 'v24.0.0' }).text();
  expect(text).toContain('nodejs_active_resources');
  expect(check(text)).toBe('');
});

test('promtool finds a gauge that has the name of a counter', () => {
  expect(check('# HELP handles_total Open handles.\n# TYPE handles_total gauge\nhandles_total 1\n')).toContain(
    'handles_total non-counter metrics should not have "_total" suffix',
  );
});
