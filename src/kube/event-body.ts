/** The object that an event is about. */
export interface ObjectReference {
  apiVersion: string;
  kind: string;
  /** Absent for a cluster-scoped object. */
  namespace?: string;
  name: string;
  uid: string;
}

export interface EventFacts {
  regarding: ObjectReference;
  type: 'Normal' | 'Warning';
  /** Why it happened: a constant in UpperCamelCase. */
  reason: string;
  /** What the operator did or tried: a constant in UpperCamelCase. */
  action: string;
  /** The text for users, shortened to 1024 bytes. */
  note: string;
}

/** The API server requires a `count` of at least 2. */
export interface EventSeries {
  count: number;
  lastObservedTime: string;
}

export interface EventReporter {
  reportingController: string;
  /** Identifies the replica, such as the name of the Pod. */
  reportingInstance: string;
}

const maxNoteBytes = 1024;
const maxWordLength = 128;
const maxNameLength = 200;

/** Returns the path of the events in the namespace of an object, or in `default` for a cluster-scoped object. */
export function eventsPath({ namespace = 'default' }: ObjectReference): string {
  return `/apis/events.k8s.io/v1/namespaces/${namespace}/events`;
}

/** Returns a name of the usual form `<name>.<id>`. `id` makes it unique. */
export function eventName({ name }: ObjectReference, id: string): string {
  return `${name.slice(0, maxNameLength).replace(/[^a-z0-9]+$/, '')}.${id}`;
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
    reportingInstance: reporter.reportingInstance.slice(0, maxWordLength),
    type,
    reason: reason.slice(0, maxWordLength),
    action: action.slice(0, maxWordLength),
    note: shortenedNote(note),
    regarding,
    ...(series === undefined ? {} : { series }),
  };
}

/** Returns a MicroTime of Kubernetes, which has exactly six digits after the point. */
export function microTime(epochMs: number): string {
  return new Date(epochMs).toISOString().replace('Z', '000Z');
}

function shortenedNote(note: string): string {
  const bytes = Buffer.from(note);
  if (bytes.length <= maxNoteBytes) return note;
  const start = bytes.subarray(0, maxNoteBytes - Buffer.byteLength('…')).toString('utf8');
  return `${start.replace(/\uFFFD+$/, '')}…`;
}
