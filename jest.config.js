import { availableParallelism } from 'node:os';

/** Specs are TypeScript ES modules: testing/jest-transform.mjs strips the types, Node runs them as they are. */
export default {
  testEnvironment: '<rootDir>/testing/jest-environment.mjs',
  testEnvironmentOptions: { globalsCleanup: 'off' }, // it would take away what nock shares between its parts
  roots: ['<rootDir>/spec'],
  testMatch: ['**/*.spec.ts'],
  extensionsToTreatAsEsm: ['.ts'],
  globalSetup: '<rootDir>/testing/jest-setup.mjs',
  transform: { '^.+\\.ts$': '<rootDir>/testing/jest-transform.mjs' },
  // The file that worker threads run is built by the setup.
  moduleNameMapper: {
    '^.*/worker-file\\.ts$': '<rootDir>/testing/built-worker-file.ts',
    // Jest takes 10 s to load the modules of ECharts one by one.
    '^.*/echarts-svg\\.ts$': '<rootDir>/testing/built-charts.ts',
  },
  testTimeout: 300_000,
  maxWorkers: availableParallelism() + 2, // some specs wait: for servers that are late, for processes
  workerIdleMemoryLimit: '768MB', // a worker that has run many specs collects garbage more than it works
};
