/** What happens while a volume is read, one event each, for progress, statistics and reports. Nothing is made when nobody listens. */

/** A chunk that was wanted: read from its store, or from the disk cache. Chunks in the LRU of a volume make no event. */
export interface ChunkEvent {
  type: 'chunk';
  /** Where it is stored; without credentials. */
  url: string;
  from: 'store' | 'cache';
  outcome: 'read' | 'missing' | 'failed';
  /** Stored bytes of the chunk, its bitstream included; 0 unless it was read. */
  bytes: number;
  /** From the beginning of the read that it is part of until it was there, failed or was found missing. */
  ms: number;
  /** Why, when it failed. */
  error?: unknown;
}

/** One request for roots, each attempt of its own. */
export interface RootRequestEvent {
  type: 'rootRequest';
  endpoint: 'roots' | 'is_latest_roots';
  /** IDs asked. */
  ids: number;
  timestamp: Date;
  /** Bytes of the IDs asked and answered. */
  bytes: number;
  ms: number;
  /** Why, when there is no answer. */
  error?: unknown;
}

/** Root look-ups that were answered together. */
export interface BatchEvent {
  type: 'batch';
  timestamp: Date;
  /** Look-ups that came within one window. */
  calls: number;
  /** Distinct IDs of them all. */
  distinct: number;
  /** Requests that answered them, those of other batches for the same IDs included. */
  requests: number;
  /** From the end of the window until the last answer was there, or nobody waited any more. */
  ms: number;
}

/** A request that failed and is sent again. */
export interface RetryEvent {
  type: 'retry';
  host: string;
  /** Attempts made so far. */
  made: number;
  /** The wait before the next one. */
  delayMs: number;
}

export type VolumeEvent = ChunkEvent | RootRequestEvent | BatchEvent | RetryEvent;

export type Observer = (event: VolumeEvent) => void;

/** What tells of the retries of requests to a host. */
export const retryObserver =
  (host: string, observe: Observer) =>
  (made: number, delayMs: number): void =>
    observe({ type: 'retry', host, made, delayMs });

/**
 * @param onEvent The caller's own. What goes wrong in it disturbs nothing, and is told once.
 * @returns undefined when there is none: whoever makes events asks first.
 */
export function createObserver(
  onEvent: ((event: VolumeEvent) => unknown) | undefined,
  warn: (message: string) => void,
): Observer | undefined {
  if (!onEvent) return undefined;
  let isTold = false;
  const failed = (error: unknown): void => {
    if (isTold) return;
    isTold = true;
    warn(`onEvent failed, and goes on being told: ${error instanceof Error ? error.message : String(error)}`);
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
