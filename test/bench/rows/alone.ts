/** One destination with three portals, as a user without an operator sets it up. */

import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type KonnectServer, startKonnect } from '../../../sandbox/konnect/server.ts';
import { sandboxData } from '../../../sandbox/sandbox.ts';
import { runCommand } from '../../interop/command.ts';
import { kongctlIn } from '../../interop/kongctl.ts';
import { startPublicHosts } from '../../interop/public-hosts.ts';
import { destinationBlock, portalBlock, terraformIn } from '../../interop/terraform.ts';
import { missingTools } from '../../support/tools.ts';
import { type Bench, type Contender, type Measurement, type Sample } from '../row.ts';
import { type OperatorKind, operatorsOf } from '../support/operators.ts';
import { defaultLatencyMs, portalsPerForwarding, Session } from '../support/session.ts';

const { token, organizationID } = sandboxData;
const portals = Array.from(
  { length: portalsPerForwarding },
  (_, index) => `10000000-0000-4000-8000-00000000000${String(index)}`,
);
const wish = { name: 'alone', endpoint: 'https://siem.example.com/alone', authorization: 'Bearer alone' };

/** Starts a Konnect for one measurement, and measures the time and the calls of `work`. */
async function measured(prepare: (konnect: KonnectServer) => Promise<() => Promise<void>>): Promise<Sample> {
  const konnect = await startKonnect({
    seed: {
      regions: ['us'],
      organizations: [
        {
          id: organizationID,
          name: 'Alone',
          tokens: [{ value: token, access: 'full' }],
          portals: portals.map((id) => ({ id, name: id, region: 'us' })),
        },
      ],
    },
  });
  konnect.control.fail({ kind: 'latency', ms: defaultLatencyMs });
  try {
    const work = await prepare(konnect);
    konnect.control.clearCalls();
    const startedMs = performance.now();
    await work();
    const time = (performance.now() - startedMs) / 1_000;
    const on = [...(konnect.model.organizations.get(organizationID)?.portals.values() ?? [])];
    if (!on.every(({ webhook }) => webhook.enabled)) throw new Error('not every webhook is on');
    return { alone: { time, calls: konnect.control.calls().length } };
  } finally {
    await konnect.stop();
  }
}

function operatorContender(bench: Bench, kind: OperatorKind): Contender {
  return {
    name: kind.name,
    async measure() {
      await using session = await Session.open(bench, kind, { capacity: 2 });
      await session.startWith(1);
      session.calls.reset();
      const time = await session.secondsToReady(1);
      return { alone: { time, calls: session.calls.counts.all } };
    },
  };
}

/** The calls of Kong's how-to, one after the other. */
const curl: Contender = {
  name: 'curl',
  measure: () =>
    measured(async ({ urlTemplate }) => {
      const call = async (method: string, region: string, path: string, body: object) => {
        const url = urlTemplate.replace('{region}', region) + path;
        const headers = ['-H', `Authorization: Bearer ${token}`, '-H', 'Content-Type: application/json'];
        const args = ['-sS', '--fail', '-X', method, url, ...headers, '--data', JSON.stringify(body)];
        const { code, stdout, stderr } = await runCommand('curl', args, { folder: '/', env: {} });
        if (code !== 0) throw new Error(`curl ${method} ${path} failed: ${stderr}`);
        const answer: { id?: string } = JSON.parse(stdout);
        return answer;
      };
      return async () => {
        const { id } = await call('POST', 'global', '/v3/audit-log-destinations', { ...wish, log_format: 'cef' });
        for (const portal of portals) {
          const body = { audit_log_destination_id: id, enabled: true };
          await call('PATCH', 'us', `/v3/portals/${portal}/audit-log-webhook`, body);
        }
      };
    }),
};

function terraformContender({ folder }: Bench, tools: { terraform: string; provider: string }): Contender {
  return {
    name: 'terraform',
    measure: () =>
      measured(async ({ urlTemplate }) => {
        const terraform = await terraformIn({ ...tools, parent: folder, konnectURL: urlTemplate, token });
        const blocks = portals.map((portal, index) =>
          portalBlock({ portal, destination: { label: 'alone' }, enabled: true, label: `portal${String(index)}` }),
        );
        return () => terraform.apply(destinationBlock('alone', wish) + blocks.join(''));
      }),
  };
}

function kongctlContender({ folder, onEnd }: Bench, kongctl: string): Contender {
  return {
    name: 'kongctl',
    measure: () =>
      measured(async ({ url, urlTemplate }) => {
        const hostsFolder = join(folder, 'hosts');
        await mkdir(hostsFolder, { recursive: true });
        const hosts = await startPublicHosts(url, hostsFolder);
        onEnd(() => hosts.stop());
        const tool = await kongctlIn({ kongctl, parent: folder, konnectURL: urlTemplate, hosts, token });
        return async () => {
          const fields = Object.entries({ ...wish, log_format: 'cef' }).map(([name, value]) => `${name}=${value}`);
          const created = await tool.api('post', 'global', '/v3/audit-log-destinations', ...fields);
          const id = created !== null && typeof created === 'object' && 'id' in created ? String(created.id) : '';
          for (const portal of portals) {
            const body = [`audit_log_destination_id=${id}`, 'enabled:=true'];
            await tool.api('patch', 'us', `/v3/portals/${portal}/audit-log-webhook`, ...body);
          }
        };
      }),
  };
}

export const alone: Measurement = {
  rows: [
    {
      name: 'alone',
      title: 'one destination with three portals, beside the other ways to set it up',
      forwardings: 1,
      figures: [
        {
          name: 'time',
          unit: 's',
          targets: ['curl', 'terraform', 'kongctl'].map((ratioTo) => ({ ratioTo, limit: 1 })),
        },
        { name: 'calls', unit: 'calls', isCount: true },
      ],
    },
  ],
  async contenders(bench) {
    const kinds = await operatorsOf(bench);
    const { terraform, kongctl } = bench.peers;
    return [
      ...kinds.map((kind) => operatorContender(bench, kind)),
      ...(missingTools().includes('curl') ? [] : [curl]),
      ...(terraform === undefined ? [] : [terraformContender(bench, terraform)]),
      ...(kongctl === undefined ? [] : [kongctlContender(bench, kongctl)]),
    ];
  },
};
