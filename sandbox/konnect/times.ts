import type { KonnectModel } from './model.ts';

/** Returns how answers show a time that was never set. */
export function unsetTime(model: KonnectModel): string {
  return model.behavior.firstUpdatedAt === 'malformed' ? '0001-01-01T00:00:0Z' : '0001-01-01T00:00:00Z';
}
