const shared = {
  testEnvironment: 'node',
  transform: { '\\.ts$': '<rootDir>/test/support/strip-types.mjs' },
  extensionsToTreatAsEsm: ['.ts'],
  modulePathIgnorePatterns: ['<rootDir>/dist/'],
};

/**
 * Two projects: `unit` needs nothing but Node; `cluster` shares one real Kubernetes control plane, started once for the run.
 */
export default {
  projects: [
    {
      ...shared,
      displayName: 'unit',
      testMatch: ['<rootDir>/test/**/*.test.ts'],
      testPathIgnorePatterns: ['<rootDir>/test/cluster/', '<rootDir>/test/e2e/', '<rootDir>/test/image/'],
    },
    {
      ...shared,
      displayName: 'cluster',
      testMatch: ['<rootDir>/test/cluster/**/*.test.ts', '<rootDir>/test/e2e/**/*.test.ts'],
      globalSetup: '<rootDir>/test/support/cluster-setup.ts',
      globalTeardown: '<rootDir>/test/support/cluster-teardown.ts',
      setupFilesAfterEnv: ['<rootDir>/test/support/cluster-patience.ts'],
    },
  ],
  maxWorkers: 3,
  testTimeout: 30_000,
};
