import { describe, expect, test } from '@jest/globals';
import { type Machine, missingRequirement } from '../../../scripts/buildah.ts';

/** A machine on which `programs` are there, and apt-get does what the test says. */
function machine(
  programs: readonly string[],
  { apt = () => true, ...rest }: Partial<Machine> & { apt?: (verb: string) => boolean } = {},
) {
  const there = new Set(programs);
  const asked: string[] = [];
  const run: Machine['run'] = (file, args) => {
    const [verb = ''] = args;
    if (!there.has(file)) return { ok: false, output: '' };
    if (verb === '--version') return { ok: true, output: '1.28\n' };
    asked.push([file, ...args].join(' '));
    const ok = apt(verb);
    if (ok && verb === 'install') there.add('buildah');
    return { ok, output: ok ? '' : 'E: Unable to locate package buildah\n' };
  };
  return { asked, machine: { platform: 'linux', isRoot: true, run, ...rest } };
}

function lack(one: Machine, install = true): { said: string | undefined; lines: string[] } {
  const lines: string[] = [];
  return { said: missingRequirement(one, { install, progress: (line) => lines.push(line) }), lines };
}

test('where buildah is there, nothing is installed and nothing is said', () => {
  const { asked, machine: one } = machine(['buildah', 'apt-get']);
  expect(lack(one)).toEqual({ said: undefined, lines: [] });
  expect(asked).toEqual([]);
});

test('where it is not, root installs it, without being asked anything', () => {
  const { asked, machine: one } = machine(['apt-get']);
  expect(lack(one)).toEqual({ said: undefined, lines: [expect.stringContaining('installing buildah')] });
  expect(asked).toEqual(['apt-get install --yes --quiet=2 --no-install-recommends buildah']);
});

test('lists of packages that are missing or old are brought up to date', () => {
  let isUpdated = false;
  const { asked, machine: one } = machine(['apt-get'], {
    apt(verb) {
      if (verb === 'update') isUpdated = true;
      return isUpdated;
    },
  });
  expect(lack(one).said).toBeUndefined();
  expect(asked.map((line) => line.split(' ')[1])).toEqual(['install', 'update', 'install']);
});

describe('where it cannot be done, one message says what it takes and what to do instead', () => {
  test.each<[string, Machine, string[]]>([
    [
      'another system',
      { ...machine([]).machine, platform: 'darwin' },
      ['Linux, but this is darwin', 'virtual machine'],
    ],
    ['another user', { ...machine(['buildah']).machine, isRoot: false }, ['root', 'Run it as root']],
    ['a system without apt-get', machine([]).machine, ['buildah', 'https://github.com/containers/buildah']],
    [
      'a package that cannot be had',
      machine(['apt-get'], { apt: () => false }).machine,
      ['could not install', 'E: Unable to locate package buildah'],
    ],
  ])('%s', (_what, one, words) => {
    const { said } = lack(one);
    for (const word of [...words, 'The image cannot be tested here', '.ci/run --without-image']) {
      expect(said).toContain(word);
    }
  });

  test('a run that is not to change the machine', () => {
    const { asked, machine: one } = machine(['apt-get']);
    expect(lack(one, false).said).toContain('npm run test:image -- --prepare');
    expect(asked).toEqual([]);
  });
});
