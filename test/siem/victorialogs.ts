/** Runs docs/siem/victorialogs.md, and docs/siem/splunk.md with the endpoint for Splunk events of VictoriaLogs. */
import { equal, match, ok } from 'node:assert/strict';
import { join } from 'node:path';
import * as z from 'zod';
import { freePort } from '../../sandbox/control-plane/ports.ts';
import { eventually } from '../support/eventually.ts';
import { readPage } from './page.ts';
import { startNginx } from './relays.ts';
import { type Kept, sampleLines, traceIDs, userAgents, whatIsKept } from './sample-lines.ts';
import type { Setting } from './setting.ts';

export async function runVictoriaLogs(setting: Setting): Promise<Record<string, Kept>> {
  const { reporter, folder, bash } = setting;
  const port = await freePort();
  const page = await readPage('victorialogs.md', {
    ':9428': `:${String(port)}`,
    'logs.example.com': '127.0.0.1',
    '/var/lib/victoria-logs': join(folder, 'victoria-logs'),
    '/etc/victoria-logs/': `${folder}/`,
  });
  const address = `https://127.0.0.1:${String(port)}`;
  const stop = await setting.start('victoria-logs', page.script('victoria-logs -httpListenAddr'), port);

  reporter.section('docs/siem/victorialogs.md');
  await reporter.check('the forwarding is ready, and every delivery is answered with 200', async () => {
    await setting.apply(page.block('yaml'), 'victorialogs');
    await setting.deliver('victorialogs', 200);
  });
  const Row = z.object({ name: z.string(), trace_id: z.string(), user_agent: z.string().optional() });
  await reporter.check('the query shows the logins, and the empty user agent as none', () =>
    eventually(async () => {
      const rows = (await bash(page.script('unpack_json')))
        .trim()
        .split('\n')
        .map((row) => Row.parse(JSON.parse(row)));
      const logins = rows.filter(({ name }) => name.startsWith('AUTHENTICATION'));
      equal(logins.map(({ user_agent: userAgent = '' }) => userAgent).join('\n'), userAgents.join('\n'));
      ok(logins.every(({ trace_id: id }) => Number(id) > 2 ** 53));
    }),
  );
  await reporter.check('auditlog verify proves every line', () =>
    eventually(async () =>
      match(await bash(page.script('auditlog verify')), /^standard input +(?:[4-9]|\d\d+) +0 +0 +0$/m),
    ),
  );
  await setting.remove('victorialogs');

  reporter.section('what VictoriaLogs does to a line');
  const authorization = `Basic ${Buffer.from('konnect:replace-me').toString('base64')}`;
  const select = (query: string) =>
    bash(`curl -fsS -u konnect:replace-me ${address}/select/logsql/query -d 'query=${query}'`);
  async function kept(format: 'json' | 'cps', mark: string, path: string): Promise<Kept> {
    const endpoint = `${address}${path}&extra_fields=mark=${mark}`;
    equal(await setting.post(sampleLines(format), { endpoint, authorization }), 200);
    const rows = await eventually(async () => {
      const found = (await select(`_time:100y mark:=${mark} | sort by (_time)`)).trim().split('\n');
      equal(found.length, traceIDs.length);
      return found;
    });
    return whatIsKept(rows);
  }
  const collector = '/insert/splunk/services/collector/event';
  const fields = page.script('_time_field=event.event_ts').trim().split(collector)[1] ?? '';
  const rows = {
    'VictoriaLogs, `preserve_json_keys=event`': await kept('cps', 'line', `${collector}?preserve_json_keys=event`),
    'VictoriaLogs, fields of `cps`': await kept('cps', 'fields', `${collector}${fields}`),
    'VictoriaLogs, `/insert/jsonline`': await kept(
      'json',
      'json',
      '/insert/jsonline?_time_field=event_ts&_msg_field=name',
    ),
  };
  await reporter.check(
    'the collector answers 400 to application/gzip, and /insert/jsonline 200, and keeps nothing',
    async () => {
      const wrong = (path: string) =>
        setting.post(
          sampleLines('cps'),
          { endpoint: `${address}${path}?extra_fields=mark=gone`, authorization },
          'application/gzip',
        );
      equal(await wrong(collector), 400);
      equal(await wrong('/insert/jsonline'), 200);
      // What is stored after it can be found, so that what is not found was dropped.
      await kept('cps', 'after', `${collector}?preserve_json_keys=event`);
      equal(await select('_time:100y mark:=gone'), '');
    },
  );
  await reporter.check('CEF is answered with 400', async () => {
    equal(await setting.post(sampleLines('cef'), { endpoint: `${address}${collector}`, authorization }), 400);
  });
  await stop();
  return rows;
}

export async function runSplunk(setting: Setting): Promise<undefined> {
  const { reporter, folder, bash } = setting;
  const [port, storePort] = [await freePort(), await freePort()];
  const page = await readPage('splunk.md', { 'https://splunk.example.com:8088': `https://127.0.0.1:${String(port)}` });
  const token = /authorization: (.+)/.exec(page.block('yaml'))?.[1] ?? '';
  const store = `http://127.0.0.1:${String(storePort)}`;
  const flags = `-httpListenAddr=127.0.0.1:${String(storePort)} -storageDataPath=${join(folder, 'splunk')}`;
  const stopStore = await setting.start('store', `victoria-logs ${flags}`, storePort);
  const check = `map $http_authorization $is_known { default 0; "${token}" 1; }`;
  const tls = `ssl_certificate ${folder}/tls.crt; ssl_certificate_key ${folder}/tls.key;`;
  const location = `location /services/collector/ { if ($is_known = 0) { return 403; } proxy_pass ${store}; }`;
  const conf = `${check}\nserver { listen 127.0.0.1:${String(port)} ssl; ${tls}\n${location} }`;
  const stopNginx = await startNginx(setting, conf, port);

  reporter.section('docs/siem/splunk.md');
  await reporter.check('the command of the page is answered with Success', async () => {
    equal(await bash(page.script('"a test"')), '{"text":"Success","code":0}');
  });
  await reporter.check(
    'the forwarding is ready, every delivery is answered with 200, and every line is an event',
    async () => {
      await setting.apply(page.block('yaml'), 'splunk');
      await setting.deliver('splunk', 200);
      await eventually(async () => {
        const stored = await bash(
          `curl -fsS ${store}/select/logsql/query -d 'query=_time:1h event.name:AUTHENTICATION*'`,
        );
        equal(stored.trim().split('\n').length, userAgents.length);
      });
    },
  );
  await reporter.check('another token is answered with 403', async () => {
    await setting.apply(page.block('yaml').replace(token, 'Splunk 00000000-0000-4000-8000-000000000001'), 'splunk');
    await setting.deliver('splunk', 403);
  });
  await setting.remove('splunk');
  await stopNginx();
  await stopStore();
}
