/** Collects what `auditlog report` shows. Everything comes from the cluster. */
import * as z from 'zod';
import { kind } from '../api/v1alpha1.ts';
import { version } from '../config/config.ts';
import { isKubeError } from '../kube/errors.ts';
import type { KubeClient } from '../kube/kube-client.ts';
import { listObjects, listOperators, type OperatorDeployment } from './cluster-connection.ts';
import { type ForwardingView, viewOf } from './forwarding-view.ts';

const text = z.string().optional().catch(undefined);

const Written = z.object({
  metadata: z.object({
    managedFields: z
      .array(z.object({ manager: z.string(), operation: text, time: text, subresource: text }))
      .catch([])
      .default([]),
  }),
});

const Event = z.object({
  type: z.string().catch('Normal'),
  reason: z.string().catch(''),
  message: z.string().catch(''),
  lastTimestamp: text,
  eventTime: text,
  metadata: z.object({ creationTimestamp: text }),
  involvedObject: z.object({ namespace: z.string(), name: z.string() }),
});

/** Something that somebody did, or that the operator reported. */
export interface Happening {
  readonly time: string;
  /** A field manager of Kubernetes, `another client` of Konnect, or `operator`. */
  readonly who: string;
  readonly what: string;
}

export interface ReportedForwarding extends ForwardingView {
  /** In the period, the oldest first. */
  readonly happenings: readonly Happening[];
}

export interface ReportData {
  readonly generatedTime: string;
  readonly from: string;
  readonly to: string;
  readonly versions: { readonly auditlog: string; readonly kubernetes?: string; readonly operators: readonly string[] };
  readonly forwardings: readonly ReportedForwarding[];
  /** What the command could not read. */
  readonly notes: readonly string[];
}

export interface ReportPeriod {
  readonly from: Date;
  readonly to: Date;
  readonly now: Date;
}

/** Returns the data about these forwardings. `namespace` limits the events, and is undefined for all. */
export async function readReport(
  client: Pick<KubeClient, 'get' | 'list'>,
  objects: readonly unknown[],
  namespace: string | undefined,
  { from, to, now }: ReportPeriod,
): Promise<ReportData> {
  const notes: string[] = [];
  const orNote = async <T>(what: string, read: () => Promise<T>, otherwise: T): Promise<T> => {
    try {
      return await read();
    } catch (error) {
      if (!isKubeError(error, 'Forbidden', 'NotFound')) throw error;
      notes.push(`The command could not read ${what}.`);
      return otherwise;
    }
  };
  const [events, kubernetes, operators] = await Promise.all([
    orNote('the events', () => readEvents(client, namespace), []),
    orNote(
      'the version of Kubernetes',
      async () => (await client.get<{ gitVersion?: string }>('/version')).gitVersion,
      undefined,
    ),
    orNote('the Deployments of the operator', () => listOperators(client), []),
  ]);
  const isInPeriod = ({ time }: Happening) => Date.parse(time) >= from.getTime() && Date.parse(time) <= to.getTime();
  const forwardings = objects.flatMap((object): ReportedForwarding[] => {
    const view = viewOf(object, now);
    if (view === undefined) return [];
    const own = events.flatMap(({ of, ...event }) => (of === `${view.namespace}/${view.name}` ? [event] : []));
    const happenings = [...writesOf(object), ...correctionsOf(view), ...own]
      .filter(isInPeriod)
      .toSorted((a, b) => Date.parse(a.time) - Date.parse(b.time));
    return [{ ...view, happenings }];
  });
  return {
    generatedTime: now.toISOString(),
    from: from.toISOString(),
    to: to.toISOString(),
    versions: {
      auditlog: version,
      ...(kubernetes === undefined ? {} : { kubernetes }),
      operators: operators.map(inWords),
    },
    forwardings,
    notes,
  };
}

async function readEvents(
  client: Pick<KubeClient, 'list'>,
  namespace: string | undefined,
): Promise<(Happening & { readonly of: string })[]> {
  const where = namespace === undefined ? '' : `/namespaces/${namespace}`;
  const items = await listObjects(client, `/api/v1${where}/events`, {
    fieldSelector: `involvedObject.kind=${kind}`,
  });
  return items.flatMap((item) => {
    const { data } = Event.safeParse(item);
    const time = data?.lastTimestamp ?? data?.eventTime ?? data?.metadata.creationTimestamp;
    if (data === undefined || time === undefined) return [];
    const { involvedObject, type, reason, message } = data;
    const what = `${type === 'Warning' ? 'Warning: ' : ''}${reason}: ${message}`;
    return [{ of: `${involvedObject.namespace}/${involvedObject.name}`, time, who: 'operator', what }];
  });
}

function inWords({ metadata, spec }: OperatorDeployment): string {
  const images = spec.template.spec.containers.map(({ image }) => image);
  return `${metadata.namespace}/${metadata.name}: ${images.join(', ')}`;
}

/** Returns who last wrote the object, other than its status. */
function writesOf(object: unknown): Happening[] {
  const { data } = Written.safeParse(object);
  return (data?.metadata.managedFields ?? []).flatMap(({ manager, operation = 'Update', time, subresource }) =>
    time === undefined || subresource === 'status'
      ? []
      : [{ time, who: manager, what: `wrote the forwarding in Kubernetes (${operation})` }],
  );
}

function correctionsOf({ corrections }: ForwardingView): Happening[] {
  return corrections.flatMap(({ object, at }) =>
    at.map((time) => ({
      time,
      who: 'another client',
      what: `had changed ${object} in Konnect, and the operator corrected that`,
    })),
  );
}
