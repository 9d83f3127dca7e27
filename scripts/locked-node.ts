/** Node for Linux as an npm package, in the version and with the checksum of `package-lock.json`. */
import { readFile } from 'node:fs/promises';
import * as z from 'zod';
import manifest from '../package.json' with { type: 'json' };
import type { NpmPackage } from '../sandbox/control-plane/npm-package.ts';

const Lock = z.object({ packages: z.record(z.string(), z.looseObject({ integrity: z.string().optional() })) });

/** The file in the package. */
export const nodeFile = 'package/bin/node';

export async function lockedNode(name: keyof typeof manifest.optionalDependencies): Promise<NpmPackage> {
  const lock = Lock.parse(JSON.parse(await readFile(new URL('../package-lock.json', import.meta.url), 'utf8')));
  const integrity = lock.packages[`node_modules/${name}`]?.integrity ?? '';
  return {
    spec: `${name}@${manifest.optionalDependencies[name]}`,
    sha512: Buffer.from(integrity.replace('sha512-', ''), 'base64').toString('hex'),
  };
}
