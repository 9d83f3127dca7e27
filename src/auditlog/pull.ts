/** `auditlog pull`: prints what Konnect says that it audited. */
import { setTimeout as delay } from 'node:timers/promises';
import { toCEF } from '../audit-lines/cef.ts';
import { isKonnectError } from '../konnect/errors.ts';
import { type AuditLogEntry, LedgerClient } from '../konnect/ledger-client.ts';
import { type Arguments, type Command, CommandError, exitCodes, type Terminal, textOf, UsageError } from './command.ts';
import { type KonnectConnection, konnectOptions, requiredToken, withKonnect } from './konnect-connection.ts';
import { timeOf } from './time-option.ts';

const followEveryMs = 10_000;
/** Entries may appear in Konnect's list later than others with the same time. */
const overlapMs = 60_000;

export const pullCommand: Command = {
  operands: '',
  summary:
    "Prints Konnect's list of audit logs of a region, one entry on each line. The logins of Dev Portals are not in it.",
  options: {
    ...konnectOptions('The region, such as us or eu.'),
    from: {
      type: 'string',
      value: 'TIME',
      help: 'A time such as 2026-01-02T03:04:05Z, or how long ago, such as 2h. The default is 1h.',
    },
    to: { type: 'string', value: 'TIME', help: 'A time, or how long ago. The default is now.' },
    follow: { type: 'boolean', short: 'f', help: 'Print new entries as they come, until interrupted.' },
    output: { type: 'string', short: 'o', value: 'json|cef', help: 'The format of the lines. The default is json.' },
  },
  exits: {},
  run: pull,
};

async function pull(args: Arguments, terminal: Terminal): Promise<number> {
  const format = textOf(args, 'output') ?? 'json';
  if (format !== 'json' && format !== 'cef') throw new UsageError('--output must be json or cef');
  const toLine = format === 'json' ? (entry: AuditLogEntry) => JSON.stringify(entry) : toCEF;
  const isFollowing = args.options['follow'] === true;
  if (isFollowing && textOf(args, 'to') !== undefined) throw new UsageError('--follow has no end: leave --to out');
  const now = new Date();
  const from = timeOf(args, 'from', now) ?? new Date(now.getTime() - 3_600_000);
  const to = timeOf(args, 'to', now) ?? now;
  if (from > to) throw new UsageError('--from must not be after --to');
  return withKonnect(args, terminal, async (connection) => {
    const print = async (entries: readonly AuditLogEntry[]) => {
      if (entries.length > 0) await terminal.print(entries.map((entry) => `${toLine(entry)}\n`).join(''));
    };
    if (isFollowing) await follow(connection, from, terminal, print);
    else for await (const page of pages(connection, from, to, terminal)) await print(page);
    return exitCodes.ok;
  });
}

async function follow(
  connection: KonnectConnection,
  from: Date,
  terminal: Terminal,
  print: (entries: readonly AuditLogEntry[]) => Promise<void>,
): Promise<void> {
  let since = from;
  /** What the last look printed. Every look begins before its end. */
  let printed = new Set<string>();
  while (!terminal.signal.aborted) {
    const now = new Date();
    const found = new Set<string>();
    for await (const page of pages(connection, since, now, terminal)) {
      const fresh = page.filter((entry) => {
        const text = JSON.stringify(entry);
        found.add(text);
        return !printed.has(text);
      });
      await print(fresh);
    }
    printed = found;
    since = new Date(Math.max(from.getTime(), now.getTime() - overlapMs));
    await delay(followEveryMs, undefined, { signal: terminal.signal }).catch(() => {});
  }
}

async function* pages(
  { http, urlTemplate, region, token }: KonnectConnection,
  from: Date,
  to: Date,
  { signal }: Terminal,
): AsyncGenerator<readonly AuditLogEntry[]> {
  const ledger = new LedgerClient({ http, urlTemplate, token: requiredToken(token) });
  try {
    yield* ledger.auditLogs({ region, from, to, signal });
  } catch (error) {
    if (signal.aborted) return;
    if (isKonnectError(error, 'Forbidden', 'NotFound'))
      throw new CommandError(
        `Konnect refuses the list of audit logs (HTTP ${error.status ?? 0}): the token may not read it, or Kong has not switched the list on for this organization`,
      );
    throw error;
  }
}
