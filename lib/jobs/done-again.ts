/** What the last run of a job did again. */
import type { RefreshCounts } from './refresh-roots.ts';
import type { Retried } from './retry-tasks.ts';

/** What was done again in a job. */
export interface DoneAgain {
  retried?: Retried;
  refreshed?: Refreshed;
}

/** What a refresh did, in all volumes together. */
export interface Refreshed extends RefreshCounts {
  /** The timestamps of the roots before and after. */
  from: string;
  to: string;
}
