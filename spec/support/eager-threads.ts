/**
 * Opens volumes whose worker threads start with the first chunk and do all work that threads can do. Jest
 * replaces lib/workers/default-workers.ts for the spec file that imports this one.
 */
import { jest } from '@jest/globals';
import * as threads from 'node:worker_threads';
import { Worker } from 'node:worker_threads';
import type { Command } from '../../lib/workers/worker-messages.ts';
import type { WorkerPoolOptions } from '../../lib/workers/pool-options.ts';

/** Options of the pools of the volumes that are opened from now on. */
export const poolSettings: Partial<WorkerPoolOptions> = {};

jest.unstable_mockModule('../../lib/workers/default-workers.ts', () => ({
  workerSettings: (workers = 2) => ({
    size: workers,
    fewestChunks: 1,
    isPatient: true,
    poisonsFreed: true,
    ...poolSettings,
  }),
}));

/** All threads that were started since this file was imported. */
export const startedThreads: Worker[] = [];
/** All commands that were sent to them. */
export const sentCommands: Command[] = [];

jest.unstable_mockModule('node:worker_threads', () => ({
  ...threads,
  Worker: class extends Worker {
    constructor(...args: ConstructorParameters<typeof Worker>) {
      super(...args);
      startedThreads.push(this);
    }
    override postMessage(commands: readonly Command[]): void {
      sentCommands.push(...commands);
      super.postMessage(commands);
    }
  },
}));

/** The threads that run now. */
export const runningThreads = (): Worker[] => startedThreads.filter(({ threadId }) => threadId >= 0);

/** The package, with eager threads. */
export const sdk = await import('../../lib/index.ts');
