import { access, constants } from 'node:fs/promises';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';

export interface PeerTools {
  /** Without it, the provider is not checked. */
  readonly terraform?: { readonly terraform: string; readonly provider: string };
  /** Without it, kongctl is not checked. */
  readonly kongctl?: string;
}

export const usage = `npm run test:peers -- [--terraform-provider FILE [--terraform FILE]] [--kongctl FILE]

  --terraform-provider  the executable of terraform-provider-konnect
  --terraform           terraform or tofu; the terraform of the PATH unless given
  --kongctl             the executable of kongctl

At least one of the two peers. See docs/develop/peers.md.
`;

/** Returns the arguments. Rejects with a message for the user. */
export async function readArguments(args: readonly string[]): Promise<PeerTools> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      'terraform-provider': { type: 'string' },
      terraform: { type: 'string' },
      kongctl: { type: 'string' },
    },
  });
  const { 'terraform-provider': provider, terraform = 'terraform', kongctl } = values;
  if (provider === undefined && kongctl === undefined)
    throw new Error('neither --terraform-provider nor --kongctl is given');
  for (const file of [provider, kongctl]) if (file !== undefined) await executable(file);
  return {
    ...(provider === undefined
      ? {}
      : {
          terraform: {
            terraform: terraform.includes('/') ? resolve(terraform) : terraform,
            provider: resolve(provider),
          },
        }),
    ...(kongctl === undefined ? {} : { kongctl: resolve(kongctl) }),
  };
}

async function executable(file: string): Promise<void> {
  await access(file, constants.X_OK).catch((cause: unknown) => {
    throw new Error(`${file} is not an executable file`, { cause });
  });
}
