import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { secretsPath } from '../../../src/resources/secret-resource.ts';
import type { Bench, Measurement } from '../row.ts';
import { labOf } from '../support/lab.ts';
import { type OperatorKind, operatorsOf } from '../support/operators.ts';
import { Session } from '../support/session.ts';

const small = 30_000;
const large = 300;
const largeBytes = 700_000;
const namespace = 'unrelated';

/** Resolves with the resident memory of an operator with one forwarding, some time after its start. */
async function residentMiB(bench: Bench, kind: OperatorKind): Promise<number> {
  await using session = await Session.open(bench, kind, { capacity: 1 });
  await session.start();
  await session.create(0, 1);
  await session.watch.until(() => session.watch.ready === 1);
  await delay(10_000);
  return (await session.operator.usage()).residentMiB;
}

async function createSecrets(bench: Bench): Promise<void> {
  bench.progress(`creating ${String(small + large)} Secrets`);
  const { api } = await labOf(bench);
  await api.send('POST', '/api/v1/namespaces', { metadata: { name: namespace } });
  let next = 0;
  const work = async () => {
    while (next < small + large) {
      const index = next;
      next += 1;
      const value = randomBytes(index < large ? largeBytes : 32).toString('base64');
      await api.send('POST', secretsPath(namespace), { metadata: { name: `s-${String(index)}` }, data: { value } });
    }
  };
  await Promise.all(Array.from({ length: 16 }, work));
}

/** Memory that Secrets cost which no forwarding names. */
export const secrets: Measurement = {
  rows: [
    {
      name: 'secrets',
      title: `${small.toLocaleString('en-US')} unrelated Secrets, and ${String(large)} of 1 MB`,
      isSlow: true,
      forwardings: 1,
      figures: [{ name: 'more resident memory', unit: 'MiB', targets: [{ limit: 10 }] }],
    },
  ],
  async contenders(bench) {
    const kinds = await operatorsOf(bench);
    const without = new Map<string, number>();
    for (const kind of kinds) without.set(kind.name, await residentMiB(bench, kind));
    await createSecrets(bench);
    return kinds.map((kind) => ({
      name: kind.name,
      async measure() {
        const more = (await residentMiB(bench, kind)) - (without.get(kind.name) ?? 0);
        return { secrets: { 'more resident memory': more } };
      },
    }));
  },
};
