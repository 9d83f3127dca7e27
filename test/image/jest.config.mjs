/** The project of the image tests. They need Linux, root and buildah. `npm run test:image` runs them. */
export default {
  rootDir: '../..',
  testEnvironment: 'node',
  transform: { '\\.ts$': '<rootDir>/test/support/strip-types.mjs' },
  extensionsToTreatAsEsm: ['.ts'],
  testMatch: ['<rootDir>/test/image/**/*.test.ts'],
  maxWorkers: 1,
  testTimeout: 60_000,
};
