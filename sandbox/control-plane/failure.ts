import { types } from 'node:util';

/** Returns the message of a thrown value. */
export function messageOf(error: unknown): string {
  return types.isNativeError(error) ? error.message : String(error);
}

/** Returns whether a system call failed with this code, for example `ENOENT`. */
export function hasCode(error: unknown, code: string): boolean {
  return types.isNativeError(error) && 'code' in error && error.code === code;
}
