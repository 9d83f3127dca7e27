/**
 * Asked right before each write to the outside, by the transports themselves, so that no caller can forget it. Throws a
 * {@link FencedError} where this process may not write, which then reaches the caller as it is.
 */
export type Fence = () => void;

/** This process does not lead, or can no longer be sure that it does: nothing was sent. Safe to print. */
export class FencedError extends Error {
  override readonly name = 'FencedError';
}
