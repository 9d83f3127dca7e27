import { relative } from 'node:path';
import TestSequencer from '@jest/test-sequencer';
import { rankOf } from './test-order.ts';

/**
 * Orders the test files so that no core is idle at the end. By itself, jest knows durations only from earlier runs, and a clean clone has none.
 * Plain JavaScript, because the types of the base class do not fit its ES module.
 */
export default class LongestFirst extends TestSequencer {
  async sort(tests) {
    const place = ({ path, context }) => rankOf(relative(context.config.rootDir, path));
    return (await super.sort(tests)).toSorted((a, b) => place(a) - place(b));
  }
}
