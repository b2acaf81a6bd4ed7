/**
 * Writes `dist/`: declarations by tsc, and JavaScript by esbuild in few files, as each module that Node loads costs it half a millisecond. What
 * every look-up needs of other packages is in these files, too: of zod a small part, which whole is 95 modules. All else stays an import.
 */
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';

if (!existsSync('node_modules/esbuild')) {
  if (/\bdev\b/.test(process.env.npm_config_omit ?? '')) {
    console.error('graphene-points: dist/ is not built, because development packages are left out');
    process.exit();
  }
  // `npm pack` and `npm publish` in a fresh clone. What they print on standard output is the name of the file that they make.
  // The install is a real one, also for `npm publish --dry-run`.
  const env = { ...process.env, npm_config_dry_run: 'false' };
  execFileSync('npm', ['ci', '--ignore-scripts'], { stdio: ['ignore', process.stderr, 'inherit'], env });
}
const { build } = await import('esbuild');
const { buildWorker, externalPackages } = await import('./build-worker.mjs');
const { buildExplorer } = await import('./build-explorer.mjs');
const { buildCharts, CHARTS, sharedCharts } = await import('./build-charts.mjs');
const { mergeParts } = await import('./merge-parts.mjs');

const { bin } = JSON.parse(readFileSync('package.json', 'utf8'));

rmSync('dist', { recursive: true, force: true });
execFileSync('node_modules/.bin/tsc', ['-p', 'tsconfig.build.json'], { stdio: 'inherit' });
await buildCharts(`dist/${CHARTS}`);
// What is built together shares its code, and is cut into more files. The command line is never loaded with the library.
const buildParts = (entryPoints, parts, options = {}) =>
  build({
    entryPoints,
    outdir: 'dist',
    outbase: '.',
    chunkNames: `${parts}/[name]-[hash]`,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    external: externalPackages(),
    logLevel: 'warning',
    plugins: [sharedCharts],
    ...options,
  });
await buildParts(['lib/index.ts', 'mocks/index.ts', 'mocks/nock.ts'], 'parts');
await mergeParts(resolve('dist/lib/index.js'), {
  folder: resolve('dist'),
  parts: resolve('dist/parts'),
  name: 'library',
});

await buildParts(['lib/cli/main.ts'], 'cli-parts', {
  external: externalPackages().filter((name) => name !== 'commander'), // 8 files
  banner: { js: 'var require = process.getBuiltinModule;' }, // for commander, which is not a module
});
const cli = { folder: resolve('dist'), parts: resolve('dist/cli-parts') };
await mergeParts(resolve('dist/lib/cli/main.js'), { ...cli, name: 'main' });
const command = (name) =>
  join(
    cli.parts,
    readdirSync(cli.parts).find((file) => file.startsWith(`${name}-`)),
  );
await mergeParts(command('all'), { ...cli, name: 'commands', without: [resolve('dist/lib/cli/main.js')] });
// These start fast, as they open no volume. What they share with the look-ups stays apart from the volumes.
await mergeParts(command('run-job-status'), {
  ...cli,
  name: 'jobs',
  within: command('run-lookup'),
  without: [command('all')],
});
await mergeParts(command('run-login'), {
  ...cli,
  name: 'servers',
  without: ['all', 'run-job-status'].map(command),
});
await mergeParts(command('run-cache'), {
  ...cli,
  name: 'caches',
  without: ['all', 'run-job-status'].map(command),
});
await mergeParts(command('run-lookup'), {
  ...cli,
  name: 'volumes',
  without: ['all', 'run-cache', 'run-login', 'run-job-status', 'graph-command', 'job-command'].map(command),
});
await buildWorker('dist/lib/workers/worker.cjs');
await buildExplorer('dist/explorer');
chmodSync(bin['graphene-points'], 0o755);
