/** Notes in the folder of a job that its output is written. */
import { stat } from 'node:fs/promises';
import * as z from 'zod/mini';
import { FINISHED, type JobFolder } from './job-folder.ts';

const SCHEMA = z.object({
  finished: z.string(),
  output: z.string(),
  /** The size and the time of the output, if it is a file of this machine. */
  bytes: z.nullable(z.string()),
  modified: z.nullable(z.string()),
  needsAttention: z.boolean(),
});

/** A job whose output is written. */
export type FinishedJob = z.infer<typeof SCHEMA>;

/** Notes that the output of a job is written. */
export async function writeFinished(
  folder: JobFolder,
  { output, needsAttention }: Pick<FinishedJob, 'output' | 'needsAttention'>,
): Promise<void> {
  const finished = {
    finished: new Date().toISOString(),
    output,
    ...(await describeOutput(output)),
    needsAttention,
  };
  await folder.writeText(FINISHED, `${JSON.stringify(finished)}\n`);
}

/** Returns what was noted; undefined if the output is not written, or is not what was written any more. */
export async function readFinished(folder: JobFolder): Promise<FinishedJob | undefined> {
  const text = await folder.readText(FINISHED);
  if (text === undefined) return undefined;
  let found: unknown;
  try {
    found = JSON.parse(text);
  } catch {
    return undefined;
  }
  const { data } = SCHEMA.safeParse(found);
  if (!data) return undefined;
  const { bytes, modified } = await describeOutput(data.output);
  return data.bytes === bytes && data.modified === modified ? data : undefined;
}

async function describeOutput(path: string): Promise<Pick<FinishedJob, 'bytes' | 'modified'>> {
  const found = await stat(path, { bigint: true }).catch(() => undefined);
  return found?.isFile()
    ? { bytes: String(found.size), modified: String(found.mtimeNs) }
    : { bytes: null, modified: null };
}
