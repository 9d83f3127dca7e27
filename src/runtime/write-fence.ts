/**
 * Throws a {@link FencedError} if this process may not write. The transports call it right before each write, so that no caller can forget it. The
 * write rejects with the same error.
 */
export type Fence = () => void;

/** This process is not the leader, or not certain to be: nothing was sent. Safe to print. */
export class FencedError extends Error {
  override readonly name = 'FencedError';
}
