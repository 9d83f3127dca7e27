/** What an event is about. */
export interface ObjectReference {
  apiVersion: string;
  kind: string;
  /** Absent for an object of the cluster. */
  namespace?: string;
  name: string;
  uid: string;
}

export interface EventFacts {
  regarding: ObjectReference;
  type: 'Normal' | 'Warning';
  /** Why, as a constant in UpperCamelCase. */
  reason: string;
  /** What was done or tried, as a constant in UpperCamelCase. */
  action: string;
  /** For people; cut to 1024 bytes. */
  note: string;
}

/** `count` is 2 at least, as the API server demands. */
export interface EventSeries {
  count: number;
  lastObservedTime: string;
}

export interface EventReporter {
  reportingController: string;
  /** Which copy of the controller, such as the Pod's name. */
  reportingInstance: string;
}

const MAX_NOTE_BYTES = 1024;
const MAX_WORD = 128;
const MAX_NAME = 200;

/** The collection an event belongs to: the namespace of what it is about, or `default`. */
export function eventsPath({ namespace = 'default' }: ObjectReference): string {
  return `/apis/events.k8s.io/v1/namespaces/${namespace}/events`;
}

/** A name like those kubectl users know, `<name>.<id>`; `id` makes it unique. */
export function eventName({ name }: ObjectReference, id: string): string {
  return `${name.slice(0, MAX_NAME).replace(/[^a-z0-9]+$/, '')}.${id}`;
}

export function eventBody(
  { regarding, type, reason, action, note }: EventFacts,
  {
    name,
    eventTime,
    series,
    reporter,
  }: { name: string; eventTime: string; series: EventSeries | undefined; reporter: EventReporter },
): object {
  return {
    apiVersion: 'events.k8s.io/v1',
    kind: 'Event',
    metadata: { name, namespace: regarding.namespace ?? 'default' },
    eventTime,
    reportingController: reporter.reportingController,
    reportingInstance: reporter.reportingInstance.slice(0, MAX_WORD),
    type,
    reason: reason.slice(0, MAX_WORD),
    action: action.slice(0, MAX_WORD),
    note: cutNote(note),
    regarding,
    ...(series === undefined ? {} : { series }),
  };
}

/** Kubernetes' MicroTime takes six digits after the point, neither more nor fewer. */
export function microTime(epochMs: number): string {
  return new Date(epochMs).toISOString().replace('Z', '000Z');
}

function cutNote(note: string): string {
  const bytes = Buffer.from(note);
  if (bytes.length <= MAX_NOTE_BYTES) return note;
  const start = bytes.subarray(0, MAX_NOTE_BYTES - Buffer.byteLength('…')).toString('utf8');
  return `${start.replace(/\uFFFD+$/, '')}…`;
}
