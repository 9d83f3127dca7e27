/** `auditlog compare`: finds what one ledger has and the other lacks. */
import { LedgerComparison, type LedgerDifference } from '../audit-lines/ledger-comparison.ts';
import { type LedgerEntry, toLedgerEntry } from '../audit-lines/ledger-entry.ts';
import { type Arguments, type Command, exitCodes, type Terminal, textOf, UsageError } from './command.ts';
import { linesOfInput } from './input.ts';
import { countCell, outputFormat, outputOption, toTable, toText } from './output.ts';

const exits = { missing: 3, foreign: 4, nothingFound: 5 } as const;
/** How many missing entries are named. */
const maxNamed = 20;

export const compareCommand: Command = {
  operands: '',
  summary:
    "Compares two ledgers without a connection: Konnect's list of audit logs (JSON lines) or audit lines on the left, the lines of a SIEM on the right.",
  options: {
    left: {
      type: 'string',
      value: 'FILE',
      help: 'The ledger that must be complete. - is standard input. gzip is read too.',
    },
    right: {
      type: 'string',
      value: 'FILE',
      help: 'The ledger that is checked. - is standard input. gzip is read too.',
    },
    'ignore-principal': {
      type: 'string',
      value: 'ID',
      help: "Leave out the entries of this principal on both sides, such as the operator's own calls.",
    },
    output: outputOption,
  },
  exits: {
    [exits.missing]: 'the right ledger lacks an entry',
    [exits.foreign]: 'the right ledger has an entry that the left one lacks, and lacks none',
    [exits.nothingFound]: 'the left ledger has no entry',
  },
  run: compare,
};

async function compare(args: Arguments, terminal: Terminal): Promise<number> {
  const format = outputFormat(args);
  const [left, right] = [textOf(args, 'left'), textOf(args, 'right')];
  if (left === undefined || right === undefined) throw new UsageError('name both ledgers: --left FILE --right FILE');
  if (left === '-' && right === '-') throw new UsageError('only one of --left and --right can be standard input');
  const ignored = textOf(args, 'ignore-principal');
  const comparison = new LedgerComparison();
  for await (const entry of entriesOf(left, ignored, terminal)) comparison.addLeft(entry);
  for await (const entry of entriesOf(right, ignored, terminal)) comparison.addRight(entry);
  const difference = comparison.result(maxNamed);
  for (const { traceID, timeMs } of difference.oldestMissing)
    terminal.warn(`missing: trace ${traceID} at ${new Date(timeMs).toISOString()}`);
  const more = difference.missing - difference.oldestMissing.length;
  if (more > 0) terminal.warn(`${more} more entries are missing`);
  await terminal.print(format === 'table' ? table(difference, terminal) : await toText(toJSON(difference), format));
  return exitCode(difference);
}

async function* entriesOf(file: string, ignored: string | undefined, terminal: Terminal): AsyncGenerator<LedgerEntry> {
  for await (const lines of linesOfInput(file, terminal)) {
    for (const line of lines) {
      const entry = toLedgerEntry(line);
      if (entry !== undefined && (ignored === undefined || entry.principalID !== ignored)) yield entry;
    }
  }
}

function exitCode({ entries, missing, foreign }: LedgerDifference): number {
  if (entries === 0) return exits.nothingFound;
  if (missing > 0) return exits.missing;
  return foreign > 0 ? exits.foreign : exitCodes.ok;
}

function table({ entries, found, missing, duplicates, foreign }: LedgerDifference, terminal: Terminal): string {
  return toTable(
    ['ENTRIES', 'FOUND', 'MISSING', 'DUPLICATES', 'FOREIGN'],
    [
      [
        countCell(entries),
        countCell(found, 'green'),
        countCell(missing, 'red'),
        countCell(duplicates),
        countCell(foreign, 'yellow'),
      ],
    ],
    terminal,
  );
}

function toJSON({ oldestMissing, newestMissingMs: _newest, ...counts }: LedgerDifference): object {
  return {
    ...counts,
    oldestMissing: oldestMissing.map(({ traceID, timeMs }) => ({ traceID, time: new Date(timeMs).toISOString() })),
  };
}
