/** `npm run fuzz`: the specs of seeded random cases, with more cases than `npm test` tries. */
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import base from './jest.config.js';

process.env.SPEC_ROUNDS = '6';

const folder = new URL('spec/', import.meta.url);
const specs = readdirSync(folder, { recursive: true }).filter(
  (path) =>
    path.endsWith('.spec.ts') && readFileSync(new URL(path, folder), 'utf8').includes('support/rounds.ts'),
);

export default { ...base, testMatch: specs.map((path) => join('<rootDir>/spec', path)) };
