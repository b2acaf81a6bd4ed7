/**
 * The events that a volume reports to its `onEvent` option: chunks read, requests for roots, retries. They
 * are meant for progress bars, statistics and reports. Without an `onEvent`, no event is made.
 */

/**
 * One chunk that was read from its store or from the disk cache, or could not be. Chunks found in the memory
 * cache make no event.
 */
export interface ChunkEvent {
  /** Tells this event from the others. */
  type: 'chunk';
  /** Where the chunk is stored, without credentials. */
  url: string;
  /** Whether the chunk came from its store or from the disk cache. */
  from: 'store' | 'cache';
  /** `missing`: the chunk is not stored, so its voxels are background. */
  outcome: 'read' | 'missing' | 'failed';
  /** Stored bytes of the chunk, still compressed; 0 unless it was read. */
  bytes: number;
  /** Milliseconds from the start of the read that the chunk was part of until its outcome was known. */
  ms: number;
  /** The error, if the chunk failed. */
  error?: unknown;
}

/** One request for roots. Each attempt makes an event of its own. */
export interface RootRequestEvent {
  /** Tells this event from the others. */
  type: 'rootRequest';
  /** `roots` looks up root IDs; `is_latest_roots` checks whether roots are the latest. */
  endpoint: 'roots' | 'is_latest_roots';
  /** IDs in the request. */
  ids: number;
  /** The timestamp of the look-up. */
  timestamp: Date;
  /** Bytes of the IDs sent and received. */
  bytes: number;
  /** Milliseconds that the request took. */
  ms: number;
  /** The error, if the request has no valid answer. */
  error?: unknown;
}

/** Root look-ups that were collected within a short window and answered together. */
export interface BatchEvent {
  /** Tells this event from the others. */
  type: 'batch';
  /** The timestamp of the look-ups. */
  timestamp: Date;
  /** Look-ups in the batch. */
  calls: number;
  /** Distinct IDs in the batch. */
  distinct: number;
  /** Requests that answered the batch, including requests of other batches for the same IDs. */
  requests: number;
  /**
   * Milliseconds from the end of the window until the last answer came, or until no caller waited any longer.
   */
  ms: number;
}

/** A request that failed and will be sent again. */
export interface RetryEvent {
  /** Tells this event from the others. */
  type: 'retry';
  /** The host that the request goes to. */
  host: string;
  /** Attempts made so far. */
  made: number;
  /** Milliseconds until the next attempt. */
  delayMs: number;
}

/** Any event that a volume reports to `onEvent`; `type` tells them apart. */
export type VolumeEvent = ChunkEvent | RootRequestEvent | BatchEvent | RetryEvent;

/** A function that receives every event. It never throws. */
export type Observer = (event: VolumeEvent) => void;

/** Returns a function that reports the retries of requests to one host. */
export const retryObserver =
  (host: string, observe: Observer) =>
  (made: number, delayMs: number): void =>
    observe({ type: 'retry', host, made, delayMs });

/**
 * Wraps the caller's `onEvent` so that an error in it cannot disturb a read. Its first error is reported as a
 * warning.
 * @returns undefined if there is no `onEvent`: no event need be made then.
 */
export function createObserver(
  onEvent: ((event: VolumeEvent) => unknown) | undefined,
  warn: (message: string) => void,
): Observer | undefined {
  if (!onEvent) return undefined;
  let hasWarned = false;
  const failed = (error: unknown): void => {
    if (hasWarned) return;
    hasWarned = true;
    warn(`onEvent failed, and is still called: ${error instanceof Error ? error.message : String(error)}`);
  };
  return (event) => {
    try {
      const returned = onEvent(event);
      if (typeof returned === 'object' && returned !== null) Promise.resolve(returned).catch(failed);
    } catch (error) {
      failed(error);
    }
  };
}
