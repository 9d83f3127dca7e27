import { shared } from '../../jest.config.mjs';

/** The project of the browser tests. They need Chromium. `npm run test:browser` runs them. */
export default {
  rootDir: '../..',
  ...shared,
  testMatch: ['<rootDir>/test/browser/**/*.test.ts'],
  maxWorkers: 1,
  testTimeout: 120_000,
};
