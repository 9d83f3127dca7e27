import type { DesiredState } from '../desired/desired-state.ts';

/** Whether what was never ours may be taken; both endpoints as digests. */
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
