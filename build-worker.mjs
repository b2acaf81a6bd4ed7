/**
 * Builds the file that worker threads run. It is one file, and not a module: a thread starts a fifth sooner with
 * it.
 */
import { readFileSync } from 'node:fs';
import { build } from 'esbuild';

/** Packages that every look-up needs: they become part of the built files. */
export const INSIDE = ['ipaddr.js', 'lossless-json', 'lru-cache', 'p-queue', 'quick-lru', 'zod'];

/** The packages that stay imports. */
export function externalPackages() {
  const { dependencies, peerDependencies, optionalDependencies } = JSON.parse(
    readFileSync('package.json', 'utf8'),
  );
  const names = Object.keys({ ...dependencies, ...peerDependencies, ...optionalDependencies });
  return names.filter((name) => !INSIDE.includes(name));
}

/** Builds the file. */
export const buildWorker = (outfile) =>
  build({
    entryPoints: ['lib/workers/worker.ts'],
    outfile,
    bundle: true,
    format: 'cjs',
    platform: 'node',
    target: 'node20.19',
    // A file that is not a module knows its own path, but not its URL.
    define: { 'import.meta.url': '__filename' },
    external: externalPackages(),
    logLevel: 'warning',
  });
