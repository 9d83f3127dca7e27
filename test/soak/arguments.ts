import { parseArgs } from 'node:util';

export interface SoakArguments {
  readonly minutes: number;
  /** Number of forwardings at the end of each round. */
  readonly forwardings: number;
  /** Seed of all changes and faults. */
  readonly seed: number;
  /** Duration of the faults in each round. */
  readonly stormSeconds: number;
}

export const usage = `npm run soak -- [--minutes N] [--forwardings N] [--storm SECONDS] [--seed N]

  --minutes      duration; at least three rounds are run. Default: 60
  --forwardings  number of forwardings at the end of each round. Default: 60
  --storm        duration of the faults in each round, in seconds. Default: 150
  --seed         seed of all changes and faults. Default: random
`;

/** Returns the arguments. Throws an error with a message for the user. */
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
    forwardings: number('forwardings', 60, 2_000),
    stormSeconds: number('storm', 150, 3_600),
    seed: number('seed', 1 + Math.floor(random() * 999_999), 999_999),
  };
}
