import type { DesiredState } from '../desired/desired-state.ts';

/** Returns true if the policy allows to adopt an object of another client. Both endpoints are digests. */
export function isAdoptable(
  policy: DesiredState['adoptionPolicy'],
  ours: string | undefined,
  theirs: string | undefined,
): boolean {
  switch (policy) {
    case 'Always':
      return true;
    case 'Never':
      return false;
    case 'IfMatching':
      return theirs !== undefined && theirs === ours;
  }
}
