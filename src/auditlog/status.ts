/** `auditlog status`: says whether the audit logs arrive, webhook by webhook. */
import { clusterOptions, namespaceFilter, readForwardings, withCluster } from './cluster-connection.ts';
import { type Arguments, type Command, exitCodes, type Terminal, textOf } from './command.ts';
import {
  conditionIn,
  type ForwardingView,
  gapsIn,
  isRefuted,
  kindOf,
  viewOf,
  type WebhookView,
} from './forwarding-view.ts';
import { type Cell, outputFormat, outputOption, toTable, toText } from './output.ts';

const exits = { notDelivered: 3, notKnown: 4, nothingFound: 5 } as const;

export const statusCommand: Command = {
  operands: '',
  summary: 'Says whether the audit logs of each webhook arrive, as the operator last saw it.',
  options: { ...namespaceFilter, ...clusterOptions, output: outputOption },
  exits: {
    [exits.notDelivered]: 'a webhook does not deliver, has a gap, or audit lines are missing',
    [exits.notKnown]: 'nobody knows about a webhook, and none is known to fail',
    [exits.nothingFound]: 'there is no forwarding',
  },
  run: status,
};

async function status(args: Arguments, terminal: Terminal): Promise<number> {
  const format = outputFormat(args);
  const objects = await withCluster(args, terminal, (connection) =>
    readForwardings(connection, textOf(args, 'namespace')),
  );
  const now = new Date();
  const views = objects.flatMap((object) => viewOf(object, now) ?? []);
  if (format === 'table' && views.length > 0) {
    await terminal.print(table(views, terminal));
    for (const sentence of views.flatMap(remarks)) terminal.warn(sentence);
  } else if (format === 'table') terminal.warn('there is no forwarding: see auditlog import, or create one');
  else await terminal.print(await toText({ forwardings: views }, format));
  return exitCode(views);
}

function exitCode(views: readonly ForwardingView[]): number {
  if (views.length === 0) return exits.nothingFound;
  if (views.some(isNotDelivered)) return exits.notDelivered;
  return views.some(isNotKnown) ? exits.notKnown : exitCodes.ok;
}

/** Returns true if something of the forwarding is known not to arrive. */
function isNotDelivered(view: ForwardingView): boolean {
  return isRefuted(view) || view.webhooks.some(({ state, gap }) => gap !== undefined || kindOf(state) === 'bad');
}

/** Returns true if the operator does not look at the forwarding, or could not look at one of its webhooks. */
function isNotKnown(view: ForwardingView): boolean {
  return view.isSuspended || view.isOutdated || view.webhooks.some(({ state }) => kindOf(state) === 'open');
}

const colors = { good: 'green', open: 'yellow', bad: 'red' } as const;

function table(views: readonly ForwardingView[], terminal: Terminal): string {
  const rows = views.flatMap((view) => view.webhooks.map((webhook) => row(view, webhook)));
  const headings = ['FORWARDING', 'WEBHOOK', 'DELIVERY', 'SINCE', 'CODE', 'LAST DELIVERED', 'GAP', 'VERIFIED'];
  return toTable(headings, rows, terminal);
}

function row(view: ForwardingView, webhook: WebhookView): Cell[] {
  const { key, state, reason, since, lastResponseCode, lastDeliveredTime } = webhook;
  const shown = reason === undefined ? state : `${state} (${reason})`;
  return [
    { text: `${view.namespace}/${view.name}` },
    { text: key },
    { text: shown, color: colors[kindOf(state)] },
    { text: toSecond(since) },
    { text: lastResponseCode === undefined ? '-' : String(lastResponseCode), alignRight: true },
    { text: toSecond(lastDeliveredTime) },
    gapCell(webhook),
    verifiedCell(view),
  ];
}

function gapCell(webhook: WebhookView): Cell {
  const { replay } = webhook;
  const gaps = gapsIn(webhook).map(({ from, to }) => `${toSecond(from)}/${to === undefined ? '…' : toSecond(to)}`);
  const shown = [...gaps, ...(replay === undefined ? [] : [`replay ${replay.state}`])].join(', ');
  if (shown === '') return { text: '-' };
  return gaps.length === 0 ? { text: shown } : { text: shown, color: 'red' };
}

function verifiedCell(view: ForwardingView): Cell {
  const condition = conditionIn(view, 'Verified');
  if (condition === undefined) return { text: '-' };
  const color = condition.status === 'True' ? 'green' : condition.status === 'False' ? 'red' : 'yellow';
  return { text: `${condition.status} (${condition.reason})`, color };
}

/** Returns a time without parts of a second. */
function toSecond(time: string | undefined): string {
  return time === undefined ? '-' : time.replace(/\.\d+(?=Z|[+-])/, '');
}

/** Returns a sentence for each thing that a person has to know about the forwarding. */
function remarks(view: ForwardingView): string[] {
  const name = `${view.namespace}/${view.name}`;
  const bad = ['Ready', 'Delivering', 'Verified', 'LogLossImminent'].flatMap((type) => {
    const condition = conditionIn(view, type);
    const isBad = condition?.status === (type === 'LogLossImminent' ? 'True' : 'False');
    return condition !== undefined && isBad ? [`${name}: ${type} is ${condition.status}: ${condition.message}`] : [];
  });
  const look =
    view.lastObservedTime === undefined
      ? 'has never compared it with Konnect'
      : `last compared it with Konnect at ${toSecond(view.lastObservedTime)}`;
  return [
    ...bad,
    ...(view.isSuspended ? [`${name}: spec.suspend is true, so nobody looks: see auditlog resume`] : []),
    ...(view.isOutdated ? [`${name}: the operator ${look}: check that it runs and watches this namespace`] : []),
    ...(view.webhooks.length === 0 ? [`${name}: no webhook is known yet`] : []),
  ];
}
