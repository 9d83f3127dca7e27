/** The chart as an archive, and all that it installs as one file. */
import { execFile } from 'node:child_process';
import { chmod, cp, mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { renderCRD } from '../crd.ts';
import { chartFolder, renderTexts } from '../render.ts';

export interface ChartOptions {
  /** The path of the executable. */
  readonly helm: string;
  /** The repository of the image, without a tag. */
  readonly image: string;
}

/** Writes the archive into `folder`, and resolves with its path. Its files have the given time, so that the same commit gives the same bytes. */
export async function packageChart(
  folder: string,
  { helm, image, time }: ChartOptions & { readonly time: Date },
): Promise<string> {
  const temporary = await mkdtemp(join(tmpdir(), 'chart-'));
  try {
    const copy = join(temporary, basename(chartFolder));
    await cp(chartFolder, copy, { recursive: true });
    await replaceIn(
      join(copy, 'values.yaml'),
      /^ {2}# The default names no registry.*\n {2}repository: .*$/m,
      `  repository: ${image}`,
    );
    await replaceIn(
      join(copy, 'README.md'),
      /^\| `image.repository` \|.*$/m,
      `| \`image.repository\` | \`${JSON.stringify(image)}\` | Repository of the image. |`,
    );
    for (const entry of await readdir(copy, { recursive: true, withFileTypes: true })) {
      const path = join(entry.parentPath, entry.name);
      if (entry.isFile()) await chmod(path, 0o644);
      await utimes(path, time, time);
    }
    const { stdout } = await promisify(execFile)(helm, ['package', copy, `--destination=${folder}`]);
    return join(folder, basename(stdout.trim()));
  } finally {
    await rm(temporary, { recursive: true });
  }
}

/** Resolves with the namespace, the CRD and what the chart installs by default. The image is named by its digest. */
export async function renderInstallation({
  helm,
  image,
  digest,
  version,
}: ChartOptions & { readonly digest: string; readonly version: string }): Promise<string> {
  const namespace = await readFile(new URL('../../deploy/namespace.yaml', import.meta.url), 'utf8');
  const objects = await renderTexts(helm, [`image.repository=${image}`, `image.digest=${digest}`]);
  const crd = renderCRD().replace(/^# .*\n/, '');
  const texts = [namespace, crd, objects].map((text) => text.trim());
  return `# konnect-audit-log-operator ${version}: kubectl apply -f install.yaml\n${texts.join('\n---\n')}\n`;
}

/** Replaces a part of a file. Throws if the file lacks it. */
async function replaceIn(file: string, part: RegExp, text: string): Promise<void> {
  const before = await readFile(file, 'utf8');
  if (!part.test(before)) throw new Error(`${file} has no ${part.source}`);
  await writeFile(
    file,
    before.replace(part, () => text),
  );
}
