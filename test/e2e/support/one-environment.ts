import { afterAll, afterEach, beforeAll } from '@jest/globals';
import { defaultBehavior } from '../../../sandbox/konnect/behavior.ts';
import { expectLegalHistory } from './conditions.ts';
import { createEnvironment, type Environment, type EnvironmentOptions } from './environment.ts';
import { createFixture, type Fixture, type FixtureOptions } from './fixture.ts';

/** The environment of a test file, and its fixtures. */
export interface OneEnvironment {
  readonly environment: () => Environment;
  /** After the test, every state of it that was seen has to have been legal. */
  readonly fixture: (name: string, options?: FixtureOptions) => Promise<Fixture>;
  /** A fixture that is in place. */
  readonly readyFixture: (
    name: string,
    spec?: Readonly<Record<string, unknown>>,
    options?: FixtureOptions,
  ) => Promise<Fixture>;
}

/** One environment for all tests of a file; Konnect behaves well again after each. A lost creation is looked for during ten seconds. */
export function oneEnvironment(options: EnvironmentOptions): OneEnvironment {
  let environment: Environment | undefined;
  let fixtures: Fixture[] = [];

  function theEnvironment(): Environment {
    if (environment === undefined) throw new Error('the environment is made before the first test');
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
