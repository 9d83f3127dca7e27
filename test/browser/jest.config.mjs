/** The project of the browser tests. They need Chromium. `npm run test:browser` runs them. */
export default {
  rootDir: '../..',
  testEnvironment: 'node',
  transform: { '\\.ts$': '<rootDir>/test/support/strip-types.mjs' },
  extensionsToTreatAsEsm: ['.ts'],
  testMatch: ['<rootDir>/test/browser/**/*.test.ts'],
  maxWorkers: 1,
  testTimeout: 120_000,
};
