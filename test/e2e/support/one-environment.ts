import { afterAll, afterEach, beforeAll } from '@jest/globals';
import { defaultBehavior } from '../../../sandbox/konnect/behavior.ts';
import { expectLegalHistory } from './conditions.ts';
import { createEnvironment, type Environment, type EnvironmentOptions } from './environment.ts';
import { createFixture, type Fixture, type FixtureOptions } from './fixture.ts';

/** The environment that all tests of one file share, and its fixtures. */
export interface OneEnvironment {
  readonly environment: () => Environment;
  /** Makes a fixture. After the test, every observed state of its forwarding must have been valid. */
  readonly fixture: (name: string, options?: FixtureOptions) => Promise<Fixture>;
  /** Makes a fixture and waits until its forwarding is ready. */
  readonly readyFixture: (
    name: string,
    spec?: Readonly<Record<string, unknown>>,
    options?: FixtureOptions,
  ) => Promise<Fixture>;
}

/**
 * Starts one environment for all tests of a file. After each test, the faults and the behavior of Konnect are reset. The operator looks for a lost
 * creation for ten seconds.
 */
export function oneEnvironment(options: EnvironmentOptions): OneEnvironment {
  let environment: Environment | undefined;
  let fixtures: Fixture[] = [];

  function theEnvironment(): Environment {
    if (environment === undefined) throw new Error('no environment before the first test');
    return environment;
  }

  beforeAll(async () => {
    const flags = ['--stale-list-window=2s', '--konnect-timeout=8s', ...(options.flags ?? [])];
    environment = await createEnvironment({ ...options, flags });
  });

  afterEach(() => {
    const { control } = theEnvironment().services.konnect;
    control.clearFaults();
    control.behave(defaultBehavior);
    const seen = fixtures;
    fixtures = [];
    for (const { name } of seen) expectLegalHistory(theEnvironment(), name);
  });

  afterAll(() => environment?.stop());

  async function fixture(name: string, sceneOptions?: FixtureOptions): Promise<Fixture> {
    const made = await createFixture(theEnvironment(), name, sceneOptions);
    fixtures.push(made);
    return made;
  }

  return {
    environment: theEnvironment,
    fixture,
    async readyFixture(name, spec, sceneOptions) {
      const made = await fixture(name, sceneOptions);
      await made.apply(spec);
      await theEnvironment().waitForReady(name);
      return made;
    },
  };
}
