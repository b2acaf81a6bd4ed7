/** Checks which files the package's tarball holds: everything that a user reads or runs, and nothing else. */

/** Most bytes of a tarball, packed. */
const MAX_BYTES = 3_000_000;

/** Files that every release must hold. */
export const WANTED: readonly string[] = [
  'package.json',
  'README.md',
  'CHANGELOG.md',
  'CONTRIBUTING.md',
  'SECURITY.md',
  'LICENSE',
  'licenses/fpzip.txt',
  'licenses/zfp.txt',
  'dist/lib/index.js',
  'dist/lib/index.d.ts',
  'dist/lib/cli/main.js',
  'dist/lib/workers/worker.cjs',
  'dist/charts/echarts-svg.mjs',
  'dist/explorer/index.html',
  'dist/explorer/explorer.js',
  'dist/mocks/index.js',
  'dist/mocks/index.d.ts',
  'dist/mocks/nock.js',
  'dist/mocks/nock.d.ts',
  'bench/README.md',
  'bench/results/points.md',
  'demo/points.csv',
  'docs/errors.md',
  'docs/options.md',
  'docs/glossary.md',
  'docs/picture.svg',
  'docs/points.md',
  'docs/testing.md',
  'examples/README.md',
  'examples/jest-nock/package.json',
  'examples/node-test-loopback/package.json',
  'examples/python-client/package.json',
];

const ALLOWED =
  /^(package\.json|README\.md|CHANGELOG\.md|CONTRIBUTING\.md|SECURITY\.md|LICENSE|licenses\/.+\.txt|bench\/README\.md|bench\/results\/.+\.(md|svg)|dist\/.+\.(js|cjs|d\.ts)|dist\/charts\/.+\.mjs|dist\/explorer\/.+\.(html|css|svg)|demo\/.+|docs\/.+\.(md|svg|png)|examples\/.+)$/;
const FORBIDDEN = /(^|\/)(node_modules|\.git|package-lock\.json)(\/|$)/;

/** One tarball as `npm pack --json` describes it. */
export interface Tarball {
  filename: string;
  /** Packed, in bytes. */
  size: number;
  files: readonly { path: string }[];
}

/** @returns One line per fault; empty if the tarball is as it should be. */
export function faultsOf({ size, files }: Tarball): string[] {
  const paths = files.map(({ path }) => path);
  return [
    ...WANTED.filter((path) => !paths.includes(path)).map((path) => `${path} is missing`),
    ...paths
      .filter((path) => !ALLOWED.test(path) || FORBIDDEN.test(path))
      .map((path) => `${path} does not belong in it`),
    ...(size > MAX_BYTES ? [`it has ${size} bytes; ${MAX_BYTES} are allowed`] : []),
  ];
}
