/** One way of feeding the operator nonsense. */
import type * as fc from 'fast-check';

export interface Part {
  readonly name: string;
  /** How many runs `npm test` makes. */
  readonly runsInTest: number;
  /** What all runs share, made once and closed at the end. */
  readonly open: () => Promise<Opened>;
}

export interface Opened extends AsyncDisposable {
  readonly property: fc.IRawProperty<unknown>;
}

/** Of a part whose runs share nothing. */
export function alone(property: fc.IRawProperty<unknown>): () => Promise<Opened> {
  return async () => ({ property, [Symbol.asyncDispose]: async () => undefined });
}
