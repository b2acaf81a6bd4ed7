/**
 * `npm run test:quick`: the specs of what depends most on the version of Node. That is compression, HTTP, files, signals, streams,
 * processes, the command line, and one look-up from end to end. All specs run on the oldest and on the newest version.
 */
import { existsSync } from 'node:fs';
import base from './jest.config.js';

const SPECS = [
  'spec/base/abort.spec.ts',
  'spec/cache',
  'spec/cli/main.spec.ts',
  'spec/compression/decompress.spec.ts',
  'spec/compression/zstd.spec.ts',
  'spec/failures/http-client.spec.ts',
  'spec/graphene/graphene-volume.spec.ts',
  'spec/http',
  'spec/mocks/loopback.spec.ts',
  'spec/mocks/nock.spec.ts',
  'spec/storage',
  'spec/tables/files',
];
const missing = SPECS.filter((path) => !existsSync(new URL(path, import.meta.url)));
if (missing.length > 0)
  throw new Error(`jest.quick.config.js names paths that do not exist: ${missing.join(', ')}`);

export default {
  ...base,
  testMatch: SPECS.map((path) => `<rootDir>/${path.endsWith('.ts') ? path : `${path}/**/*.spec.ts`}`),
};
