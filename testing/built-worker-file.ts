/** Replaces lib/workers/worker-file.ts in specs: the file that worker threads run is built by jest-setup.mjs. */
import { join } from 'node:path';

/** Returns the path of the worker file. */
export const findWorkerFile = (): string => join(process.env.SPEC_PROGRAMS!, 'lib/workers/worker.cjs');
