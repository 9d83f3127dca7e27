/** Plays the steps of docs/use/another-cluster.md with two clusters and one Konnect, and looks at Konnect at every moment. */
import { describe, expect, test } from '@jest/globals';
import * as z from 'zod';
import { Spec } from '../../src/api/v1alpha1.ts';
import { key, type SpecChoice, usual } from '../support/forwarding-spec.ts';
import { forum, sharedSiem, shop, siem } from '../support/konnect-fixtures.ts';
import type { Harness } from '../unit/forwarding/support/harness.ts';
import { useHarness } from '../unit/forwarding/support/use-harness.ts';
import { document } from './documents.ts';
import { scriptsOf } from './scripts.ts';

const { open, openBeside } = useHarness();
const page = document('docs/use/another-cluster.md');
const [, steps = ''] = page.split('## The steps');
const [recipe = ''] = steps.split('\n## ');

interface Step {
  readonly where: 'old' | 'new';
  readonly command: string;
}

/** The commands of the recipe, in order, each with the cluster that the text before it names. */
const commands = recipe
  .split(/^\*\*In the /m)
  .slice(1)
  .flatMap((part): Step[] => {
    const where = part.startsWith('old') ? 'old' : 'new';
    return scriptsOf(part).flatMap(({ text }) => text.split('\n').map((command) => ({ where, command })));
  });

const Patch = z.object({ spec: z.record(z.string(), z.unknown()) });

/** Runs one command of the recipe on a cluster in memory, and then lets its operator work. Throws if the command does not succeed. */
async function run(harness: Harness, command: string, create: () => void): Promise<void> {
  const [, verb = ''] = command.split(' ');
  const patch = /^kubectl patch auditlogforwarding sumologic -n platform --type=merge -p '(.+)'$/.exec(command)?.[1];
  switch (verb) {
    case 'apply':
      create();
      break;
    case 'patch':
      harness.cluster.edit((spec) => Spec.parse({ ...spec, ...Patch.parse(JSON.parse(patch ?? '')).spec }));
      break;
    case 'delete':
      harness.delete();
      break;
    case 'wait':
      if (!harness.readiness.startsWith('True')) throw new Error(`timed out: ${harness.readiness}`);
      break;
    default:
      throw new Error(`this test does not know the command: ${command}`);
  }
  await harness.work();
}

test('the recipe has seven commands, of which those in the old cluster come first and last', () => {
  expect(commands.map(({ where }) => where)).toEqual(['old', 'new', 'new', 'new', 'new', 'old', 'old']);
});

const v2: SpecChoice = { ...usual, api: 'v2' };
describe.each([
  ['a SumoLogic URL', siem, usual],
  ['a Splunk URL', sharedSiem, usual],
  ['a SumoLogic URL, v2', siem, v2],
  ['a Splunk URL, v2', sharedSiem, v2],
])('with %s', (_title, credentials, choice) => {
  test.each([
    ['without names of the clusters', '', '', choice, [key]],
    ['with names of the clusters', 'old', 'new', choice, [`old/${key}`, `new/${key}`]],
    [
      'with names, and the name of the destination kept',
      'old',
      'new',
      { ...choice, name: `old/${key}` },
      [`old/${key}`],
    ],
  ])('Konnect forwards at every moment, %s', async (_name, oldName, newName, choiceInNew, destinations) => {
    const old = await open(choice);
    old.cluster.putSecret('siem', credentials);
    old.restart({ clusterName: oldName });
    await old.work();
    expect(old.readiness).toBe('True InSync');

    const fresh = await openBeside(old, choiceInNew);
    fresh.cluster.putSecret('siem', credentials);
    const isOn = () =>
      [old.portal(shop), old.portal(forum), old.webhook()].every(
        ({ enabled, target }) => enabled && target.kind !== 'none',
      );
    const offAfter: string[] = [];
    let during = '';
    for (const one of [old, fresh])
      one.onKonnectCall = () => {
        if (!isOn()) offAfter.push(during);
      };
    for (const { where, command } of commands) {
      during = command;
      const harness = where === 'old' ? old : fresh;
      await run(harness, command, () => harness.restart({ clusterName: newName }));
      if (old.cluster.object !== undefined) await old.resync();
      if (command !== commands[0]?.command) await fresh.resync();
    }
    expect(offAfter).toEqual([]);
    expect(old.cluster.object).toBeUndefined();
    expect(fresh.readiness).toBe('True InSync');
    expect(fresh.cluster.object?.spec.adoptionPolicy).toBe('IfMatching');
    expect(old.destinations.map(({ name }) => name)).toEqual(destinations);
    const own = old.destinations.find(({ id }) => id === fresh.status.destination?.id);
    expect([own?.name, own?.endpoint]).toEqual([destinations.at(-1), credentials.endpoint]);
    fresh.clearRecords();
    await fresh.resync();
    expect([fresh.konnectWrites, fresh.cluster.writes]).toEqual([[], 0]);
  });
});
