/** The command `auditlog`: finds the command in the arguments, and turns errors into messages and exit codes. */
import { parseArgs } from 'node:util';
import { type Command, CommandError, codeOf, exitCodes, type Options, type Terminal, UsageError } from './command.ts';
import { complete, toLines } from './complete.ts';

/** The commands, each loaded when it is used. */
const commands: Readonly<Record<string, () => Promise<Command>>> = {
  compare: async () => (await import('./compare.ts')).compareCommand,
  completion: async () => (await import('./completion.ts')).completionCommand,
  diff: async () => (await import('./diff.ts')).diffCommand,
  doctor: async () => (await import('./doctor.ts')).doctorCommand,
  import: async () => (await import('./import.ts')).importCommand,
  plan: async () => (await import('./plan.ts')).planCommand,
  pull: async () => (await import('./pull.ts')).pullCommand,
  reconcile: async () => (await import('./requests.ts')).reconcileCommand,
  replay: async () => (await import('./requests.ts')).replayCommand,
  report: async () => (await import('./report.ts')).reportCommand,
  resume: async () => (await import('./requests.ts')).resumeCommand,
  status: async () => (await import('./status.ts')).statusCommand,
  suspend: async () => (await import('./requests.ts')).suspendCommand,
  verify: async () => (await import('./verify.ts')).verifyCommand,
};

const helpOption: Options = { help: { type: 'boolean', short: 'h', help: 'Print this text.' } };

/** Runs the command in the arguments (without the name of the program). Returns the exit code. Never rejects for an error of the user. */
export async function auditlog(argv: readonly string[], terminal: Terminal): Promise<number> {
  const [name = '--help', ...rest] = argv;
  if (name === '--help' || name === '-h' || name === 'help') {
    await terminal.print(await overview());
    return exitCodes.ok;
  }
  if (name === '__complete') {
    await terminal.print(toLines(await complete(commands, rest)));
    return exitCodes.ok;
  }
  const load = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (load === undefined) {
    terminal.warn(
      `auditlog: unknown command: the commands are ${Object.keys(commands).join(', ')}; see auditlog --help`,
    );
    return exitCodes.invalidUsage;
  }
  try {
    return await run(name, await load(), rest, terminal);
  } catch (error) {
    if (terminal.signal.aborted) {
      terminal.warn(`auditlog ${name}: interrupted`);
      return exitCodes.failed;
    }
    if (!(error instanceof UsageError || error instanceof CommandError)) throw error;
    const hint = error instanceof UsageError ? `; see auditlog ${name} --help` : '';
    terminal.warn(`auditlog ${name}: ${error.message}${hint}`);
    return error instanceof UsageError ? exitCodes.invalidUsage : exitCodes.failed;
  }
}

async function run(name: string, command: Command, argv: readonly string[], terminal: Terminal): Promise<number> {
  const { values, positionals } = parse(command, argv);
  if (values['help'] === true) {
    await terminal.print(helpText(name, command));
    return exitCodes.ok;
  }
  return command.run({ options: values, operands: positionals }, terminal);
}

function parse({ options, operands }: Command, argv: readonly string[]) {
  try {
    return parseArgs({
      args: [...argv],
      options: { ...options, ...helpOption },
      allowPositionals: operands !== '',
    });
  } catch (error) {
    // The messages of Node name the option, and never a value.
    if (codeOf(error)?.startsWith('ERR_PARSE_ARGS') !== true) throw error;
    throw new UsageError(
      String(error)
        .replace(/^.*?: /, '')
        .replace(/\. .*/s, ''),
    );
  }
}

async function overview(): Promise<string> {
  const entries = await Promise.all(
    Object.entries(commands).map(async ([name, load]) => `  ${name.padEnd(10)} ${(await load()).summary}`),
  );
  return [
    'Shows and checks how Konnect forwards its audit logs.',
    '',
    'Usage: auditlog <command> [options]',
    '',
    ...entries,
    '',
    'auditlog <command> --help describes a command. kubectl auditlog is the same program.',
    '',
  ].join('\n');
}

function helpText(name: string, { operands, summary, options, exits }: Command): string {
  const described = Object.entries({ ...options, ...helpOption }).map(([option, { short, value, help }]) => {
    const names = `${short === undefined ? '' : `-${short}, `}--${option}`;
    return `  ${names}${value === undefined ? '' : ` ${value}`}\n      ${help}`;
  });
  const codes = { 0: 'everything is fine', 1: 'the command failed', 2: 'wrong use', ...exits };
  return [
    `Usage: auditlog ${[name, operands, '[options]'].filter((part) => part !== '').join(' ')}`,
    '',
    summary,
    '',
    ...described,
    '',
    `Exit codes: ${Object.entries(codes)
      .map(([code, meaning]) => `${code} ${meaning}`)
      .join(', ')}.`,
    '',
  ].join('\n');
}
