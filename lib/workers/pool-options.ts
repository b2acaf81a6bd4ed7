/** The options of a pool of worker threads. */

/** How many threads a pool may start, and when. */
export interface WorkerPoolOptions {
  /** The worker's program. @default what {@link findWorkerFile} finds; no thread starts if it finds nothing */
  file?: string;
  /** Most threads. */
  size: number;
  /** Fewest chunks of one call that start the threads. */
  fewestChunks: number;
  /** Whether work waits for threads that have not started yet. @default false: the main thread does it */
  isPatient?: boolean;
  /** How often the threads are checked for work that does not end, in milliseconds. @default 1000 */
  checkMs?: number;
  /** A thread that is at the same chunk in this many checks is ended. @default 30 */
  longestWorkChecks?: number;
  /** After this many threads in a row that could not start, no more are started. @default 3 */
  maxFailedStarts?: number;
  /** A thread that takes longer to start is not waited for, in milliseconds. @default 1000 */
  longestStartMs?: number;
  /** Whether shared memory is overwritten when it becomes free; see `SharedBuffers`. @default false */
  poisonsFreed?: boolean;
  /** Receives a warning if threads do not start. */
  warn?: (message: string) => void;
}
