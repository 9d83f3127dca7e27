/** Renders the table of all conditions from the code that writes them and from the runbook, which says what to do. */
import { type Condition, pendingCondition } from '../src/api/v1alpha1.ts';
import { reasons } from '../src/forwarding/problems.ts';
import {
  type ConditionContext,
  condition,
  conditionsOf,
  type gapConditionTypes,
  type Health,
  partTypes,
  progressing,
  type Report,
  suspended,
  withVerified,
} from '../src/status/conditions.ts';
import type { Problem } from '../src/status/problem.ts';
import {
  entriesOf,
  isAboutEvents,
  linkTo,
  moved,
  type RunbookEntry,
  type RunbookPage,
  runbookPages,
} from './runbook.ts';

export const conditionsFile = 'docs/operate/conditions.md';
const runbookFolder = 'docs/operate/runbook/';

type Part = 'SecretsResolved' | 'DestinationReady' | 'WebhooksReady';

/**
 * How a reason appears in conditions. `parts`: the conditions that can show it beside `Ready`; empty if it is about cleanup or deletion.
 * `says`: a part of the messages in the runbook that this situation covers; if absent, it covers all other messages of the reason.
 */
type Situation = { readonly says?: string } & (
  | { readonly kind: Problem['severity'] | 'good' | 'unchecked'; readonly parts: readonly Part[] }
  | { readonly kind: 'pending' | 'working' | 'suspended' | 'drifted' | 'ready' }
  | { readonly kind: 'delivering' | 'verified'; readonly status: Condition['status'] }
  | { readonly kind: 'while-true'; readonly type: (typeof gapConditionTypes)[number] }
  /** No condition has this message: it is part of another message, or the message of an event. */
  | { readonly kind: 'elsewhere' }
);

/** One of them, or both. */
const either: readonly Part[] = ['DestinationReady', 'WebhooksReady'];
const onlyReady: readonly Part[] = [];

/** By reason. A test compares the severities with the code. */
export const situations: Readonly<Record<string, readonly Situation[]>> = {
  SecretNotFound: [{ kind: 'waiting', parts: ['SecretsResolved'] }],
  SecretKeyNotFound: [{ kind: 'waiting', parts: ['SecretsResolved'] }],
  SecretInvalid: [{ kind: 'stalled', parts: ['SecretsResolved'] }],
  SecretForbidden: [{ kind: 'stalled', parts: ['SecretsResolved'] }],
  AuthRefNotFound: [{ kind: 'waiting', parts: ['SecretsResolved'] }],
  AuthRefNotServed: [{ kind: 'stalled', parts: ['SecretsResolved'] }],
  AuthRefForbidden: [{ kind: 'stalled', parts: ['SecretsResolved'] }],
  AuthRefMismatch: [{ kind: 'stalled', parts: ['SecretsResolved'] }],
  TokenRejected: [{ kind: 'stalled', parts: ['SecretsResolved', ...either] }],
  TokenGone: [{ kind: 'waiting', parts: onlyReady }],
  PermissionDenied: [{ kind: 'stalled', parts: ['SecretsResolved', ...either] }],
  OrganizationUnproven: [{ kind: 'stalled', parts: ['SecretsResolved'] }],
  OrganizationChanged: [{ kind: 'stalled', parts: ['SecretsResolved'] }],
  LeftBehind: [
    { kind: 'elsewhere', says: 'gave up … in' },
    { kind: 'elsewhere', says: 'without its finalizer' },
    { kind: 'elsewhere', says: 'missing in a list' },
    { kind: 'stalled', parts: onlyReady },
  ],
  RequestRefused: [
    { kind: 'stalled', parts: ['WebhooksReady'], says: "the organization's webhook does not exist" },
    { kind: 'stalled', parts: ['SecretsResolved', ...either] },
  ],
  NameInUse: [
    { kind: 'waiting', parts: ['DestinationReady'], says: 'looks for it to say whose it is' },
    { kind: 'elsewhere', says: 'delete that destination' },
    { kind: 'elsewhere', says: 'delete what has this name' },
    { kind: 'stalled', parts: ['DestinationReady'] },
  ],
  WebhookInUse: [{ kind: 'stalled', parts: ['WebhooksReady'] }],
  PortalNotFound: [
    { kind: 'elsewhere', says: 'spec no longer wants' },
    { kind: 'elsewhere', says: 'gave up' },
    { kind: 'stalled', parts: ['WebhooksReady'] },
  ],
  DestinationNotFound: [{ kind: 'stalled', parts: ['DestinationReady'] }],
  PortalRefNotFound: [{ kind: 'waiting', parts: ['WebhooksReady'] }],
  PortalRefNotReady: [{ kind: 'waiting', parts: ['WebhooksReady'] }],
  PortalRefMismatch: [{ kind: 'stalled', parts: ['WebhooksReady'] }],
  PortalRefNotServed: [{ kind: 'stalled', parts: ['WebhooksReady'] }],
  PortalRefForbidden: [{ kind: 'stalled', parts: ['WebhooksReady'] }],
  PortalRefUnreadable: [{ kind: 'unavailable', parts: ['WebhooksReady'] }],
  PortalRefConflict: [{ kind: 'stalled', parts: ['WebhooksReady'] }],
  Claimed: [
    { kind: 'stalled', parts: ['DestinationReady'], says: 'the name of this destination belongs' },
    { kind: 'stalled', parts: ['WebhooksReady'], says: 'or the same webhook' },
    { kind: 'stalled', parts: either },
  ],
  Contested: [{ kind: 'stalled', parts: either }],
  HandingOver: [{ kind: 'waiting', parts: onlyReady }],
  Pending: [{ kind: 'pending' }],
  Applying: [{ kind: 'waiting', parts: ['WebhooksReady'], says: 'Konnect does not show' }, { kind: 'working' }],
  Creating: [
    { kind: 'waiting', parts: either, says: 'looks for it to delete it' },
    { kind: 'waiting', parts: ['DestinationReady'], says: 'Konnect may have created' },
    { kind: 'waiting', parts: either },
  ],
  Detaching: [
    { kind: 'waiting', parts: onlyReady, says: 'refuses to detach' },
    { kind: 'waiting', parts: either, says: 'deleted forwarding of this name' },
    { kind: 'waiting', parts: either },
  ],
  DestinationInUse: [{ kind: 'waiting', parts: either }],
  Deleting: [{ kind: 'elsewhere', says: 'deletion waits' }, { kind: 'working' }],
  Suspended: [{ kind: 'suspended' }],
  Drifted: [{ kind: 'drifted' }],
  Observed: [{ kind: 'good', parts: either }],
  RateLimited: [{ kind: 'unavailable', parts: either }],
  KonnectUnavailable: [{ kind: 'unavailable', parts: either }],
  UnexpectedAnswer: [{ kind: 'unavailable', parts: either }],
  Delivered: [{ kind: 'delivering', status: 'True' }],
  NoAttemptYet: [{ kind: 'delivering', status: 'True' }],
  EndpointRejected: [{ kind: 'delivering', status: 'False' }],
  EndpointUnreachable: [{ kind: 'delivering', status: 'False' }],
  SwitchedOff: [{ kind: 'delivering', status: 'False' }],
  StatusUnavailable: [{ kind: 'delivering', status: 'Unknown' }],
  GapOpen: [{ kind: 'while-true', type: 'LogsUndelivered' }],
  ReplayAvailable: [{ kind: 'while-true', type: 'LogsUndelivered' }],
  Replaying: [{ kind: 'while-true', type: 'LogsUndelivered' }],
  ReplayFailed: [{ kind: 'while-true', type: 'LogsUndelivered' }],
  GapSixDaysOld: [{ kind: 'while-true', type: 'LogLossImminent' }],
  LogsLost: [
    { kind: 'elsewhere', says: 'are lost' },
    { kind: 'while-true', type: 'LogLossImminent' },
  ],
  AllFound: [{ kind: 'verified', status: 'True' }],
  NewestFound: [{ kind: 'verified', status: 'True' }],
  LinesMissing: [{ kind: 'verified', status: 'False' }],
  SignatureInvalid: [{ kind: 'verified', status: 'False' }],
  ForeignLines: [{ kind: 'verified', status: 'False' }],
  NotSearchedYet: [{ kind: 'verified', status: 'Unknown' }],
  SumoLogicUnavailable: [{ kind: 'verified', status: 'Unknown' }],
  SearchRefused: [{ kind: 'verified', status: 'Unknown' }],
  InSync: [{ kind: 'ready' }],
  Resolved: [{ kind: 'good', parts: ['SecretsResolved'] }],
  InPlace: [{ kind: 'good', parts: ['DestinationReady'] }],
  NotNeeded: [{ kind: 'good', parts: ['DestinationReady'] }],
  Attached: [{ kind: 'good', parts: ['WebhooksReady'] }],
  NotChecked: [
    { kind: 'unchecked', parts: ['DestinationReady', 'WebhooksReady'], says: 'see SecretsResolved' },
    { kind: 'unchecked', parts: ['WebhooksReady'], says: 'the webhooks wait for the destination' },
    { kind: 'unchecked', parts: ['DestinationReady'], says: 'the operator creates the destination' },
    { kind: 'unchecked', parts: ['SecretsResolved', 'DestinationReady', 'WebhooksReady'] },
  ],
};

export interface Row {
  readonly reason: string;
  /** The page of the runbook with the entry. */
  readonly file: string;
  /** Such as `Ready` with `False`, in the order of status. */
  readonly conditions: readonly { readonly type: string; readonly statuses: readonly string[] }[];
  /** With `…` for the part that differs. */
  readonly message: string;
  /** Markdown, with links from {@link conditionsFile}; empty if no action is needed. */
  readonly remedy: string;
}

interface Entry extends RunbookEntry {
  readonly messages: readonly string[];
  /** Absent if no action is needed. */
  readonly remedy: string | undefined;
}

/** Returns the entries of the runbook about conditions, in its order. The remedy is the first sentence of "Way out". */
function conditionEntries(pages: readonly RunbookPage[]): Entry[] {
  return pages
    .filter((page) => !isAboutEvents(page))
    .flatMap(entriesOf)
    .map((entry) => ({
      ...entry,
      messages: [...entry.text.matchAll(/^> (.+)$/gm)].map(([, message = '']) => message),
      remedy: /^- \*\*Way out:\*\* (.+?\.)(?:\s|$)/m.exec(entry.text)?.[1],
    }));
}

/** Returns the rows of the table. Throws an error that says what to add if a reason lacks a situation, an entry, a message or a remedy. */
export function conditionRows(pages = runbookPages()): Row[] {
  const entries = conditionEntries(pages);
  const faults = [
    ...Object.values<string>(reasons)
      .filter((reason) => situations[reason] === undefined)
      .map(
        (reason) =>
          `${reason}: say in scripts/conditions.ts, under situations, how severe it is and which conditions show it`,
      ),
    ...Object.keys(situations)
      .filter((reason) => !entries.some((entry) => entry.reason === reason))
      .map((reason) => `${reason}: give it an entry in ${runbookFolder}, not on a page of events`),
  ];
  const rows = entries.flatMap((entry) => {
    const known = situations[entry.reason] ?? [];
    if (known.length === 0)
      faults.push(`${entry.reason}: ${entry.file} has an entry, scripts/conditions.ts no situation`);
    const isTrouble = known.some(
      (one) =>
        one.kind === 'stalled' ||
        one.kind === 'waiting' ||
        one.kind === 'unavailable' ||
        one.kind === 'while-true' ||
        ((one.kind === 'delivering' || one.kind === 'verified') && one.status !== 'True'),
    );
    if (isTrouble && entry.remedy === undefined) {
      faults.push(
        `${entry.reason}: ${entry.file} needs a line "- **Way out:** …." whose first sentence says what to do`,
      );
    }
    const rowsOfEntry = entry.messages.flatMap((message) => {
      const situation = known.find(({ says = '' }) => message.includes(says));
      return situation === undefined || situation.kind === 'elsewhere' ? [] : [rowOf(entry, message, situation)];
    });
    for (const { says = '' } of known) {
      if (!entry.messages.some((message) => message.includes(says))) {
        faults.push(`${entry.reason}: no message in ${entry.file} says "${says}"`);
      }
    }
    return rowsOfEntry;
  });
  if (faults.length > 0) throw new Error(`${conditionsFile} cannot be made:\n${faults.join('\n')}`);
  return rows;
}

function rowOf(entry: Entry, message: string, situation: Exclude<Situation, { kind: 'elsewhere' }>): Row {
  const { reason, file, remedy = '' } = entry;
  const found = new Map<string, Set<string>>();
  for (const one of possible(reason, message, situation)) {
    if (one.reason !== reason) continue;
    found.set(one.type, (found.get(one.type) ?? new Set()).add(one.status));
  }
  const conditions = [...found].map(([type, statuses]) => ({ type, statuses: [...statuses] }));
  return { reason, file, conditions, message, remedy: moved(remedy, entry) };
}

/** Returns every condition that status can have in this situation. */
function possible(reason: string, message: string, situation: Exclude<Situation, { kind: 'elsewhere' }>): Condition[] {
  const context = (grace: ConditionContext['grace']): ConditionContext => ({
    generation: 1,
    previous: [],
    now: new Date(0),
    grace,
  });
  const allGood: Report = { secrets: other, destination: other, webhooks: other, cleanup: other, readyMessage: '' };
  switch (situation.kind) {
    case 'pending':
      return [pendingCondition];
    case 'working':
      return progressing(reason, message, context('none'));
    case 'suspended':
      return suspended(message, context('none'));
    case 'drifted':
      return conditionsOf({ ...allGood, drifted: message }, context('none'));
    case 'ready':
      return conditionsOf({ ...allGood, readyMessage: message }, context('none'));
    case 'delivering': {
      const { status } = situation;
      const delivery = { kind: 'seen', status, reason, message, outages: [], isNews: false } as const;
      return conditionsOf({ ...allGood, delivery }, context('none'));
    }
    case 'while-true':
      return [condition(situation.type, 'True', reason, message, context('none'))];
    case 'verified':
      return withVerified({ status: situation.status, reason, message }, context('none'));
    case 'good':
    case 'unchecked':
    case 'stalled':
    case 'waiting':
    case 'unavailable': {
      const health = healthOf(reason, message, situation.kind);
      const shown: (keyof typeof fields | 'cleanup')[] =
        situation.parts.length > 0 ? [...situation.parts] : ['cleanup'];
      return shown.flatMap((part) =>
        (['none', 'unknown'] as const).flatMap((grace) =>
          conditionsOf({ ...allGood, [part === 'cleanup' ? part : fields[part]]: health }, context(grace)),
        ),
      );
    }
  }
}

const fields = { SecretsResolved: 'secrets', DestinationReady: 'destination', WebhooksReady: 'webhooks' } as const;
const other: Health = { kind: 'good', reason: '', message: '' };

function healthOf(reason: string, message: string, kind: Problem['severity'] | 'good' | 'unchecked'): Health {
  switch (kind) {
    case 'good':
      return { kind, reason, message };
    case 'unchecked':
      return { kind, message };
    case 'stalled':
    case 'waiting':
    case 'unavailable':
      return { kind: 'bad', problems: [{ reason, severity: kind, message }] };
  }
}

/** Returns whether the message of a condition begins like the pattern. */
function begins(message: string, pattern: string): boolean {
  const parts = pattern.split('…').map((part) => part.trim().replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&'));
  return new RegExp(`^(?:deletion waits: )?${parts.join('.*')}`, 's').test(message);
}

/** Returns the conditions that no row of the table describes, as `type status reason: message`. */
export function unknownConditions(conditions: readonly Condition[], rows: readonly Row[]): string[] {
  return conditions
    .filter(
      ({ type, status, reason, message }) =>
        !rows.some(
          (row) =>
            row.reason === reason &&
            row.conditions.some((one) => one.type === type && one.statuses.includes(status)) &&
            begins(message, row.message),
        ),
    )
    .map(({ type, status, reason, message }) => `${type} ${status} ${reason}: ${message}`);
}

const types: readonly string[] = ['Ready', 'Stalled', 'Reconciling', ...partTypes];

/** Returns the text of {@link conditionsFile}. */
export function renderConditions(): string {
  const rows = conditionRows();
  return `<!-- Generated from src/ and docs/operate/runbook/ by \`npm run generate\`. Do not edit. -->
# Conditions

For the operator on call.
This page lists everything that a condition of a forwarding can say.
Each reason links to its entry in the [runbook](runbook.md), which also says who is affected and what to check.
\`…\` stands for the part that differs.

- \`Ready\` is the summary.
- \`Stalled\` means that a user has to act. \`Reconciling\` means that the operator continues by itself.
  At most one of the two exists, only while it is true, with the reason and the message of the worst problem.
- \`SecretsResolved\`, \`DestinationReady\` and \`WebhooksReady\` say which part has the problem.
- \`Delivering\` says whether the SIEM accepts the audit logs.
  It does not count for \`Ready\`, and is absent until a webhook is in place.
- \`LogsUndelivered\` and \`LogLossImminent\` exist only while they are true: audit logs were not delivered, and Konnect is about to delete them.
  They do not count for \`Ready\`, and stay as they are while the forwarding is suspended.
- \`Verified\` says whether the audit logs are in SumoLogic.
  It does not count for \`Ready\`, and is absent without \`spec.verification\`.

If there are several problems, the message names up to three, the worst first, separated by semicolons.
The reason is that of the first one.

If the object is being deleted, the message begins with \`deletion waits:\`, the conditions of the three parts are Unknown, and \`Delivering\` is absent.

If Konnect is unavailable and nothing newer has to be applied, all these conditions but \`Verified\` keep their status for three intervals, at most 30 minutes.
After that they are Unknown.
If something newer has to be applied, \`Ready\` and the parts are False at once, and \`Delivering\` is Unknown.

## By condition

| condition | status | reasons |
|---|---|---|
${byCondition(rows).join('\n')}

## By reason

| reason | conditions | message | what to do |
|---|---|---|---|
${rows.map(lineOf).join('\n')}
`;
}

function byCondition(rows: readonly Row[]): string[] {
  return types.flatMap((type) =>
    ['True', 'False', 'Unknown'].flatMap((status) => {
      const found = rows.filter(({ conditions }) =>
        conditions.some((one) => one.type === type && one.statuses.includes(status)),
      );
      const links = [...new Set(found.map(linkTo))];
      return links.length === 0 ? [] : [`| \`${type}\` | ${status} | ${links.join(', ')} |`];
    }),
  );
}

function lineOf(row: Row): string {
  const { conditions, message, remedy } = row;
  const lines = conditions
    .toSorted((one, another) => types.indexOf(one.type) - types.indexOf(another.type))
    .map(({ type, statuses }) => ({ type, text: `\`${type}\` ${statuses.join(' or ')}` }));
  const summing = lines.filter(({ type }) => types.indexOf(type) < 3).map(({ text }) => text);
  const parts = lines.filter(({ type }) => types.indexOf(type) >= 3).map(({ text }) => text);
  const shown = [...summing, ...(summing.length > 0 && parts.length > 1 ? [parts.join(', or<br>')] : parts)];
  return `| ${linkTo(row)} | ${shown.join('<br>')} | ${message.replaceAll('|', '\\|')} | ${remedy === '' ? 'nothing' : remedy} |`;
}
