import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { type ClusterServer, startClusterServer } from './cluster-server.ts';
import { putSample } from './report-sample.ts';
import { runAuditlog } from './run-auditlog.ts';

let cluster: ClusterServer;
let folder: string;
beforeEach(async () => {
  cluster = await startClusterServer();
  folder = mkdtempSync(join(tmpdir(), 'report-'));
});
afterEach(() => {
  cluster.stop();
  rmSync(folder, { recursive: true });
});

async function report(...args: readonly string[]) {
  const result = await runAuditlog(['report', '-o', join(folder, 'report.html'), ...args], { env: cluster.env });
  const read = (name: string) => (readdirSync(folder).includes(name) ? readFileSync(join(folder, name), 'utf8') : '');
  return { ...result, page: read('report.html'), json: read('report.json') };
}

/** The cells of the table below a heading, as text. */
function rowsBelow(page: string, heading: string): string[][] {
  const [, section = ''] = page.split(`<h2>${heading}</h2>`);
  const [table = ''] = section.split('<h2>');
  return [...table.matchAll(/<tr>(<td>.*?)<\/tr>/g)].map(([, row = '']) =>
    [...row.matchAll(/<td>(.*?)<\/td>/g)].map(([, cell = '']) => cell.replaceAll(/<[^>]+>/g, '')),
  );
}

describe('auditlog report', () => {
  test('writes a page and its data, and the page has the hash of the data', async () => {
    putSample(cluster, new Date());
    const { code, output, page, json, errors } = await report();
    expect({ code, errors }).toEqual({ code: 0, errors: '' });
    const hash = createHash('sha256').update(json).digest('hex');
    expect(output).toContain(`(SHA-256 ${hash})`);
    expect(page).toContain(`report.json, SHA-256 <code>${hash}</code>`);
    const { forwardings, versions } = JSON.parse(json);
    expect(forwardings).toHaveLength(2);
    expect(versions).toEqual({
      auditlog: 'dev',
      kubernetes: 'v1.37.2',
      operators: ['operators/operator: registry.example.com/konnect-audit-log-operator:0.1.0'],
    });
  });

  test('shows what is forwarded where, gaps, replays, verification and who changed what', async () => {
    putSample(cluster, new Date());
    const { page } = await report();
    expect(page).toContain('2 of 4 webhooks deliver without a recorded gap; 2 fail or have a gap.');
    const forwarded = rowsBelow(page, 'What is forwarded').map((cells) => [cells[0], cells[5]]);
    expect(forwarded).toContainEqual(['platform/sumologic', 'Failing 401']);
    expect(forwarded).toContainEqual(['payments/splunk', 'NotAttached WebhookInUse']);
    const gaps = rowsBelow(page, 'Gaps and replays').map(([, , gap, replay]) => [
      gap?.replaceAll(/\d/g, '0'),
      replay?.replace(/:.*/, ''),
    ]);
    expect(gaps).toEqual([
      ['none', 'Completed'],
      ['0000-00-00 00:00:00 UTC to 0000-00-00 00:00:00 UTC, 0000-00-00 00:00:00 UTC to now', 'none'],
    ]);
    expect(rowsBelow(page, 'Verification')[0]?.slice(3)).toEqual(['1204', '1204', '0', '0', '0', '0']);
    expect(
      rowsBelow(page, 'Who changed what').map(([, , who, what]) => `${who ?? ''}: ${(what ?? '').slice(0, 25)}`),
    ).toEqual([
      'kubectl-client-side-apply: wrote the forwarding in K',
      'operator: Warning: EndpointRejected',
      'another client: had changed portal/3e551b',
      'another client: had changed portal/3e551b',
    ]);
  });

  test('draws each webhook, with a title for each bar and a description of the whole picture', async () => {
    putSample(cluster, new Date());
    const { page } = await report();
    const [svg = ''] = /<svg.*<\/svg>/s.exec(page) ?? [];
    expect(svg.match(/<rect class="(?:known|failing|gap|replay)"/g)).toEqual(
      ['known', 'known', 'replay', 'known', 'failing', 'gap', 'gap'].map((kind) => `<rect class="${kind}"`),
    );
    expect(svg.match(/<circle/g)).toHaveLength(2);
    expect(svg.match(/<title>/g)).toHaveLength(9);
    expect(svg).toMatch(/<desc id="timeline-text">[^<]*portal 4e551b39[^<]*deliveries fail since/);
  });

  test('loads nothing, runs no script, and escapes what others have written', async () => {
    putSample(cluster, new Date());
    const { page } = await report();
    expect(page).not.toMatch(/<script|<b>|\son\w+=|https?:|url\((?!#)/);
    expect(page).toContain('&lt;b&gt;cards &amp; &quot;more&quot;');
  });

  test('has only what happened in the period', async () => {
    putSample(cluster, new Date());
    const { page } = await report('--from', '24h', '--to', '10h');
    expect(rowsBelow(page, 'Who changed what')).toHaveLength(1);
  });

  test('says what it could not read', async () => {
    putSample(cluster, new Date());
    cluster.forbid(/events|deployments/);
    const { code, page } = await report();
    expect(code).toBe(0);
    expect(page).toContain('The command could not read the events.');
    expect(page).toContain('The command could not read the Deployments of the operator.');
  });

  test.each([
    ['True', 'good', 'good', 'without a recorded gap.'],
    ['False', 'bad', 'bad', 'without a recorded gap; the verification of 1 forwardings failed.'],
    ['Unknown', 'good', 'open', 'without a recorded gap.'],
  ])('agrees with auditlog status if Verified is %s', async (status, verdict, badge, said) => {
    cluster.putForwarding('platform/sumologic', {
      spec: { konnect: { region: 'us' }, organization: {} },
      status: {
        conditions: [{ type: 'Verified', status, reason: 'LinesMissing', message: '' }],
        organization: { state: 'on' },
        delivery: [{ key: 'organization', state: 'Delivered' }],
        lastObservedTime: new Date().toISOString(),
      },
    });
    const { page } = await report();
    expect(page).toContain(`<p class="verdict ${verdict}">1 of 1 webhooks deliver ${said}</p>`);
    expect(page).toMatch(new RegExp(`<span class="badge ${badge}">(?:Not v|V)erified</span> LinesMissing`));
    const { code } = await runAuditlog(['status'], { env: cluster.env });
    expect(code).toBe(verdict === 'bad' ? 3 : 0);
  });

  test('says so if there is no forwarding', async () => {
    const { code, page } = await report();
    expect(code).toBe(0);
    expect(page).toContain('0 of 0 webhooks deliver');
    expect(page).toContain('No webhook is known.');
  });

  test.each<[readonly string[], number, string]>([
    [['-o', 'report.txt'], 2, 'name the page, with .html at its end'],
    [['--from', '1h', '--to', '2h'], 2, '--from must be before --to'],
    [['-o', '/nowhere/report.html'], 1, '/nowhere/report.json cannot be written (ENOENT)'],
  ])('refuses %j', async (args, expected, message) => {
    const { code, errors } = await report(...args);
    expect(code).toBe(expected);
    expect(errors).toContain(message);
  });
});
