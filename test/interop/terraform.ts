import { mkdir, mkdtemp, symlink, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import * as z from 'zod';
import { type Ended, runCommand } from './command.ts';

/** One folder with one state, for the real Terraform (or OpenTofu) with the real provider. */
export interface Terraform {
  /** Writes the configuration and applies it. Rejects with the output of Terraform. */
  apply(configuration: string): Promise<void>;
  /** Resolves with the actions that `apply` would still run, by address. */
  planned(configuration?: string): Promise<Record<string, string>>;
  /** Resolves with the attributes in the state, by address. */
  state(): Promise<Record<string, Readonly<Record<string, unknown>>>>;
  import(address: string, id: string): Promise<void>;
  destroy(): Promise<void>;
}

export interface TerraformOptions {
  /** The `terraform` or `tofu` executable. */
  readonly terraform: string;
  /** The executable of terraform-provider-konnect. */
  readonly provider: string;
  /** The parent of the folder. */
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

/** Prepares the folder without a download: a configuration file names the provider, so `init` is not necessary. */
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

/** Returns the output from the first error on. The output before it shows the plan with authorizations. */
function complaint({ stdout, stderr }: Pick<Ended, 'stdout' | 'stderr'>): string {
  const all = stdout + stderr;
  return all.slice(Math.max(0, all.indexOf('Error: ')));
}

/** Returns the provider blocks: destinations use the host `global`, webhooks that of their region. */
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

export interface DestinationConfig {
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

export function destinationBlock(label: string, wish: DestinationConfig): string {
  return block('konnect_audit_log_destination', label, { ...wish });
}

/** Returns a webhook block. `destination` is the label of a destination in the same configuration, or an ID. */
export function portalBlock(wish: {
  portal: string;
  destination: { label: string } | string;
  enabled: boolean;
  /** The label of the block. Default: that of {@link addresses}. */
  label?: string;
}): string {
  const { portal, destination, enabled, label = 'portal' } = wish;
  const id = typeof destination === 'string' ? destination : `\${${addresses.destination(destination.label)}.id}`;
  return block('konnect_portal_audit_log_webhook', label, {
    portal_id: portal,
    audit_log_destination_id: id,
    enabled,
  });
}

export function organizationBlock(wish: Omit<DestinationConfig, 'name'> & { enabled: boolean }): string {
  return block('konnect_audit_log', 'organization', { ...wish });
}

function block(type: string, label: string, fields: Readonly<Record<string, string | boolean>>): string {
  const lines = Object.entries(fields).map(([name, value]) => `  ${name} = ${JSON.stringify(value)}\n`);
  const provider = type === 'konnect_audit_log_destination' ? '' : '  provider = konnect.us\n';
  return `resource "${type}" "${label}" {\n${provider}${lines.join('')}}\n`;
}
