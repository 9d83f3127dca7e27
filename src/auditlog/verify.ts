/** `auditlog verify`: checks the signatures of audit lines. */
import type { KeyObject } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { setFlagsFromString } from 'node:v8';
import { parse } from '../audit-lines/audit-line.ts';
import { InvalidKeysError, toSigningKeys } from '../audit-lines/signing-keys.ts';
import { type LineResult, lineVerifier } from '../audit-lines/verify-lines.ts';
import { type Arguments, type Command, CommandError, exitCodes, type Terminal, textOf, UsageError } from './command.ts';
import { linesOfInput, unreadable } from './input.ts';
import { konnectOptions, withKonnect } from './konnect-connection.ts';
import { countCell, outputFormat, outputOption, toTable, toText } from './output.ts';

const exits = { unsigned: 3, invalid: 4, nothingFound: 5 } as const;

/** How many invalid lines of a file are named. */
const maxNamed = 20;

interface FileResult {
  readonly file: string;
  readonly counts: Record<LineResult, number>;
  /** The numbers of the first invalid lines. */
  readonly invalidLines: number[];
}

export const verifyCommand: Command = {
  operands: '[FILE…]',
  summary:
    'Checks the signatures of audit lines in files or on standard input: CEF, JSON or CPS, one on each line, also gzip, and also as a relay or a SIEM wrapped them.',
  options: {
    jwks: {
      type: 'string',
      value: 'FILE',
      help: "A file with Konnect's public keys (v2/audit-log-webhook/jwks.json).",
    },
    ...konnectOptions('Fetch the public keys from this region, such as us or eu, instead of a file.'),
    output: outputOption,
  },
  exits: {
    [exits.unsigned]: 'a line is unsigned',
    [exits.invalid]: 'a signature is invalid',
    [exits.nothingFound]: 'there is no audit line',
  },
  run: verify,
};

async function verify(args: Arguments, terminal: Terminal): Promise<number> {
  const format = outputFormat(args);
  const keys = await signingKeys(args, terminal);
  limitGarbage();
  const results: FileResult[] = [];
  for (const file of args.operands.length === 0 ? ['-'] : args.operands) {
    const result = await verifyFile(file, keys, terminal);
    for (const line of result.invalidLines) terminal.warn(`${file}:${line}: invalid signature`);
    const more = result.counts.invalid - result.invalidLines.length;
    if (more > 0) terminal.warn(`${file}: ${more} more lines have an invalid signature`);
    results.push(result);
  }
  if (format === 'table') await terminal.print(table(results, terminal));
  else await terminal.print(await toText({ files: results.map(toJSON) }, format));
  return exitCode(results);
}

/** Keeps the memory for the garbage of lines small, which verifies no slower: a large file needs 70 MiB less. */
function limitGarbage(): void {
  // V8 would let the space for new objects grow.
  setFlagsFromString('--semi-space-growth-factor=1');
  // Node cuts small buffers out of a block of memory. A block of 64 KiB lives so long that V8 takes it for an old object, and collects it late.
  Buffer.poolSize = 8 * 1024;
}

async function signingKeys(args: Arguments, terminal: Terminal): Promise<readonly KeyObject[]> {
  const [file, region] = [textOf(args, 'jwks'), textOf(args, 'region')];
  if ((file === undefined) === (region === undefined))
    throw new UsageError("give Konnect's public keys with either --jwks FILE or --region REGION");
  const unusable = (reason: string) =>
    new CommandError(`the public keys of ${file ?? `region ${region ?? ''}`} cannot be used: ${reason}`);
  const jwks =
    file === undefined
      ? await withKonnect(args, terminal, async (connection) => {
          const { LedgerClient } = await import('../konnect/ledger-client.ts');
          return new LedgerClient(connection).signingKeys(connection.region, terminal.signal);
        })
      : parse(await read(file));
  if (jwks === undefined) throw unusable('they are not JSON');
  try {
    return toSigningKeys(jwks);
  } catch (error) {
    throw error instanceof InvalidKeysError ? unusable(error.message) : error;
  }
}

async function read(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw unreadable(file, error);
  }
}

async function verifyFile(file: string, keys: readonly KeyObject[], terminal: Terminal): Promise<FileResult> {
  const counts: FileResult['counts'] = { verified: 0, unsigned: 0, invalid: 0, notAuditLine: 0 };
  const invalidLines: number[] = [];
  const verifyLines = lineVerifier(keys);
  let line = 0;
  for await (const lines of linesOfInput(file, terminal)) {
    for (const result of await verifyLines(lines)) {
      line += 1;
      counts[result] += 1;
      if (result === 'invalid' && invalidLines.length < maxNamed) invalidLines.push(line);
    }
  }
  return { file, counts, invalidLines };
}

function exitCode(results: readonly FileResult[]): number {
  const total = (key: LineResult) => results.reduce((sum, { counts }) => sum + counts[key], 0);
  if (total('invalid') > 0) return exits.invalid;
  if (total('unsigned') > 0) return exits.unsigned;
  return total('verified') > 0 ? exitCodes.ok : exits.nothingFound;
}

function table(results: readonly FileResult[], terminal: Terminal): string {
  const rows = results.map(({ file, counts: { verified, unsigned, invalid, notAuditLine } }) => [
    { text: file === '-' ? 'standard input' : file },
    countCell(verified, 'green'),
    countCell(unsigned, 'yellow'),
    countCell(invalid, 'red'),
    countCell(notAuditLine),
  ]);
  return toTable(['FILE', 'VERIFIED', 'UNSIGNED', 'INVALID', 'NOT AUDIT LINES'], rows, terminal);
}

function toJSON({ file, counts: { verified, unsigned, invalid, notAuditLine }, invalidLines }: FileResult): object {
  return { file, verified, unsigned, invalid, notAuditLines: notAuditLine, invalidLines };
}
