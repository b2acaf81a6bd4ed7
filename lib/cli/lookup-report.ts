/** The report of `lookup`: it is also written when the look-up fails or is interrupted. */
import type { TableSummary } from '../jobs/job-types.ts';
import { countsOfSummary } from '../report/counts-of-summary.ts';
import { makeReport } from '../report/report-file.ts';
import { ReportWatch } from '../report/report-watch.ts';
import type { RunEnd } from '../report/model/run-collector.ts';
import type { CheckedLookup } from './lookup-session.ts';
import type { Report } from './report.ts';
import { factsOfFlags } from './report-facts-of-flags.ts';
import type { JobFiles } from './table-io.ts';

/** The report of one look-up. */
export class LookupReport {
  readonly watch: ReportWatch;
  readonly #checked: CheckedLookup;
  readonly #files: JobFiles;
  readonly #report: Report;

  /** Begins to watch. */
  constructor(checked: CheckedLookup, files: JobFiles, report: Report) {
    const { also = [] } = checked.flags;
    this.watch = new ReportWatch('lookup', ['', ...also.map(({ name }) => name)]);
    this.#checked = checked;
    this.#files = files;
    this.#report = report;
    report.listen((message) => this.watch.run.warn(message));
  }

  /** Writes the report of a look-up that has written its table; undefined if nobody read it to its end. */
  write(summary: TableSummary | undefined): Promise<void> {
    return summary
      ? this.#write({ outcome: 'done' }, summary)
      : this.#write({ outcome: 'interrupted', error: new Error('The reader has closed the output.') });
  }

  /** Writes the report of a look-up that has failed. If that fails, too, it warns. */
  async writeFailed(error: unknown, isInterrupted: boolean): Promise<void> {
    this.#report.done();
    try {
      await this.#write({ outcome: isInterrupted ? 'interrupted' : 'failed', error });
    } catch (other) {
      this.#report.warn(
        `the report is not written: ${other instanceof Error ? other.message : String(other)}`,
      );
    }
  }

  async #write(end: RunEnd, summary?: TableSummary): Promise<void> {
    const { run, answers } = this.watch,
      record = run.record(end);
    const page = await makeReport({
      facts: factsOfFlags('lookup', this.#checked, record),
      runs: [record],
      answers: answers!.summarize(),
      isComplete: summary !== undefined,
      counts: summary && countsOfSummary(summary),
      notes: [],
      writtenMs: Date.now(),
    });
    await this.#files.writeReport(page);
  }
}
