/** Finds out what the operator would change in Konnect: its own reconciler runs, and every write stays in memory. */
import type { AuditLogForwarding, Status } from '../api/v1alpha1.ts';
import { finalizer } from '../api/v1alpha1.ts';
import { nameOf } from '../forwarding/ownership/claims.ts';
import type { Cluster, ClusterReads } from '../forwarding/ports.ts';
import { Reconciler } from '../forwarding/reconcile/reconciler.ts';
import { Konnect } from '../konnect/session/konnect.ts';
import type { KonnectTransport } from '../konnect/transport.ts';
import { type RecordedWrite, RecordingTransport } from './recording-transport.ts';

/**
 * The defaults of the operator's `--stale-list-window` and `--konnect-timeout` together. A process counts the age of a record from when it first sees it, so a
 * dry run is always within this time.
 */
const pendingCreationTimeoutMs = 30_000 + 15_000;

export interface DryRunOptions {
  readonly http: KonnectTransport;
  readonly urlTemplate: string;
  readonly cluster: ClusterReads;
  /** All forwardings of the cluster, since one of them may own what another one wants. */
  readonly forwardings: readonly AuditLogForwarding[];
  readonly clusterName: string;
  readonly now: () => Date;
  readonly signal: AbortSignal;
}

export interface DryRunResult {
  /** As it was before. */
  readonly forwarding: AuditLogForwarding;
  readonly writes: readonly RecordedWrite[];
  /** The status that the operator would write at the end. */
  readonly status: Status;
}

/**
 * Reconciles each of `wanted` once. A forwarding that is suspended or in mode Observe is reconciled as if it alone were not: the others see it as it is, and
 * find nothing of what it would write. Returns the results in the order of `wanted`. Rejects with a KubeError, and with what `cluster` throws.
 */
export async function dryRun(options: DryRunOptions, wanted: readonly AuditLogForwarding[]): Promise<DryRunResult[]> {
  const { http, urlTemplate, clusterName, now, signal } = options;
  const objects = new Map(options.forwardings.map((one) => [nameOf(one), one]));
  const transport = new RecordingTransport(http);
  const konnect = new Konnect({ http: transport, urlTemplate });
  const reconciler = new Reconciler({
    cluster: inMemory(options.cluster, objects),
    konnectFor: (token, priority, region) => konnect.forToken(token, priority, region),
    find: (key) => asEnforced(objects.get(key)),
    contenders: (key) => [...objects].flatMap(([other, object]) => (other === key ? [] : [object])),
    enqueue: () => undefined,
    clusterName,
    pendingCreationTimeoutMs,
    now,
    nowMs: () => performance.now(),
    random: Math.random,
  });
  const results = new Map<AuditLogForwarding, DryRunResult>();
  for (const forwarding of wanted.toSorted((a, b) => Number(isHeld(a)) - Number(isHeld(b)))) {
    const key = nameOf(forwarding);
    const from = transport.writes.length;
    await reconciler.reconcile(key, signal);
    const writes = transport.writes.slice(from);
    results.set(forwarding, { forwarding, writes, status: objects.get(key)?.status ?? {} });
    if (!isHeld(forwarding)) continue;
    transport.forgetAfter(from);
    objects.set(key, forwarding);
  }
  return wanted.flatMap((one) => results.get(one) ?? []);
}

function isHeld({ spec }: AuditLogForwarding): boolean {
  return spec.suspend || spec.mode === 'Observe';
}

function asEnforced(forwarding: AuditLogForwarding | undefined): AuditLogForwarding | undefined {
  return forwarding && { ...forwarding, spec: { ...forwarding.spec, suspend: false, mode: 'Enforce' } };
}

/** Returns a cluster whose writes change only `objects`. */
function inMemory(reads: ClusterReads, objects: Map<string, AuditLogForwarding>): Cluster {
  const put = (forwarding: AuditLogForwarding) => {
    objects.set(nameOf(forwarding), forwarding);
    return Promise.resolve(forwarding);
  };
  const withFinalizers = ({ metadata, ...rest }: AuditLogForwarding, finalizers: string[]) =>
    put({ ...rest, metadata: { ...metadata, finalizers } });
  return {
    ...reads,
    addFinalizer: (one) => withFinalizers(one, [...one.metadata.finalizers, finalizer]),
    async removeFinalizer(one) {
      await withFinalizers(one, []);
    },
    writeStatus: (one, status) => put({ ...one, status }),
    recordEvent: () => undefined,
  };
}
