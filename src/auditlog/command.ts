/** What the commands of `auditlog` have in common. */
/** What a command reads and writes. */
export interface Terminal {
  readonly stdin: AsyncIterable<Buffer>;
  /** Writes to standard output. Resolves when more can be written. */
  readonly print: (text: string) => Promise<void>;
  /** Writes a line to standard error. */
  readonly warn: (line: string) => void;
  /** True if standard output is a terminal that shows colors. */
  readonly hasColors: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
}

/** The exit codes of every command. A command adds its own from 3. */
export const exitCodes = { ok: 0, failed: 1, invalidUsage: 2 } as const;

/** A mistake in the command line. The message names the argument and says what to write instead. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** A failure that the user can do something about. The message says what failed and the way out. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
}

/** An option as `util.parseArgs` takes it, with its help. */
export interface OptionHelp {
  readonly type: 'string' | 'boolean';
  readonly short?: string;
  /** Stands for the value in the help text. */
  readonly value?: string;
  readonly help: string;
}

export type Options = Readonly<Record<string, OptionHelp>>;

export interface Arguments {
  readonly options: Readonly<Record<string, string | boolean | undefined>>;
  readonly operands: readonly string[];
}

export interface Command {
  /** The line after the name of the command, such as `[FILE…]`. */
  readonly operands: string;
  readonly summary: string;
  readonly options: Options;
  /** The exit codes beside {@link exitCodes}, with their meaning. */
  readonly exits: Readonly<Record<number, string>>;
  /** Returns the exit code. Throws a {@link UsageError} or a {@link CommandError}. */
  readonly run: (args: Arguments, terminal: Terminal) => Promise<number>;
}

/** Returns Node's code of an error, such as `ENOENT`. Undefined if it has none. */
export function codeOf(error: unknown): string | undefined {
  return typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : undefined;
}

/** Returns the text of an option, or undefined if it was not given. */
export function textOf({ options }: Arguments, name: string): string | undefined {
  const value = options[name];
  return typeof value === 'string' ? value : undefined;
}
