import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { startClusterServer } from '../unit/auditlog/cluster-server.ts';
import { putSample } from '../unit/auditlog/report-sample.ts';
import { runAuditlog } from '../unit/auditlog/run-auditlog.ts';
import { findChromium, openPage, type Page } from './chromium.ts';

let folder: string;
let page: Page;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'report-'));
  const file = join(folder, 'report.html');
  const cluster = await startClusterServer();
  putSample(cluster, new Date());
  await runAuditlog(['report', '-o', file], { env: cluster.env });
  cluster.stop();
  page = await openPage(findChromium() ?? 'chromium', pathToFileURL(file).href);
});
afterAll(async () => {
  await page?.close();
  rmSync(folder, { recursive: true });
});

interface Node {
  readonly role: string;
  readonly name: string;
}

/** Resolves with the nodes that a screen reader gets. */
async function accessibleNodes(): Promise<Node[]> {
  const { nodes } = await page.send('Accessibility.getFullAXTree');
  const all: { ignored: boolean; role?: { value: string }; name?: { value: string } }[] = Object(nodes);
  return all
    .filter(({ ignored }) => !ignored)
    .map(({ role, name }) => ({ role: role?.value ?? '', name: name?.value ?? '' }));
}

test('the page loads without an error or a word on the console', () => {
  expect(page.complaints).toEqual([]);
});

test('pictures, regions and headings have accessible names', async () => {
  const nodes = await accessibleNodes();
  const named = (role: string) => nodes.filter((node) => node.role === role).map(({ name }) => name);
  expect(named('image')).toEqual(['Deliveries and gaps of each webhook']);
  expect(named('heading')).toEqual([
    'Forwarding of Konnect audit logs',
    'What is forwarded',
    'Timeline',
    'Gaps and replays',
    'Verification',
    'Who changed what',
    'Versions and data',
  ]);
  const regions = named('region');
  expect(regions).toHaveLength(4);
  expect(regions).not.toContain('');
  expect(named('columnheader')).not.toContain('');
});

test.each([1200, 400])('no part is wider than a window of %s pixels', async (width) => {
  await page.send('Emulation.setDeviceMetricsOverride', { width, height: 900, deviceScaleFactor: 1, mobile: false });
  const { scrollWidth, clientWidth }: Readonly<Record<string, number>> = Object(
    await page.evaluate('(({ scrollWidth, clientWidth }) => ({ scrollWidth, clientWidth }))(document.documentElement)'),
  );
  expect(scrollWidth).toBe(clientWidth);
  expect(clientWidth).toBeGreaterThan(width - 20);
});

/** The contrast of the text of each kind of element with the page, as WCAG computes it. */
const contrasts = `[...new Set(['body', '.period', 'th', '.badge.good', '.badge.bad', '.verdict'])].map((selector) => {
  const light = (color) => color.match(/[\\d.]+/g).slice(0, 3).map((part) => part / 255)
    .map((part) => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4)
    .reduce((sum, part, index) => sum + part * [0.2126, 0.7152, 0.0722][index], 0);
  const page = light(getComputedStyle(document.body).backgroundColor);
  const text = light(getComputedStyle(document.querySelector(selector)).color);
  return (Math.max(page, text) + 0.05) / (Math.min(page, text) + 0.05);
})`;

test.each(['light', 'dark'])('texts are readable if the browser prefers %s', async (value) => {
  await page.send('Emulation.setEmulatedMedia', { features: [{ name: 'prefers-color-scheme', value }] });
  const found = await page.evaluate(contrasts);
  expect(Object(found)).toHaveLength(6);
  expect(Math.min(...Object(found))).toBeGreaterThanOrEqual(4.5);
  const [red = 0] = String(await page.evaluate('getComputedStyle(document.body).backgroundColor')).match(/\d+/g) ?? [];
  expect(Number(red) > 127).toBe(value === 'light');
});

test('it prints dark text on white, also from a dark browser', async () => {
  await page.send('Emulation.setEmulatedMedia', {
    media: 'print',
    features: [{ name: 'prefers-color-scheme', value: 'dark' }],
  });
  expect(await page.evaluate('getComputedStyle(document.body).backgroundColor')).toBe('rgb(255, 255, 255)');
  expect(await page.evaluate('getComputedStyle(document.body).color')).toBe('rgb(0, 0, 0)');
  const { data } = await page.send('Page.printToPDF', { printBackground: true });
  expect(Buffer.from(String(data), 'base64').subarray(0, 5).toString()).toBe('%PDF-');
});
