/** Renders the pages about conditions. */
import { partTypes } from '../../src/status/conditions.ts';
import { linkTo } from '../runbook.ts';
import { conditionRows, type Row } from './rows.ts';

export const conditionsFile = 'docs/operate/conditions.md';
export const messagesFile = 'docs/operate/messages.md';

const generated = '<!-- Generated from src/ and docs/operate/runbook/ by `npm run generate`. Do not edit. -->';

const types: readonly string[] = ['Ready', 'Stalled', 'Reconciling', ...partTypes];

/** Returns the text of {@link conditionsFile}. */
export function renderConditions(): string {
  const rows = conditionRows();
  return `${generated}
# Conditions

For the operator on call: the conditions of a forwarding, and the reasons of each.
Each reason links to its entry in the [runbook](runbook.md), which also says who is affected and what to check.

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

[Messages](messages.md) has a row for each message.
`;
}

/** Returns the text of {@link messagesFile}. */
export function renderMessages(): string {
  return `${generated}
# Messages

For the operator on call: every message of a condition of a forwarding, with what to do.
\`…\` stands for the part that differs.
[Conditions](conditions.md) says how the conditions relate, and [the runbook](runbook.md) has an entry for each reason.

| reason | conditions | message | what to do |
|---|---|---|---|
${conditionRows().map(lineOf).join('\n')}
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
