/** What a report says about a run besides what was measured: what was asked, of which volumes, and how it ended. */
import type { AnswerSummary } from './answer-collector.ts';
import type { RunRecord, VolumeFacts } from './run-record.ts';

/** What was asked. */
export interface ReportFacts {
  /** `lookup` or `job`. */
  command: string;
  volumes: readonly VolumeFacts[];
  inputs: readonly string[];
  output: string;
  /** Nanometres per unit of the points, as used. */
  unit?: readonly number[];
  /** Other things that were asked, by the names of their flags. */
  asked: readonly (readonly [name: string, value: string])[];
  /** The timestamp as it was given; undefined if none was. */
  timestampAsked?: string;
  /** The folder of the job. */
  folder?: string;
  /** The timestamp that the roots had first, if they were refreshed since. */
  refreshedFrom?: string;
}

/** The counts of a run, as `--stats` has them. */
export interface ReportCounts {
  rows: number;
  /** For each volume, main first, the number of answers per status text. */
  statuses: readonly Readonly<Record<string, number>>[];
  chunks: number;
  requests: number;
  bytes: number;
  cacheHits: number;
  rootRequests: number;
  rootCacheHits: number;
  distinctSupervoxels: number;
  absentBy403: number;
  /** Milliseconds. */
  totalMs: number;
  passMs?: Readonly<Record<string, number>>;
  /** The timestamps of the roots: one, or the first and the last; undefined if no roots were looked up. */
  timestamps?: { first: string; last: string; count: number };
}

/** The first rows of a table of failures. */
export interface FailureRows {
  /** Where the whole table is; undefined if it is nowhere. */
  file?: string;
  header: readonly string[];
  rows: readonly (readonly string[])[];
  /** The number of all failures, if there are more. */
  total?: number;
}

/** All that a report is made of. */
export interface ReportInput {
  facts: ReportFacts;
  /** The runs, in the order in which they began. The last one is that which writes the report. */
  runs: readonly RunRecord[];
  answers: AnswerSummary;
  /** Whether the whole table is looked up and written. */
  isComplete: boolean;
  /** The counts of all that was looked up, if they are known. */
  counts?: ReportCounts;
  failures?: FailureRows;
  /** The tasks of a job. */
  tasks?: { done: number; of: number; seconds: number };
  /** What the report does not know. */
  notes: readonly string[];
  /** When the report is written, in milliseconds since 1970. */
  writtenMs: number;
}
