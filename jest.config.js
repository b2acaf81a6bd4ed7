/** Specs are TypeScript ES modules: testing/jest-transform.mjs strips the types, Node runs them as they are. */
export default {
  testEnvironment: 'node',
  testEnvironmentOptions: { globalsCleanup: 'off' }, // it would take away what nock shares between its parts
  roots: ['<rootDir>/spec'],
  testMatch: ['**/*.spec.ts'],
  extensionsToTreatAsEsm: ['.ts'],
  transform: { '^.+\\.ts$': '<rootDir>/testing/jest-transform.mjs' },
  testTimeout: 300_000,
  maxWorkers: '100%',
  workerIdleMemoryLimit: '768MB', // a worker that has run many specs collects garbage more than it works
};
