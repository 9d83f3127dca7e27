/** One source of invalid input. */
import type * as fc from 'fast-check';

export interface Part {
  readonly name: string;
  /** Number of runs in `npm test`. */
  readonly runsInTest: number;
  /** Resources that all runs share, created once and closed at the end. */
  readonly open: () => Promise<Opened>;
}

export interface Opened extends AsyncDisposable {
  readonly property: fc.IRawProperty<unknown>;
}

/** Returns a part whose runs share nothing. */
export function alone(property: fc.IRawProperty<unknown>): () => Promise<Opened> {
  return async () => ({ property, [Symbol.asyncDispose]: async () => undefined });
}
