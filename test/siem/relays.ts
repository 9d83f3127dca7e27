/** Runs docs/siem/relay.md and docs/siem/sumologic.md. */
import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort } from '../../sandbox/control-plane/ports.ts';
import type { GzipSpelling } from '../../sandbox/konnect/delivery/post.ts';
import { sandboxData } from '../../sandbox/sandbox.ts';
import { eventually } from '../support/eventually.ts';
import { type Page, type Replacements, readPage } from './page.ts';
import { type Kept, sampleLines, sampleTime, whatIsKept } from './sample-lines.ts';
import type { Setting } from './setting.ts';

const headerToken = 'headerTokenThatOpensNothingElse';

/** Starts nginx with one file of its folder `conf.d`. Resolves with a function that stops it. */
export async function startNginx(
  { folder, start }: Setting,
  conf: string,
  port: number,
): Promise<() => Promise<unknown>> {
  await writeFile(join(folder, 'nginx/konnect.conf'), conf);
  const temporary = ['client_body', 'proxy', 'fastcgi', 'scgi', 'uwsgi'].map(
    (name) => `${name}_temp_path nginx/${name};`,
  );
  // Without a master process, so that one signal ends it.
  const settings = ['daemon off;', 'master_process off;', 'pid nginx/nginx.pid;', 'error_log stderr;', 'events {}'];
  await writeFile(
    join(folder, 'nginx/nginx.conf'),
    [...settings, 'http {', 'access_log off;', ...temporary, 'include konnect.conf;', '}'].join('\n'),
  );
  return start('nginx', `nginx -p ${folder}/ -c nginx/nginx.conf`, port);
}

/** Returns the lines that the local SumoLogic has stored for a source since the last call. */
function newLines({ sandbox }: Setting, code: string): () => string[] {
  const { sumologic } = sandbox.services;
  let read = 0;
  return () => {
    const lines = sumologic.lines(code).slice(read);
    read += lines.length;
    return lines.map(({ line }) => line);
  };
}

/** Checks that Konnect's lines come out of a relay, and that all are genuine. */
async function expectGenuine({ folder, bash }: Setting, lines: readonly string[]): Promise<void> {
  await writeFile(join(folder, 'lines.log'), lines.join('\n'));
  match(await bash('auditlog verify --region us lines.log'), /^lines\.log +(?:[4-9]|\d\d+) +0 +0 +0$/m);
}

export async function runSumoLogic(setting: Setting): Promise<undefined> {
  const { reporter, sandbox } = setting;
  const { sumologic } = sandbox.services;
  sumologic.control.setSource({ code: headerToken, kind: 'auth-header' });
  const forwarding = (endpoint: string): Replacements => ({
    'https://collectors.example.com/receiver/v1/http/replace-me': endpoint,
  });
  const { block: shape } = await readPage('relay.md', { 'name: relay': 'name: sumologic' });
  const manifests = (page: Page) => `${page.block('yml')}---\n${shape('yaml').split('---\n')[1] ?? ''}`;

  reporter.section('docs/siem/sumologic.md');
  await reporter.check('a source of the kind Auth Header answers 401 to Konnect', async () => {
    await setting.apply(
      manifests(await readPage('sumologic.md', forwarding(`${sumologic.url}/receiver/v1/http`))),
      'sumologic',
    );
    await setting.deliver('sumologic', 401);
  });
  await reporter.check('a presigned URL takes the lines, and auditlog verify proves them', async () => {
    const endpoint = sumologic.receiverURL(sandboxData.sourceCode);
    const stored = newLines(setting, sandboxData.sourceCode);
    stored();
    await setting.apply(manifests(await readPage('sumologic.md', forwarding(endpoint))), 'sumologic');
    await setting.deliver('sumologic', 200);
    await expectGenuine(setting, stored());
  });
  await setting.remove('sumologic');
}

export async function runRelays(setting: Setting): Promise<Record<string, Kept>> {
  const { reporter, folder, sandbox } = setting;
  const { sumologic } = sandbox.services;
  sumologic.control.setSource({ code: headerToken, kind: 'auth-header' });
  const [nginxPort, telegrafPort] = [await freePort(), await freePort()];
  const relay = (port: number) => `https://127.0.0.1:${String(port)}`;
  const page = await readPage('relay.md', {
    'listen 8443': `listen 127.0.0.1:${String(nginxPort)}`,
    'https://relay.example.com:8443': relay(nginxPort),
    'tcp://:8444': `tcp://127.0.0.1:${String(telegrafPort)}`,
    '/etc/nginx/tls/': `${folder}/`,
    '/etc/telegraf/': `${folder}/`,
    '/etc/ssl/certs/ca-certificates.crt': `${folder}/ca.crt`,
    'https://collectors.example.com/receiver/v1/http/replace-me': sumologic.receiverURL(sandboxData.sourceCode),
    // nginx compares a certificate with names, not with addresses.
    'https://collectors.example.com': sumologic.url.replace('127.0.0.1', 'localhost'),
    'x-sumo-token replace-me': `x-sumo-token ${headerToken}`,
  });

  reporter.section('docs/siem/relay.md: nginx');
  const stopNginx = await startNginx(setting, page.block('nginx'), nginxPort);
  const fromHeaderSource = newLines(setting, headerToken);
  const konnect = { endpoint: `${relay(nginxPort)}/konnect`, authorization: 'Bearer 9c1f4f0e7b5d4f2ea0c3' };
  await reporter.check(
    'the forwarding is ready, every delivery is answered with 200, and every line is genuine',
    async () => {
      await setting.apply(page.block('yaml'), 'relay');
      await setting.deliver('relay', 200);
      await expectGenuine(setting, fromHeaderSource());
    },
  );
  await setting.remove('relay');
  fromHeaderSource();
  await reporter.check('another token is answered with 401', async () => {
    equal(await setting.post(sampleLines('cef'), { ...konnect, authorization: 'Bearer another' }), 401);
    deepEqual(fromHeaderSource(), []);
  });
  await reporter.check('application/gzip reaches the SIEM as gzip', async () => {
    equal(await setting.post(sampleLines('cef'), konnect, 'application/gzip'), 200);
  });
  const nginx = await whatIsKept(fromHeaderSource().filter((line) => line.includes(sampleTime)));
  await stopNginx();

  reporter.section('docs/siem/relay.md: Telegraf');
  await writeFile(join(folder, 'telegraf.conf'), page.block('toml'));
  const stopTelegraf = await setting.start('telegraf', page.script('telegraf --config'), telegrafPort);
  const fromSource = newLines(setting, sandboxData.sourceCode);
  fromSource();
  const authorization = `Basic ${Buffer.from('konnect:replace-me').toString('base64')}`;
  const secret = page.block('yaml').replace(/endpoint: .*/, `endpoint: ${relay(telegrafPort)}/konnect`);
  await reporter.check('every delivery is answered with 204, and every line is genuine', async () => {
    await setting.apply(secret.replace(/authorization: .*/, `authorization: ${authorization}`), 'relay');
    await setting.deliver('relay', 204);
    const lines: string[] = [];
    await eventually(async () => {
      lines.push(...fromSource());
      await expectGenuine(setting, lines);
    });
  });
  await setting.remove('relay');
  const target = { endpoint: `${relay(telegrafPort)}/konnect`, authorization };
  async function relayed(spelling: GzipSpelling, isWanted: (line: string) => boolean): Promise<string[]> {
    equal(await setting.post(sampleLines('cef'), target, spelling), 204);
    const found: string[] = [];
    await eventually(() => {
      found.push(...fromSource().filter(isWanted));
      ok(found.length > 0);
    });
    return found;
  }
  const kept = await whatIsKept(await relayed('gzip', (line) => line.includes(sampleTime)));
  await reporter.check('Telegraf answers 204 to application/gzip, and relays garbage', async () => {
    await relayed('application/gzip', (line) => !line.includes('KongInc'));
  });
  await stopTelegraf();
  return { nginx, 'Telegraf, `grok` and `template`': kept };
}
