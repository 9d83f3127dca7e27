/** The conditions that status can have, from the code that writes them and from the runbook, which says what to do. */
import { type Condition, pendingCondition } from '../../src/api/v1alpha1.ts';
import { reasons } from '../../src/forwarding/problems.ts';
import {
  type ConditionContext,
  condition,
  conditionsOf,
  type Health,
  progressing,
  type Report,
  suspended,
  withVerified,
} from '../../src/status/conditions.ts';
import type { Problem } from '../../src/status/problem.ts';
import { entriesOf, isAboutEvents, moved, type RunbookEntry, type RunbookPage, runbookPages } from '../runbook.ts';
import { type Situation, situations } from './situations.ts';

const situationsFile = 'scripts/conditions/situations.ts';
const runbookFolder = 'docs/operate/runbook/';

export interface Row {
  readonly reason: string;
  /** The page of the runbook with the entry. */
  readonly file: string;
  /** Such as `Ready` with `False`, in the order of status. */
  readonly conditions: readonly { readonly type: string; readonly statuses: readonly string[] }[];
  /** With `…` for the part that differs. */
  readonly message: string;
  /** Markdown, with links from the pages about conditions; empty if no action is needed. */
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
      .map((reason) => `${reason}: say in ${situationsFile} how severe it is and which conditions show it`),
    ...Object.keys(situations)
      .filter((reason) => !entries.some((entry) => entry.reason === reason))
      .map((reason) => `${reason}: give it an entry in ${runbookFolder}, not on a page of events`),
  ];
  const rows = entries.flatMap((entry) => {
    const known = situations[entry.reason] ?? [];
    if (known.length === 0) faults.push(`${entry.reason}: ${entry.file} has an entry, ${situationsFile} no situation`);
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
  if (faults.length > 0) throw new Error(`the pages about conditions cannot be made:\n${faults.join('\n')}`);
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
