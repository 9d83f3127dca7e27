/** Completes the words of a command line. */
import type { Command, OptionHelp } from './command.ts';

export interface Candidates {
  /** What the last word can become, with a description. */
  readonly words: readonly (readonly [word: string, description: string])[];
  /** True if the last word can also be a file. */
  readonly isFile: boolean;
}

const none: Candidates = { words: [], isFile: false };

/** Returns what the last of `words` can become. `words` are the arguments of the program. */
export async function complete(
  commands: Readonly<Record<string, () => Promise<Command>>>,
  words: readonly string[],
): Promise<Candidates> {
  const [name = '', ...rest] = words;
  const last = rest.at(-1);
  if (last === undefined) {
    const named = Object.entries(commands).filter(([command]) => command.startsWith(name));
    return {
      words: await Promise.all(named.map(async ([command, load]) => [command, (await load()).summary] as const)),
      isFile: false,
    };
  }
  const command = Object.hasOwn(commands, name) ? await commands[name]?.() : undefined;
  if (command === undefined) return none;
  const before = optionNamed(command, rest.at(-2) ?? '');
  if (before?.type === 'string') return valuesOf(before.value ?? '', last);
  if (last.startsWith('-')) return optionsOf(command, last);
  return valuesOf(command.operands.replaceAll(/[[\]\u2026]/g, ''), last);
}

function optionNamed({ options }: Command, word: string): OptionHelp | undefined {
  const [, short, long = ''] = /^(?:-(\w)|--([\w-]+))$/.exec(word) ?? [];
  if (short === undefined) return Object.hasOwn(options, long) ? options[long] : undefined;
  return Object.values(options).find((one) => one.short === short);
}

function optionsOf({ options }: Command, start: string): Candidates {
  const found = Object.entries(options).map(([name, { help }]) => [`--${name}`, help] as const);
  return { words: found.filter(([word]) => word.startsWith(start)), isFile: false };
}

/** Returns the alternatives in a description of values, such as `json|cef`. Words in capitals stand for something else. */
function valuesOf(description: string, start: string): Candidates {
  const words = description
    .split('|')
    .filter((word) => word !== '' && word === word.toLowerCase() && word.startsWith(start));
  return { words: words.map((word) => [word, '']), isFile: description === 'FILE' };
}

/** Returns the candidates as lines, as the completion of kubectl plugins has them: words, then a line with `:0` if files may follow, else `:4`. */
export function toLines({ words, isFile }: Candidates): string {
  const lines = words.map(([word, description]) => (description === '' ? word : `${word}\t${description}`));
  return [...lines, isFile ? ':0' : ':4', ''].join('\n');
}
