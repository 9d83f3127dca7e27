import { access, constants } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import type { Peers, Row } from './row.ts';

export interface BenchArguments {
  /** Rows to measure, in the order of the table. */
  readonly rows: readonly string[];
  readonly forwardings: number;
  readonly times: number;
  readonly peers: Peers;
  /** The folder of the results. */
  readonly results: string;
  /** Whether to compare with the results that are already there, in place of writing new ones. */
  readonly isComparison: boolean;
  /** Where the operator writes profiles of its processor time. Absent: it writes none. */
  readonly profiles?: string;
  /** Said in the results, for example that other work shared the machine. */
  readonly note: string;
}

/** Returns the help text. */
export function usage(rows: readonly Row[]): string {
  return `npm run bench -- [ROW…] [--forwardings N] [--times N] [--peer FOLDER] [--compare]

  --forwardings         number of forwardings. Default: 300
  --times               number of runs of each contender. Default: 3
  --peer                folder of the Go sources of another operator, with its CRD in crds/
  --terraform-provider  executable of terraform-provider-konnect
  --terraform           terraform or tofu; the terraform of the PATH unless given
  --kongctl             executable of kongctl
  --results             folder of the results. Default: bench/results
  --compare             writes no results: fails where a ratio is worse than there by more than a third
  --profiles            folder for profiles of the operator's processor time, which cost some of it
  --note                text for the results, for example that other work shared the machine

Rows. Those with a star are measured only if they are named; "all" names every row.
${rows.map(({ name, title, isSlow }) => `  ${(name + (isSlow === true ? ' *' : '')).padEnd(20)}  ${title}\n`).join('')}
See docs/trust/performance.md.
`;
}

/** Returns the arguments. Rejects with a message for the user. */
export async function readArguments(args: readonly string[], rows: readonly Row[]): Promise<BenchArguments> {
  const text = { type: 'string' } as const;
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      forwardings: text,
      times: text,
      peer: text,
      'terraform-provider': text,
      terraform: text,
      kongctl: text,
      results: text,
      profiles: text,
      note: text,
      compare: { type: 'boolean' },
    },
  });
  const number = (name: 'forwardings' | 'times', otherwise: number, most: number) => {
    const value = Number(values[name] ?? otherwise);
    if (Number.isInteger(value) && value >= 1 && value <= most) return value;
    throw new Error(`--${name} must be a whole number from 1 to ${String(most)}`);
  };
  return {
    rows: rowsOf(positionals, rows),
    forwardings: number('forwardings', 300, 20_000),
    times: number('times', 3, 100),
    peers: await peersOf(values),
    results: resolve(values.results ?? 'bench/results'),
    isComparison: values.compare === true,
    ...(values.profiles === undefined ? {} : { profiles: resolve(values.profiles) }),
    note: values.note ?? '',
  };
}

function rowsOf(named: readonly string[], rows: readonly Row[]): string[] {
  const unknown = named.filter((name) => name !== 'all' && !rows.some((row) => row.name === name));
  if (unknown.length > 0) throw new Error(`no row is called ${unknown.join(', ')}`);
  const isWanted = ({ name, isSlow }: Row) =>
    named.length === 0 ? isSlow !== true : named.includes('all') || named.includes(name);
  return rows.filter(isWanted).map(({ name }) => name);
}

type PeerPaths = Readonly<Partial<Record<'peer' | 'terraform-provider' | 'terraform' | 'kongctl', string>>>;

async function peersOf({ peer, terraform = 'terraform', kongctl, ...rest }: PeerPaths): Promise<Peers> {
  const provider = rest['terraform-provider'];
  if (peer !== undefined) {
    await access(join(peer, 'go.mod')).catch((cause: unknown) => {
      throw new Error(`--peer ${peer} has no go.mod: it must be the folder of a Go module`, { cause });
    });
  }
  for (const file of [provider, kongctl]) {
    if (file === undefined) continue;
    await access(file, constants.X_OK).catch((cause: unknown) => {
      throw new Error(`${file} is not an executable file`, { cause });
    });
  }
  return {
    ...(peer === undefined ? {} : { goOperator: resolve(peer) }),
    ...(kongctl === undefined ? {} : { kongctl: resolve(kongctl) }),
    ...(provider === undefined
      ? {}
      : {
          terraform: {
            provider: resolve(provider),
            terraform: terraform.includes('/') ? resolve(terraform) : terraform,
          },
        }),
  };
}
