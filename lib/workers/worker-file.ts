/** Finds the file that worker threads run. */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Where the file is, seen from the files of a built package, or from this file's source. */
const PLACES = [
  './workers/worker.cjs',
  '../workers/worker.cjs',
  '../lib/workers/worker.cjs',
  '../../dist/lib/workers/worker.cjs',
];

/** Returns the path of the worker file; undefined if it is not there, as in the output of a bundler. */
export function findWorkerFile(): string | undefined {
  if (!import.meta.url.startsWith('file:')) return undefined;
  return PLACES.map((place) => fileURLToPath(new URL(place, import.meta.url))).find((path) =>
    existsSync(path),
  );
}
