import type { ControlPlane } from '../../sandbox/control-plane/control-plane.ts';

/** What the setup of a run leaves for its teardown. */
export const run: { controlPlane?: ControlPlane } = {};
