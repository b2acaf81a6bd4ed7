/** Notes in the folder of a job which step after its tasks was begun, so that a killed run is gone on with. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod/mini';
import { JobError } from '../base/errors.ts';
import type { JobFolder } from './job-folder.ts';

const PENDING = 'pending.json';

const RETRY = z.object({
  step: z.literal('retry'),
  /** The number of the retry: tasks that have it are done. */
  attempt: z.int().check(z.positive()),
});

const REFRESH = z.object({
  step: z.literal('refresh'),
  /** The new generation of the answers. It is that of the manifest when all tasks are refreshed. */
  generation: z.int().check(z.positive()),
  /** The new timestamps of the roots: of the main volume, then of the others; null if it has none. */
  timestamps: z.array(z.nullable(z.iso.datetime({ precision: 3 }))),
  output: z.string(),
});

const SCHEMA = z.discriminatedUnion('step', [RETRY, REFRESH]);

/** A retry that was begun. */
export type PendingRetry = z.infer<typeof RETRY>;
/** A refresh that was begun. */
export type PendingRefresh = z.infer<typeof REFRESH>;
/** A step that was begun. */
export type PendingStep = PendingRetry | PendingRefresh;

/** Notes that a step begins. */
export const writePending = (folder: JobFolder, step: PendingStep): Promise<void> =>
  folder.writeText(PENDING, `${JSON.stringify(step)}\n`);

/** Returns the step that was begun and did not end. @throws JobError JOB_DAMAGED. */
export async function readPending(folder: JobFolder): Promise<PendingStep | undefined> {
  const text = await folder.readText(PENDING);
  if (text === undefined) return undefined;
  try {
    return SCHEMA.parse(JSON.parse(text));
  } catch {
    throw new JobError(
      'JOB_DAMAGED',
      `${folder.path}/${PENDING} is damaged: delete it, and do the step that was stopped again`,
    );
  }
}

/** Notes that the step is done. */
export const removePending = (folder: JobFolder): Promise<void> =>
  rm(join(folder.path, PENDING), { force: true });
