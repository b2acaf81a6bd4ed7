/** The report of a job: `report.html` in its folder. It covers what all runs did, as far as the folder knows. */
import { join } from 'node:path';
import { JobCounts } from '../jobs/job-counts.ts';
import { addPresets, timestampsIn } from '../jobs/job-files.ts';
import { type JobFolder, REPORT } from '../jobs/job-folder.ts';
import { type JobManifest, readManifest, readPlan, startedJob } from '../jobs/job-plan.ts';
import { toPinnedDates } from '../jobs/job-timestamps.ts';
import { summarizeTimestamps } from '../jobs/point-table.ts';
import { countsOfSummary } from '../report/counts-of-summary.ts';
import { readFailureRows } from '../report/failure-rows.ts';
import { collectJobAnswers, type JobAnswers } from '../report/job-answers.ts';
import { makeReport } from '../report/report-file.ts';
import { ReportWatch } from '../report/report-watch.ts';
import { readRunRecords, RunRecordFile } from '../report/run-records.ts';
import { AnswerCollector } from '../report/model/answer-collector.ts';
import type { ReportCounts } from '../report/model/report-facts.ts';
import type { RunEnd } from '../report/model/run-collector.ts';
import type { RunRecord } from '../report/model/run-record.ts';
import { flagsOfManifest } from './job-flags.ts';
import type { Report } from './report.ts';
import { factsOfFlags } from './report-facts-of-flags.ts';
import type { JobFiles } from './table-io.ts';

/** How often the record of a run is written while it is at work, at most. */
const KEEP_MS = 10_000;

/** The report of one run of a job, and the record that the run leaves for later reports. */
export class JobReportPage {
  readonly watch: ReportWatch;
  readonly #folder: JobFolder;
  readonly #file: RunRecordFile;
  readonly #report: Report;
  #keptMs = performance.now();

  /** Begins to watch. @param step What the run is: `run`, `resume`, `shard 0/4`. */
  constructor(step: string, folder: JobFolder, report: Report) {
    this.watch = new ReportWatch(step, undefined);
    this.#folder = folder;
    this.#report = report;
    this.#file = new RunRecordFile(folder, Date.now());
    report.listen((message) => this.watch.run.warn(message));
  }

  /** Takes a task that is done. */
  readonly onTask = (): void => {
    this.watch.run.addTask();
    if (performance.now() - this.#keptMs < KEEP_MS) return;
    this.#keptMs = performance.now();
    void this.#file.write(this.watch.run.record({ outcome: 'running' })).catch(() => undefined);
  };

  /** Leaves the record of a run that writes no report: a shard, or a plan. */
  keep(end: RunEnd): Promise<void> {
    return this.#file.write(this.watch.run.record(end));
  }

  /**
   * Writes the report of a run that has written the output: to the file that `lookup --report` named, if the job
   * began there, else to the folder.
   */
  async write(files: Pick<JobFiles, 'writeReport'>): Promise<void> {
    await this.keep({ outcome: 'done' });
    const page = await this.#make(true);
    if (page) await this.#place(page, files);
  }

  /** Writes the report of a run that has failed. If that fails, too, it warns. */
  async writeFailed(error: unknown, isInterrupted: boolean): Promise<void> {
    try {
      await this.keep({ outcome: isInterrupted ? 'interrupted' : 'failed', error });
      const page = await this.#make(false);
      if (page) await this.#place(page, undefined);
    } catch (other) {
      this.#report.warn(
        `the report is not written: ${other instanceof Error ? other.message : String(other)}`,
      );
    }
  }

  async #place(page: Uint8Array, files: Pick<JobFiles, 'writeReport'> | undefined): Promise<void> {
    const { isTemporary } = await readManifest(this.#folder);
    if (!isTemporary) await this.#folder.writeWhole(join(this.#folder.path, REPORT), [page]);
    else await files?.writeReport(page);
  }

  /** Makes the page; undefined if there is no job yet. */
  async #make(isComplete: boolean): Promise<Uint8Array | undefined> {
    const folder = this.#folder,
      manifest = await readManifest(folder).catch(() => undefined);
    if (!manifest) return undefined;
    const flags = flagsOfManifest(manifest, {}),
      plan = await readPlan(folder, manifest.job),
      { records, unread } = await readRunRecords(folder),
      hasRoots = manifest.timestamps[0] !== null;
    const found: JobAnswers = plan
      ? await collectJobAnswers(startedJob(folder, manifest), plan, hasRoots)
      : { answers: new AnswerCollector(['']).summarize(), tasks: [] };
    const { tasks, answers } = found,
      checked = {
        path: manifest.volume,
        flags: { ...flags, timestamp: flags.timestamp ?? 'settled, as by default' },
        tables: manifest.inputs.map(({ name }) => ({ name })),
      };
    const facts = factsOfFlags(
      'job',
      checked,
      records.findLast(({ volumes }) => volumes !== undefined),
    );
    return makeReport({
      facts: { ...facts, folder: folder.path, refreshedFrom: manifest.refreshedFrom?.[0] ?? undefined },
      runs: records,
      answers,
      isComplete,
      counts: plan && countsOf(manifest, found, plan),
      failures: isComplete ? await readFailureRows(folder) : undefined,
      tasks: plan && {
        done: tasks.length,
        of: plan.tasks.length,
        seconds: tasks.reduce((sum, { seconds }) => sum + seconds, 0),
      },
      notes: notesOf(records, tasks.length, unread),
      writtenMs: Date.now(),
    });
  }
}

/** Sums up what the tasks did that are done. */
function countsOf(
  manifest: JobManifest,
  { tasks }: JobAnswers,
  plan: NonNullable<Awaited<ReturnType<typeof readPlan>>>,
): ReportCounts {
  const counts = new JobCounts(plan.also),
    [pinned] = toPinnedDates(manifest.timestamps);
  addPresets(counts, plan);
  for (const { volumes } of tasks) counts.addCounted(volumes);
  const { timestampColumn } = flagsOfManifest(manifest, {});
  return countsOfSummary(
    summarizeTimestamps(
      counts.summarize(plan.rows, plan.sides),
      pinned,
      timestampsIn(tasks),
      timestampColumn,
    ),
  );
}

/** Says what the records do not cover. */
function notesOf(records: readonly RunRecord[], done: number, unread: number): string[] {
  const known = records.reduce((sum, { tasks }) => sum + tasks, 0),
    notes: string[] = [];
  if (known < done)
    notes.push(
      `${done - known} of ${done} tasks were done by runs that left no record of them, without --report or killed: statuses, points, roots and sums are of all tasks; throughput, latencies, hosts, faults and slow chunks are of the others only.`,
    );
  if (unread > 0) notes.push(`${unread} records of runs cannot be read, and are left out.`);
  return notes;
}
