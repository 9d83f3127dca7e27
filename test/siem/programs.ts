/** The real receivers: built with Go or unpacked from Debian's packages, once, into the cache of the sandbox. */
import { execFile } from 'node:child_process';
import { access, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { promisify } from 'node:util';
import { cacheFolder, intoPlace, thisMachine } from '../../sandbox/control-plane/binaries.ts';
import { withLock } from '../../sandbox/control-plane/lock.ts';

const run = promisify(execFile);

interface GoTool {
  readonly name: string;
  readonly module: string;
  readonly version: string;
  readonly tags?: readonly string[];
}

/** The log store. */
export const victoriaLogs: GoTool = {
  name: 'victoria-logs',
  module: 'github.com/VictoriaMetrics/VictoriaLogs/app/victoria-logs',
  version: 'v1.52.1',
};

/** The relay, with the plugins of docs/siem/relay.md only: all of them take ten times as long to build. */
export const telegraf: GoTool = {
  name: 'telegraf',
  module: 'github.com/influxdata/telegraf/cmd/telegraf',
  version: 'v1.37.2',
  tags: ['custom', 'inputs.http_listener_v2', 'outputs.http', 'parsers.grok', 'parsers.value', 'serializers.template'],
};

/** Resolves with the folder of the executable. Builds it with the versions that its own module names. */
export async function ensureGoTool(tool: GoTool, progress: (line: string) => void): Promise<string> {
  return cached({ name: `${tool.name}-${tool.version}`, file: tool.name, progress }, async (folder) => {
    progress(`building ${tool.name} ${tool.version} with Go: a few minutes, once`);
    const flags = ['-trimpath', '-buildvcs=false', '-gcflags=all=-dwarf=false', '-ldflags', '-s -w'];
    const tags = tool.tags === undefined ? [] : ['-tags', tool.tags.join(',')];
    await run('go', ['install', ...flags, ...tags, `${tool.module}@${tool.version}`], {
      cwd: folder,
      env: { ...process.env, CGO_ENABLED: '0', GOBIN: folder, GOFLAGS: '' },
    });
  });
}

/** Resolves with the folder of an executable of Debian or Ubuntu: that on the PATH, else one from their packages, which are not installed. */
export async function ensureDebianTool(
  executable: string,
  packages: readonly string[],
  progress: (line: string) => void,
): Promise<string> {
  const { stdout } = await run('sh', ['-c', `command -v ${executable} || true`]);
  if (stdout.trim() !== '') return join(stdout.trim(), '..');
  return cached({ name: `debian-${executable}`, file: executable, progress }, async (folder) => {
    progress(`downloading the packages ${packages.join(', ')}`);
    // Flat, so that one folder is on the PATH and on that of the libraries.
    const script = `apt-get download --quiet "$@" && mkdir root && for file in *.deb; do dpkg -x "$file" root; done &&
      rm -- *.deb && find root \\( -path '*bin/*' -o -name '*.so*' \\) ! -type d -exec cp -P {} . ';' && rm -r root`;
    await run('sh', ['-c', script, 'sh', ...packages], { cwd: folder });
  });
}

interface Cached {
  readonly name: string;
  readonly file: string;
  readonly progress: (line: string) => void;
}

async function cached({ name, file, progress }: Cached, fill: (folder: string) => Promise<void>): Promise<string> {
  const { platform, arch } = process;
  const cache = cacheFolder(thisMachine());
  const target = join(cache, `${name}-${platform}-${arch}`);
  const isThere = await access(join(target, file)).then(
    () => true,
    () => false,
  );
  if (isThere) return target;
  await mkdir(cache, { recursive: true });
  // Another process removes unfinished folders, if it holds the lock.
  await withLock(join(cache, 'lock'), { progress }, () => intoPlace(cache, target, fill));
  return target;
}
