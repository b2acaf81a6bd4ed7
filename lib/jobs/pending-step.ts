/** Notes in the folder of a job which step after its tasks was begun, so that a killed run is gone on with. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { JobError } from '../base/errors.ts';
import type { JobFolder } from './job-folder.ts';

const PENDING = 'pending.json';

const SCHEMA = z.object({
  step: z.literal('retry'),
  /** The number of the retry: tasks that have it are done. */
  attempt: z.number().int().min(1),
});

/** A step that was begun. */
export type PendingStep = z.infer<typeof SCHEMA>;

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
