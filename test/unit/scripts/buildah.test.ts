import { describe, expect, test } from '@jest/globals';
import { type Machine, missingRequirement } from '../../../scripts/buildah.ts';

/** Returns a machine with these programs, and a list of its calls. The test decides whether apt-get succeeds. */
function machine(
  programs: readonly string[],
  { apt = () => true, ...rest }: Partial<Machine> & { apt?: (verb: string) => boolean } = {},
) {
  const installed = new Set(programs);
  const calls: string[] = [];
  const run: Machine['run'] = (file, args) => {
    const [verb = ''] = args;
    if (!installed.has(file)) return { ok: false, output: '' };
    if (verb === '--version') return { ok: true, output: '1.28\n' };
    calls.push([file, ...args].join(' '));
    const ok = apt(verb);
    if (ok && verb === 'install') installed.add('buildah');
    return { ok, output: ok ? '' : 'E: Unable to locate package buildah\n' };
  };
  return { calls, machine: { platform: 'linux', isRoot: true, run, ...rest } };
}

function check(one: Machine, install = true): { message: string | undefined; lines: string[] } {
  const lines: string[] = [];
  return { message: missingRequirement(one, { install, progress: (line) => lines.push(line) }), lines };
}

test('if buildah is installed, the check installs nothing and prints nothing', () => {
  const { calls, machine: one } = machine(['buildah', 'apt-get']);
  expect(check(one)).toEqual({ message: undefined, lines: [] });
  expect(calls).toEqual([]);
});

test('if buildah is missing, root installs it without a prompt', () => {
  const { calls, machine: one } = machine(['apt-get']);
  expect(check(one)).toEqual({ message: undefined, lines: [expect.stringContaining('installing buildah')] });
  expect(calls).toEqual(['apt-get install --yes --quiet=2 --no-install-recommends buildah']);
});

test('missing or old lists of packages are updated', () => {
  let isUpdated = false;
  const { calls, machine: one } = machine(['apt-get'], {
    apt(verb) {
      if (verb === 'update') isUpdated = true;
      return isUpdated;
    },
  });
  expect(check(one).message).toBeUndefined();
  expect(calls.map((line) => line.split(' ')[1])).toEqual(['install', 'update', 'install']);
});

describe('if buildah cannot be installed, one message names the requirement and the alternative', () => {
  test.each<[string, Machine, string[]]>([
    [
      'another system',
      { ...machine([]).machine, platform: 'darwin' },
      ['Linux, but this is darwin', 'virtual machine'],
    ],
    ['another user', { ...machine(['buildah']).machine, isRoot: false }, ['root', 'Run it as root']],
    ['a system without apt-get', machine([]).machine, ['buildah', 'https://github.com/containers/buildah']],
    [
      'a package that apt-get cannot install',
      machine(['apt-get'], { apt: () => false }).machine,
      ['could not install', 'E: Unable to locate package buildah'],
    ],
  ])('%s', (_what, one, words) => {
    const { message } = check(one);
    for (const word of [...words, 'The image cannot be tested here', '.ci/run --without-image']) {
      expect(message).toContain(word);
    }
  });

  test('a run that must not change the machine', () => {
    const { calls, machine: one } = machine(['apt-get']);
    expect(check(one, false).message).toContain('npm run test:image -- --prepare');
    expect(calls).toEqual([]);
  });
});
