/** The job of a large table of `lookup`: it is deleted when it is done, and kept if it can be resumed. */
import { randomUUID } from 'node:crypto';
import { statSync } from 'node:fs';
import { JobFolder } from '../jobs/job-folder.ts';
import type { StartedJob } from '../jobs/job-files.ts';
import { type JobInputFile, readPlan, writeManifest } from '../jobs/job-plan.ts';
import type { PointLookup } from '../jobs/point-lookup.ts';
import { InterruptedError } from './io.ts';
import { hasTooManyFailures, resumeAdvice, retryAdvice } from './job-advice.ts';
import { absolute, absoluteVolume, findSecret, keptFlags } from './job-flags.ts';
import { describeInput, requireSameInputs } from '../jobs/input-identity.ts';
import { timestampsOfLookups } from '../jobs/job-timestamps.ts';
import type { Report } from './report.ts';
import type { CheckedLookup, OpenedLookup } from './lookup-session.ts';

/** The job of one run of `lookup`. */
export class TemporaryJob {
  readonly #checked: CheckedLookup;
  /** The inputs, if they can be read again and the output can be written later. */
  readonly #inputs: readonly JobInputFile[] | undefined;
  #started: StartedJob | undefined;

  private constructor(checked: CheckedLookup, inputs: readonly JobInputFile[] | undefined) {
    this.#checked = checked;
    this.#inputs = inputs;
  }

  /** Notes what the inputs are, before they are read. */
  static async prepare(checked: CheckedLookup): Promise<TemporaryJob> {
    const { path, flags, tables } = checked;
    const canResume =
      isFileOutput(flags.out) &&
      findSecret(path, flags) === undefined &&
      tables.every(({ name, open }) => !open && isRegular(name));
    const inputs = canResume
      ? await Promise.all(tables.map(({ name }) => describeInput(name, name))).catch(() => undefined)
      : undefined;
    return new TemporaryJob(checked, inputs);
  }

  /** Whether the job has begun, and can go on after an interrupt. */
  get isResumable(): boolean {
    return this.#started !== undefined && this.#inputs !== undefined;
  }

  /** Makes the folder of the job. */
  async start(parent: string, { main, also, volumes }: OpenedLookup): Promise<StartedJob> {
    const { path, flags, format } = this.#checked,
      folder = await JobFolder.createTemporary(parent),
      job = randomUUID();
    this.#started = { folder, job };
    const lookups: PointLookup[] = [main, ...also.map(({ lookup }) => lookup)];
    if (this.#inputs)
      await writeManifest(folder, {
        job,
        isTemporary: true,
        volume: volumes.pinnedPath(absoluteVolume(path)),
        flags: keptFlags({ ...flags, format }),
        inputs: [...this.#inputs],
        output: absolute(flags.out),
        timestamps: timestampsOfLookups(lookups),
      });
    return this.#started;
  }

  /** Deletes the folder after success. */
  async remove(): Promise<void> {
    await this.#started?.folder.remove();
  }

  /** Keeps the folder after an error if the job can be resumed. @returns The error to throw. */
  async keep(error: unknown, isInterrupted: boolean, report: Report): Promise<unknown> {
    if (!this.#started) return error;
    const { folder, job } = this.#started;
    report.done();
    if (!this.#inputs || !(await canGoOn(this.#inputs, folder, job))) {
      await folder.remove();
      return error;
    }
    const advice = resumeAdvice(folder);
    if (isInterrupted) return new InterruptedError(`interrupted; ${advice}`);
    report.line(
      `the tasks that are done are kept: ${hasTooManyFailures(error) ? retryAdvice(folder) : advice}`,
    );
    return error;
  }
}

const isRegular = (path: string): boolean =>
  path !== '-' && statSync(path, { throwIfNoEntry: false })?.isFile() === true;

/** Whether an output is a file that can be written later: not a stream, nor a device. */
const isFileOutput = (path: string): boolean =>
  path !== '-' && (statSync(path, { throwIfNoEntry: false })?.isFile() ?? true);

async function canGoOn(inputs: readonly JobInputFile[], folder: JobFolder, job: string): Promise<boolean> {
  try {
    await requireSameInputs(inputs);
    return (await readPlan(folder, job)) !== undefined;
  } catch {
    return false;
  }
}
