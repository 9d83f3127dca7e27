import { usesControlPlane } from './control-plane-folders.ts';

/** The test files that take longest on idle cores, the longest first: those that wait for a time limit, then those that need a core. */
export const longest = [
  'simulation/simulation',
  'e2e/network-trouble',
  'e2e/leader-election',
  'e2e/verification',
  'integration/apply-folders',
  'e2e/bad-input',
  'integration/rights',
  'integration/install',
  'e2e/delivering',
  'simulation/crash-over-http',
  'validators/integration/argocd',
  'e2e/sharing',
  'e2e/portal-refs',
  'simulation/fleet',
  'e2e/deletion',
  'e2e/crash',
  'e2e/api-server-trouble',
  'e2e/konnect-variants',
  'e2e/outage',
  'e2e/counts',
  'e2e/leaks',
];

/** Returns the place of a test file: the longest first, then the others with a control plane, then the rest. `path` begins at the root of the project. */
export function rankOf(path: string): number {
  const place = longest.findIndex((name) => path === `test/${name}.test.ts`);
  if (place !== -1) return place;
  return usesControlPlane(path) ? longest.length : longest.length + 1;
}
