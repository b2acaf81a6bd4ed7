import { describe, expect, test } from '@jest/globals';
import { faultsOf, WANTED, type Tarball } from '../../release/tarball.ts';

const tarball = (paths: readonly string[], size = 700_000): Tarball => ({
  filename: 'graphene-points-0.1.0.tgz',
  size,
  files: paths.map((path) => ({ path })),
});

describe('the tarball', () => {
  test('may hold documentation, examples, declarations and built files', () => {
    expect(faultsOf(tarball([...WANTED, 'docs/time.md', 'docs/roots.svg', 'dist/parts/a-B1.js']))).toEqual(
      [],
    );
  });

  test('must hold each file that a user needs', () => {
    expect(faultsOf(tarball(WANTED.filter((path) => path !== 'dist/mocks/nock.d.ts')))).toEqual([
      'dist/mocks/nock.d.ts is missing',
    ]);
  });

  test.each(['lib/index.ts', 'docs/generate.ts', 'examples/jest-nock/node_modules/nock/index.js', '.env'])(
    'must not hold %s',
    (path) => expect(faultsOf(tarball([...WANTED, path]))).toEqual([`${path} does not belong in it`]),
  );

  test('must be small', () => {
    expect(faultsOf(tarball(WANTED, 9_000_000))).toEqual(['it has 9000000 bytes; 3000000 are allowed']);
  });
});
