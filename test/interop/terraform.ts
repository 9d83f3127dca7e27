import { mkdir, mkdtemp, symlink, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import * as z from 'zod';
import { type Ended, runCommand } from './command.ts';

/** One folder with one state, driven by the real Terraform (or OpenTofu) with the real provider. */
export interface Terraform {
  /** Makes `configuration` the wish and carries it out. Rejects with what Terraform says. */
  apply(configuration: string): Promise<void>;
  /** What `apply` would still do: addresses with their actions; empty where there is nothing left to plan. */
  planned(configuration?: string): Promise<Record<string, string>>;
  /** What the state holds, by address. */
  state(): Promise<Record<string, Readonly<Record<string, unknown>>>>;
  import(address: string, id: string): Promise<void>;
  destroy(): Promise<void>;
}

export interface TerraformOptions {
  /** The `terraform` or `tofu` executable. */
  readonly terraform: string;
  /** The executable of terraform-provider-konnect. */
  readonly provider: string;
  /** Where the folder is made. */
  readonly parent: string;
  /** Template with `{region}`. */
  readonly konnectURL: string;
  readonly token: string;
}

const State = z.object({
  values: z
    .object({
      root_module: z.object({
        resources: z.array(z.object({ address: z.string(), values: z.record(z.string(), z.unknown()) })).optional(),
      }),
    })
    .optional(),
});

const Plan = z.object({
  resource_changes: z.array(z.object({ address: z.string(), change: z.object({ actions: z.array(z.string()) }) })),
});

/** Nothing is downloaded: the provider is named in a configuration file of its own, which needs no `init`. */
export async function terraformIn(options: TerraformOptions): Promise<Terraform> {
  const folder = await mkdtemp(join(options.parent, 'terraform-'));
  const plugins = join(folder, 'plugins');
  await mkdir(plugins);
  await symlink(resolve(options.provider), join(plugins, 'terraform-provider-konnect'));
  const settings = join(folder, 'settings.tfrc');
  await writeFile(settings, `provider_installation {\n  dev_overrides { "kong/konnect" = "${plugins}" }\n}\n`);
  const env = { HOME: folder, TF_CLI_CONFIG_FILE: settings, CHECKPOINT_DISABLE: '1', TF_IN_AUTOMATION: '1' };

  const run = (...args: string[]) => runCommand(options.terraform, args, { folder, env });
  async function succeed(...args: string[]): Promise<Ended> {
    const ended = await run(...args);
    if (ended.code !== 0) throw new Error(`terraform ${args.join(' ')} failed:\n${complaint(ended)}`);
    return ended;
  }
  const wish = (configuration: string) => writeFile(join(folder, 'main.tf'), providers(options) + configuration);

  return {
    async apply(configuration) {
      await wish(configuration);
      await succeed('apply', '-auto-approve', '-input=false', '-no-color');
    },
    async planned(configuration) {
      if (configuration !== undefined) await wish(configuration);
      const args = ['plan', '-detailed-exitcode', '-input=false', '-no-color', '-out=plan'];
      const { code, stdout, stderr } = await run(...args);
      if (code === 0) return {};
      if (code !== 2) throw new Error(`terraform plan failed:\n${complaint({ stdout, stderr })}`);
      const shown = await succeed('show', '-json', 'plan');
      const changes = Plan.parse(JSON.parse(shown.stdout)).resource_changes;
      return Object.fromEntries(
        changes
          .map(({ address, change }) => [address, change.actions.join('+')] as const)
          .filter(([, actions]) => actions !== 'no-op'),
      );
    },
    async state() {
      const { stdout } = await succeed('show', '-json');
      const resources = State.parse(JSON.parse(stdout)).values?.root_module.resources ?? [];
      return Object.fromEntries(resources.map(({ address, values }) => [address, values]));
    },
    async import(address, id) {
      await succeed('import', '-input=false', '-no-color', address, id);
    },
    async destroy() {
      await succeed('destroy', '-auto-approve', '-input=false', '-no-color');
    },
  };
}

/** From the first error on: what comes before shows the plan, authorizations and all. */
function complaint({ stdout, stderr }: Pick<Ended, 'stdout' | 'stderr'>): string {
  const all = stdout + stderr;
  return all.slice(Math.max(0, all.indexOf('Error: ')));
}

/** Destinations are made on `global`, webhooks on their region's host. */
function providers({ konnectURL, token }: TerraformOptions): string {
  const provider = (region: string, alias: string) => `
provider "konnect" {
  ${alias}
  server_url            = ${JSON.stringify(konnectURL.replace('{region}', region))}
  personal_access_token = ${JSON.stringify(token)}
}
`;
  const required = 'terraform {\n  required_providers {\n    konnect = { source = "kong/konnect" }\n  }\n}\n';
  return required + provider('global', '') + provider('us', 'alias = "us"');
}

export interface DestinationWish {
  readonly name: string;
  readonly endpoint: string;
  readonly authorization: string;
  readonly log_format?: 'cef' | 'json' | 'cps';
  readonly skip_ssl_verification?: boolean;
}

export const addresses = {
  destination: (label: string) => `konnect_audit_log_destination.${label}`,
  portal: 'konnect_portal_audit_log_webhook.portal',
  organization: 'konnect_audit_log.organization',
};

export function destinationBlock(label: string, wish: DestinationWish): string {
  return block('konnect_audit_log_destination', label, { ...wish });
}

/** `destination`: the label of a destination of the same configuration, or an id. */
export function portalBlock(wish: {
  portal: string;
  destination: { label: string } | string;
  enabled: boolean;
}): string {
  const { portal, destination, enabled } = wish;
  const id = typeof destination === 'string' ? destination : `\${${addresses.destination(destination.label)}.id}`;
  return block('konnect_portal_audit_log_webhook', 'portal', {
    portal_id: portal,
    audit_log_destination_id: id,
    enabled,
  });
}

export function organizationBlock(wish: Omit<DestinationWish, 'name'> & { enabled: boolean }): string {
  return block('konnect_audit_log', 'organization', { ...wish });
}

function block(type: string, label: string, fields: Readonly<Record<string, string | boolean>>): string {
  const lines = Object.entries(fields).map(([name, value]) => `  ${name} = ${JSON.stringify(value)}\n`);
  const provider = type === 'konnect_audit_log_destination' ? '' : '  provider = konnect.us\n';
  return `resource "${type}" "${label}" {\n${provider}${lines.join('')}}\n`;
}
