import type { ControlPlane } from '../../sandbox/control-plane/control-plane.ts';

/** State that the setup of a run passes to its teardown. */
export const run: { controlPlane?: ControlPlane } = {};
