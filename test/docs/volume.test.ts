/** docs/siem/volume.md: how many audit lines the operator's own calls make, counted by the local Konnect. */
import { randomUUID } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { addPortal } from '../../sandbox/konnect/model.ts';
import { useHarness } from '../unit/forwarding/support/use-harness.ts';
import { code, document, rows } from './documents.ts';

const page = document('docs/siem/volume.md');
const dayMinutes = 24 * 60;
const minutes: Readonly<Record<string, number>> = { '1m': 1, '10m': 10, '1h': 60, '24h': dayMinutes };

const { open } = useHarness();

/** Resolves with the number of audit lines that one resync makes while nothing changes. */
async function linesOfResync(portalCount: number): Promise<number> {
  const portals = Array.from({ length: portalCount }, () => ({ id: randomUUID(), enabled: true }));
  const harness = await open({ organization: { enabled: true }, portals });
  for (const { id } of portals) addPortal(harness.konnect.model, harness.organization, { id, name: id, region: 'us' });
  await harness.work();
  await harness.resync();
  expect(harness.readiness).toBe('True InSync');
  const before = harness.organization.events.length;
  await harness.resync();
  return harness.organization.events.length - before;
}

describe('the lines of a day', () => {
  const portalCounts = [1, 10, 100];
  const table = new Map(rows(page).map(([interval = '', ...cells]) => [code(interval)[0] ?? '', cells] as const));

  test('are shown for these intervals and numbers of portals', () => {
    expect([...table.keys()]).toEqual(Object.keys(minutes));
    expect(page).toContain(`| \`spec.interval\` | 1 portal | ${portalCounts.slice(1).join(' portals | ')} portals |`);
  });

  test.each(portalCounts.map((count, column) => ({ count, column })))(
    'are those that the local Konnect counts for $count portals',
    async ({ count, column }) => {
      const lines = await linesOfResync(count);
      const shown = Object.keys(minutes).map((interval) => table.get(interval)?.[column]);
      const counted = Object.values(minutes).map((each) => ((lines * dayMinutes) / each).toLocaleString('en-US'));
      expect(shown).toEqual(counted);
    },
  );
});
