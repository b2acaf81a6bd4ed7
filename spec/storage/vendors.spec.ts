/**
 * The libraries of vendors are imported only where they are called, so that public buckets, files and servers
 * never load them.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';

const lib = join(import.meta.dirname, '../../lib');
const sources = readdirSync(lib, { recursive: true, encoding: 'utf8' }).filter((name) =>
  name.endsWith('.ts'),
);
const VENDORS = /^import (?!type ).* from '(google-|gcp-|@aws-|@smithy)/m;

test('no file imports a library of a vendor when it is loaded', () => {
  expect(sources.length).toBeGreaterThan(50);
  expect(sources.filter((name) => VENDORS.test(readFileSync(join(lib, name), 'utf8')))).toEqual([]);
});
test('two files import a library of a vendor when it is needed', () => {
  expect(
    sources
      .filter((name) => /import\('(google-|@aws-|@smithy)/.test(readFileSync(join(lib, name), 'utf8')))
      .sort(),
  ).toEqual(['storage/aws-signer.ts', 'storage/google-signer.ts']);
});
