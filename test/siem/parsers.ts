/** Checks what docs/siem/parsers.md says, with the parsers themselves. */
import { execFile } from 'node:child_process';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { promisify } from 'node:util';
import type { Reporter } from '../interop/reporter.ts';
import { ensureProgram, type GoProgram } from '../validators/build.ts';
import { ensureDebianTool } from './programs.ts';
import { sampleLines, traceIDs } from './sample-lines.ts';
import { expectRows } from './table.ts';

const run = promisify(execFile);
const sources = join(import.meta.dirname, 'parsers');
const pythonPackages = ['pycef==1.11', 'cefp==0.0.2', 'jc==1.26.1', 'vrl-python==0.1.0', 'jq==1.11.0'];
const npmPackages = ['nsyslog-parser@0.10.1'];

const goParser = (name: string): GoProgram => ({
  name,
  module: join(sources, name),
  package: '.',
  duration: 'a minute, once',
});

/** What a parser read from a line: fields, or what it said instead, under `!`. */
type Fields = ReadonlyMap<string, string>;
type Read = ReadonlyMap<string, readonly Fields[]>;

/** The lines that the columns of the table are about, in their order. */
function lines(): readonly string[] {
  const [plain = '', empty = '', escaped = ''] = sampleLines('cef');
  const fromCEF = (line: string) => line.slice(line.indexOf('CEF:'));
  return [
    plain,
    fromCEF(empty),
    fromCEF(escaped),
    fromCEF(escaped).replaceAll(String.raw`\=`, '='),
    sampleLines('json')[0] ?? '',
  ];
}

export async function runParsers(reporter: Reporter, progress: (line: string) => void): Promise<void> {
  reporter.section('docs/siem/parsers.md');
  const folder = await mkdtemp(join(tmpdir(), 'parsers-'));
  try {
    const read = readOutput(await outputs(folder, progress));
    await reporter.check('the tables show what the parsers read', () => {
      const rows = [...read].map(([parser, found]) =>
        found[0] === undefined ? [parser, traceID(found[4])] : [parser, ...cells(found)],
      );
      expectRows('docs/siem/parsers.md', rows);
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Resolves with the output of every program: parser, number of the line, key and value, with tabs between. */
async function outputs(folder: string, progress: (line: string) => void): Promise<string[]> {
  const cefLines = lines().slice(0, 4).join('\n');
  const all = lines().join('\n');
  const python = join(folder, 'python/bin');
  progress('installing the parsers of PyPI, npm and Maven');
  await run('python3', ['-m', 'venv', join(folder, 'python')]);
  await run(join(python, 'pip'), ['install', '--quiet', '--disable-pip-version-check', ...pythonPackages]);
  await run('npm', ['install', '--silent', '--no-save', '--prefix', folder, ...npmPackages]);
  await cp(join(sources, 'pom.xml'), join(folder, 'pom.xml'));
  const copy = ['-q', '-B', 'dependency:copy-dependencies', '-DoutputDirectory=java'];
  await run('mvn', copy, { cwd: folder });
  const liblognorm = ['liblognorm-utils', 'liblognorm5', 'libfastjson4', 'libestr0'];
  const lognormalizer = await ensureDebianTool('lognormalizer', liblognorm, progress);
  const env = { ...process.env, NODE_PATH: join(folder, 'node_modules'), LD_LIBRARY_PATH: lognormalizer };
  const rules = join(sources, 'konnect.rulebase');
  return [
    await output(join(python, 'python'), [join(sources, 'parse.py')], all, env),
    await output(process.execPath, [join(sources, 'parse.cjs')], cefLines, env),
    await output('java', ['-cp', join(folder, 'java/*'), join(sources, 'Parse.java')], cefLines, env),
    await output(await ensureProgram(goParser('decode-cef'), { progress }), [], cefLines, env),
    await output(await ensureProgram(goParser('ottl'), { progress }), [], all, env),
    fromLiblognorm(await output(join(lognormalizer, 'lognormalizer'), ['-r', rules], cefLines, env)),
  ];
}

async function output(
  command: string,
  args: readonly string[],
  input: string,
  env: NodeJS.ProcessEnv,
): Promise<string> {
  const running = run(command, args, { env });
  running.child.stdin?.end(`${input}\n`);
  return (await running).stdout;
}

/** Returns the JSON of liblognorm in the form of the other parsers. */
function fromLiblognorm(json: string): string {
  const rows = json
    .trim()
    .split('\n')
    .flatMap((line, number) => {
      const { extension } = JSON.parse(line);
      const fields: Readonly<Record<string, string>> = extension?.Extensions ?? { '!': 'unparsed' };
      return Object.entries(fields).map(([key, value]) => ['liblognorm', number, key, value].join('\t'));
    });
  return rows.join('\n');
}

function readOutput(texts: readonly string[]): Read {
  const read = new Map<string, Map<string, string>[]>();
  for (const row of texts.join('\n').split('\n')) {
    const [parser = '', number = '', key = '', ...value] = row.split('\t');
    if (value.length === 0) continue;
    const found = read.get(parser) ?? [];
    read.set(parser, found);
    const fields = found[Number(number)] ?? new Map<string, string>();
    found[Number(number)] = fields;
    fields.set(key, value.join('\t'));
  }
  return read;
}

/** Returns the cells of a row about CEF: the prefix, an empty value, an escaped and a bare equals sign, and the ID. */
function cells([whole, empty, escaped, bare]: readonly Fields[]): string[] {
  return [isLost(whole) ? 'refused' : 'read', emptyValue(empty), userAgent(escaped), userAgent(bare), traceID(empty)];
}

function emptyValue(fields: Fields | undefined): string {
  if (isLost(fields)) return eventLost;
  const value = fields?.get('user_agent');
  if (value === '') return 'kept';
  return value === undefined ? 'lost' : 'wrong';
}

const eventLost = 'the event is lost';

function isLost(fields: Fields | undefined): boolean {
  return fields?.has('!') !== false;
}

const sent = 'terraform/1.9 (lang=go; os=linux)';

function userAgent(fields: Fields | undefined): string {
  if (isLost(fields)) return eventLost;
  const value = fields?.get('user_agent');
  if (value === undefined) return 'lost';
  if (value === sent) return 'right';
  return value.replaceAll('\\', '') === sent ? 'backslashes stay' : 'split';
}

function traceID(fields: Fields | undefined): string {
  if (isLost(fields)) return eventLost;
  const value = fields?.get('trace_id');
  if (value === undefined) return 'lost';
  return traceIDs.some((id) => id === value) ? 'exact' : 'changed';
}
