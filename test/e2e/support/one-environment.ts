import { afterAll, afterEach, beforeAll } from '@jest/globals';
import { defaultBehavior } from '../../../sandbox/konnect/behavior.ts';
import { expectLegalHistory } from './conditions.ts';
import { createWorld, type World, type WorldOptions } from './environment.ts';
import { createScene, type Scene, type SceneOptions } from './fixture.ts';

/** The world of a test file, and its scenes. */
export interface OneWorld {
  readonly world: () => World;
  /** After the test, every state of it that was seen has to have been legal. */
  readonly scene: (name: string, options?: SceneOptions) => Promise<Scene>;
  /** A scene that is in place. */
  readonly standing: (name: string, spec?: Readonly<Record<string, unknown>>, options?: SceneOptions) => Promise<Scene>;
}

/** One world for all tests of a file; Konnect behaves well again after each. A lost creation is looked for during ten seconds. */
export function oneWorld(options: WorldOptions): OneWorld {
  let world: World | undefined;
  let scenes: Scene[] = [];

  function theWorld(): World {
    if (world === undefined) throw new Error('the world is made before the first test');
    return world;
  }

  beforeAll(async () => {
    const flags = ['--stale-list-window=2s', '--konnect-timeout=8s', ...(options.flags ?? [])];
    world = await createWorld({ ...options, flags });
  });

  afterEach(() => {
    const { control } = theWorld().services.konnect;
    control.clearFaults();
    control.behave(defaultBehavior);
    const seen = scenes;
    scenes = [];
    for (const { name } of seen) expectLegalHistory(theWorld(), name);
  });

  afterAll(() => world?.stop());

  async function scene(name: string, sceneOptions?: SceneOptions): Promise<Scene> {
    const made = await createScene(theWorld(), name, sceneOptions);
    scenes.push(made);
    return made;
  }

  return {
    world: theWorld,
    scene,
    async standing(name, spec, sceneOptions) {
      const made = await scene(name, sceneOptions);
      await made.apply(spec);
      await theWorld().waitForReady(name);
      return made;
    },
  };
}
