import { controlPlaneFolders } from './scripts/control-plane-folders.ts';

export const shared = {
  testEnvironment: 'node',
  transform: { '\\.ts$': '<rootDir>/test/support/strip-types.mjs' },
  extensionsToTreatAsEsm: ['.ts'],
  modulePathIgnorePatterns: ['<rootDir>/dist/'],
};

const testsIn = (...folders) => folders.map((folder) => `<rootDir>/test/${folder}/**/*.test.ts`);

/**
 * `unit` and `simulation` need no Kubernetes. `integration` shares one real control plane, started once a run.
 * `test/README.md` says which folder answers which question.
 */
export default {
  projects: [
    {
      ...shared,
      displayName: 'unit',
      testMatch: [...testsIn('unit', 'docs', 'security', 'interop'), '<rootDir>/test/validators/*.test.ts'],
    },
    {
      ...shared,
      displayName: 'simulation',
      testMatch: testsIn('simulation', 'fuzz', 'conformance'),
      setupFilesAfterEnv: ['<rootDir>/test/support/long-timeouts.ts'],
    },
    {
      ...shared,
      displayName: 'integration',
      testMatch: testsIn(...controlPlaneFolders),
      globalSetup: '<rootDir>/test/support/integration-setup.ts',
      globalTeardown: '<rootDir>/test/support/integration-teardown.ts',
      setupFilesAfterEnv: ['<rootDir>/test/support/long-timeouts.ts'],
    },
  ],
  testSequencer: '<rootDir>/scripts/longest-first.mjs',
  maxWorkers: 3,
  // For a busy machine. A test that passes does not wait for it.
  testTimeout: 120_000,
};
