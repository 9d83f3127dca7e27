/** `auditlog report`: writes the evidence for an auditor, as one page and as the data that it shows. */
import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { clusterOptions, namespaceFilter, readForwardings, withCluster } from './cluster-connection.ts';
import {
  type Arguments,
  type Command,
  CommandError,
  codeOf,
  exitCodes,
  type Terminal,
  textOf,
  UsageError,
} from './command.ts';
import { readReport } from './report-data.ts';
import { reportPage } from './report-page.ts';
import { timeOf } from './time-option.ts';

const weekMs = 7 * 86_400_000;

export const reportCommand: Command = {
  operands: '',
  summary:
    'Writes a page for an auditor: what is forwarded where, deliveries, gaps, replays, verification and changes.',
  options: {
    output: {
      type: 'string',
      short: 'o',
      value: 'FILE',
      help: 'The page, such as report.html. The data is written beside it, as report.json.',
    },
    from: {
      type: 'string',
      value: 'TIME',
      help: 'A time such as 2026-01-02T03:04:05Z, or how long ago. The default is a week ago.',
    },
    to: { type: 'string', value: 'TIME', help: 'A time, or how long ago. The default is now.' },
    ...namespaceFilter,
    ...clusterOptions,
  },
  exits: {},
  run: report,
};

async function report(args: Arguments, terminal: Terminal): Promise<number> {
  const page = textOf(args, 'output') ?? '';
  if (!/.\.html$/.test(page)) throw new UsageError('name the page, with .html at its end: -o report.html');
  const now = new Date();
  const from = timeOf(args, 'from', now) ?? new Date(now.getTime() - weekMs);
  const to = timeOf(args, 'to', now) ?? now;
  if (from >= to) throw new UsageError('--from must be before --to');
  const namespace = textOf(args, 'namespace');
  const data = await withCluster(args, terminal, async (connection) => {
    const objects = await readForwardings(connection, namespace);
    return readReport(connection.client, objects, namespace, { from, to, now });
  });
  const json = `${JSON.stringify(data, undefined, 2)}\n`;
  const hash = createHash('sha256').update(json).digest('hex');
  const dataFile = page.replace(/html$/, 'json');
  await write(dataFile, json);
  await write(page, reportPage(data, { hash, dataFile: basename(dataFile) }));
  await terminal.print(`${page}\n${dataFile} (SHA-256 ${hash})\n`);
  return exitCodes.ok;
}

async function write(file: string, text: string): Promise<void> {
  try {
    await writeFile(file, text);
  } catch (error) {
    throw new CommandError(
      `${file} cannot be written (${codeOf(error) ?? 'unknown error'}): check the folder and its rights`,
    );
  }
}
