import { parseArgs } from 'node:util';

export interface SoakArguments {
  readonly minutes: number;
  /** How many there are at each rest. */
  readonly forwardings: number;
  /** What people and the weather do follows from it. */
  readonly seed: number;
  /** How long each storm is. */
  readonly stormSeconds: number;
}

export const usage = `npm run soak -- [--minutes N] [--forwardings N] [--storm SECONDS] [--seed N]

  --minutes      how long, at least three rounds of storm and rest; 60 unless given
  --forwardings  how many there are at each rest; 60 unless given
  --storm        how long each storm is, in seconds; 150 unless given
  --seed         of everything that is left to chance; another one each time unless given
`;

/** @throws {Error} with what is wrong, for the person who called */
export function readArguments(args: readonly string[], random: () => number): SoakArguments {
  const text = { type: 'string' } as const;
  const options = { minutes: text, forwardings: text, storm: text, seed: text };
  const { values } = parseArgs({ args: [...args], options });
  const number = (name: keyof typeof options, otherwise: number, most: number) => {
    const value = Number(values[name] ?? otherwise);
    if (Number.isInteger(value) && value >= 1 && value <= most) return value;
    throw new Error(`--${name} must be a whole number from 1 to ${String(most)}`);
  };
  return {
    minutes: number('minutes', 60, 7 * 24 * 60),
    forwardings: number('forwardings', 60, 600),
    stormSeconds: number('storm', 150, 3_600),
    seed: number('seed', 1 + Math.floor(random() * 999_999), 999_999),
  };
}
