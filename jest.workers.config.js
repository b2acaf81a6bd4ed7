/**
 * `npm run test:workers`: the specs that read volumes, with two worker threads for each volume. On mocked servers,
 * on mem:// and on a store of one's own, no thread starts.
 */
import base from './jest.config.js';

process.env.SPEC_WORKERS = 'two'; // for the programs that the setup bundles

export default {
  ...base,
  roots: ['chunks', 'cli', 'doctor', 'graphene', 'jobs', 'mocks', 'points', 'workers'].map(
    (room) => `<rootDir>/spec/${room}`,
  ),
  moduleNameMapper: {
    ...base.moduleNameMapper,
    '^.*/default-workers\\.ts$': '<rootDir>/testing/two-patient-workers.ts',
  },
};
