import { setFlagsFromString } from 'node:v8';

/**
 * Sets V8 for a process that mostly waits: it collects garbage before the heap grows, and does not use its optimizing compilers, whose code and work add
 * tens of MiB.
 */
export function preferLittleMemory(): void {
  for (const flag of ['--optimize-for-size', '--no-turbofan', '--no-maglev']) setFlagsFromString(flag);
}
