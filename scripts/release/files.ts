/** The files of a release. The same commit gives the same bytes. */
import { createHash } from 'node:crypto';
import { copyFile, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { operatorFile } from '../../sandbox/operator-process.ts';
import { writeKrewPlugin } from '../krew-plugin.ts';
import { packageChart, renderInstallation } from './chart.ts';
import { releaseNotes } from './notes.ts';
import { renderSBOM } from './sbom.ts';

export const sbomName = 'operator.spdx.json';
export const checksumsName = 'checksums.txt';
/** Beside the folder, because it is no file of the release. */
const notesFile = fileURLToPath(new URL('../../dist/release-notes.md', import.meta.url));

export interface Release {
  readonly version: string;
  /** The commit, and its time. */
  readonly commit: string;
  readonly time: Date;
  /** The repository of the image, without a tag. */
  readonly image: string;
  /** The folder on the web that will have the files. */
  readonly url: string;
  readonly dryRun: boolean;
}

const read = (path: string) => readFile(new URL(`../../${path}`, import.meta.url), 'utf8');

export function sha256(content: Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}

/** Writes the files that need no image into an empty folder. Resolves with the path of the chart. `npm run build` has to come first. */
export async function writeFiles(folder: string, helm: string, release: Release): Promise<string> {
  const { version, time, image, url, dryRun } = release;
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  for (const suffix of ['', '.LEGAL.txt']) await copyFile(operatorFile + suffix, join(folder, `operator.js${suffix}`));
  const sbom = renderSBOM({
    version,
    time,
    sha256: sha256(await readFile(operatorFile)),
    packages: await readFile(`${operatorFile}.packages.json`, 'utf8'),
    lock: await read('package-lock.json'),
  });
  await writeFile(join(folder, sbomName), sbom);
  await writeFile(notesFile, releaseNotes(await read('CHANGELOG.md'), version, { dryRun }));
  writeKrewPlugin({ folder, version, url, time });
  return packageChart(folder, { helm, image, time });
}

/** Writes `install.yaml`, which names the image by its digest, and then the checksums of all files. */
export async function writeInstallation(
  folder: string,
  helm: string,
  { version, image }: Release,
  digest: string,
): Promise<void> {
  await writeFile(join(folder, 'install.yaml'), await renderInstallation({ helm, image, digest, version }));
  const names = (await readdir(folder)).filter((name) => name !== checksumsName).toSorted();
  const lines = await Promise.all(
    names.map(async (name) => `${sha256(await readFile(join(folder, name)))}  ${basename(name)}\n`),
  );
  await writeFile(join(folder, checksumsName), lines.join(''));
}
