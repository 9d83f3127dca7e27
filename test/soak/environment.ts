/** The environment of the soak test: a real control plane, the built operator with its ServiceAccount, a local Konnect with three organizations. */
import { ensureBinaries } from '../../sandbox/control-plane/binaries.ts';
import { type ControlPlane, startControlPlane } from '../../sandbox/control-plane/control-plane.ts';
import { type KonnectServer, startKonnect } from '../../sandbox/konnect/server.ts';
import { type OperatorProcess, startOperator } from '../../sandbox/operator-process.ts';
import { install, serviceAccount } from '../../sandbox/sandbox.ts';
import { KubeClient } from '../../src/kube/kube-client.ts';
import { loadKubeConfig } from '../../src/kube/kube-config.ts';
import { removeObject } from '../support/remove-object.ts';

export const regions = ['us', 'eu'] as const;
export type Region = (typeof regions)[number];
export const colors = ['red', 'green', 'blue'] as const;
export type Color = (typeof colors)[number];
export const namespaces = ['soak-a', 'soak-b', 'soak-c', 'soak-d'] as const;
export const portalsPerSlot = 3;

/** The memory limit of the chart, and the heap that Node chooses in a container with this limit. */
export const memoryLimitMiB = 256;
const nodeOptions = ['--max-old-space-size=160', '--max-semi-space-size=1'];

export interface Environment {
  readonly controlPlane: ControlPlane;
  readonly konnect: KonnectServer;
  readonly operator: OperatorProcess;
  /** A client of a cluster administrator. */
  readonly kube: KubeClient;
  /** Deletes the object at this path, as a cluster administrator. */
  readonly remove: (path: string) => Promise<void>;
  stop(): Promise<void>;
}

export const organizationID = (color: Color) =>
  `00000000-0000-4000-8000-00000000000${String(colors.indexOf(color) + 1)}`;
export const tokenOf = (color: Color) => `kpat_soakTokenOf${color}ThatOpensNothingElse`;

/** Returns the ID of a portal. Each forwarding has its own portals in every organization and region. */
export function portalID(color: Color, region: Region, slot: number, index: number): string {
  const place = [colors.indexOf(color) + 1, regions.indexOf(region) + 1].join('');
  return `000000${place}-0000-4000-8000-${String(slot * portalsPerSlot + index).padStart(12, '0')}`;
}

/** Starts the environment. If a part does not start, stops the others and rejects. */
export async function startEnvironment(slots: number, progress: (line: string) => void): Promise<Environment> {
  const stops: (() => Promise<void>)[] = [];
  const stop = async () => {
    for (const stopOne of stops.splice(0).toReversed()) await stopOne();
  };
  try {
    const binaries = await ensureBinaries({ progress });
    progress('starting kube-apiserver, etcd, a local Konnect and the built operator');
    const controlPlane = await startControlPlane({ binaries });
    stops.push(() => controlPlane.stop());
    const konnect = await startKonnect({
      seed: {
        regions,
        organizations: colors.map((color) => ({
          id: organizationID(color),
          name: color,
          tokens: [{ value: tokenOf(color), access: 'full' }],
          portals: regions.flatMap((region) =>
            Array.from({ length: slots * portalsPerSlot }, (_, nth) => ({
              id: portalID(color, region, 0, nth),
              name: `${color}-${region}-${String(nth)}`,
              region,
            })),
          ),
        })),
      },
    });
    stops.push(() => konnect.stop());
    await install(controlPlane);
    const config = loadKubeConfig({ kubeconfig: controlPlane.adminKubeconfig });
    const kube = new KubeClient({ config, userAgent: 'soak' });
    for (const name of namespaces) {
      await kube.create('/api/v1/namespaces', { metadata: { name } });
      for (const color of colors) {
        const body = { metadata: { name: `konnect-${color}` }, stringData: { token: tokenOf(color) } };
        await kube.create(`/api/v1/namespaces/${name}/secrets`, body);
      }
    }
    const kubeconfig = await controlPlane.serviceAccountKubeconfig(serviceAccount.namespace, serviceAccount.name);
    const flags = ['--stale-list-window=5s', '--konnect-timeout=5s', '--log-level=warn'];
    const operator = await startOperator({ kubeconfig, konnectURL: konnect.urlTemplate, flags, nodeOptions });
    stops.push(async () => void (await operator.stop()));
    const remove = (path: string) => removeObject(config, path);
    return { controlPlane, konnect, operator, kube, remove, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
