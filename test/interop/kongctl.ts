import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { type CommandOptions, type Ended, type Running, runCommand, startCommand } from './command.ts';
import type { PublicHosts } from './public-hosts.ts';

/** The real kongctl, with its own home. */
export interface Kongctl {
  readonly home: string;
  /** Runs `kongctl api` with the plain http of the local Konnect. Resolves with the parsed answer. */
  api(method: 'get' | 'post' | 'patch' | 'delete', region: string, path: string, ...fields: string[]): Promise<unknown>;
  /** Runs any command, through the public hosts. Rejects with the output of kongctl on failure. */
  run(...args: string[]): Promise<Ended>;
  /** Runs any command, and resolves with its output as parsed JSON. */
  json(...args: string[]): Promise<unknown>;
  start(...args: string[]): Running;
}

export interface KongctlOptions {
  /** The executable. */
  readonly kongctl: string;
  /** The folder of its home. */
  readonly parent: string;
  /** Template with `{region}`. */
  readonly konnectURL: string;
  readonly hosts: Pick<PublicHosts, 'proxyURL' | 'authorityFile'>;
  readonly token: string;
}

/** Prepares kongctl without telemetry. It can reach only the local Konnect. */
export async function kongctlIn({ kongctl, parent, konnectURL, hosts, token }: KongctlOptions): Promise<Kongctl> {
  const home = await mkdtemp(join(parent, 'kongctl-'));
  const options: CommandOptions = {
    folder: home,
    env: {
      HOME: home,
      XDG_CONFIG_HOME: join(home, 'config'),
      DO_NOT_TRACK: '1',
      KONGCTL_NO_TELEMETRY: 'true',
      KONGCTL_DEFAULT_KONNECT_PAT: token,
      HTTPS_PROXY: hosts.proxyURL,
      HTTP_PROXY: hosts.proxyURL,
      NO_PROXY: '127.0.0.1',
      SSL_CERT_FILE: hosts.authorityFile,
      TERM: 'dumb',
    },
  };

  async function run(...args: string[]): Promise<Ended> {
    const ended = await runCommand(kongctl, args, options);
    if (ended.code !== 0) throw new Error(`kongctl ${args.join(' ')} failed:\n${ended.stdout}${ended.stderr}`);
    return ended;
  }
  async function json(...args: string[]): Promise<unknown> {
    const { stdout } = await run(...args);
    const parsed: unknown = stdout.trim() === '' ? undefined : JSON.parse(stdout);
    return parsed;
  }

  return {
    home,
    run,
    json: (...args) => json(...args, '--output', 'json'),
    api: (method, region, path, ...fields) =>
      json('api', method, path, ...fields, '--base-url', konnectURL.replace('{region}', region), '--output', 'json'),
    start: (...args) => startCommand(kongctl, args, options),
  };
}
