/** A client with threads, and a server at a distance, in simulated time. */
import { randomFrom } from '../../mocks/random.ts';
import { AdaptiveLimit, type LimitClock, type ReadLimit } from '../../lib/chunks/adaptive-limit.ts';

/** What the reads of a simulation wait for. */
export interface Place {
  reads: number;
  /** Milliseconds until a reply comes. */
  latencyMs: number;
  /** Milliseconds for which a read keeps a thread busy. */
  workMs: number;
  /** Threads that work. The main thread works alone if there is one. */
  threads?: number;
  /** Stored bytes per read. */
  bytes?: number;
  /** The latency varies by this part of it, up and down. */
  spread?: number;
  seed?: number;
  /** How many requests the server answers at the same time. @default all */
  serverSlots?: number;
  /** The first reads keep a thread busy for `coldFactor` times as long. */
  coldReads?: number;
  coldFactor?: number;
  /** For how long all threads are busy when the reads begin. */
  startMs?: number;
}

interface Read {
  sentAt: number;
  at: number;
}

/**
 * Reads until all have ended.
 * @returns The time it took, the largest and the last limit, and the limit at a time.
 */
export function simulateReads(
  place: Place,
  makeLimit: (clock: LimitClock) => ReadLimit = (clock) => new AdaptiveLimit(clock),
): { ms: number; most: number; last: number; limitAt: (ms: number) => number } {
  const { reads, latencyMs, workMs, threads: count = 1, bytes = 20_000, spread = 0, seed = 1 } = place,
    { serverSlots = Infinity, coldReads = 0, coldFactor = 1, startMs = 0 } = place;
  let now = 0,
    waiting = reads,
    done = 0;
  const random = randomFrom(seed);
  const threads = Array.from({ length: count }, () => ({ busyMs: startMs, at: startMs }));
  // Work that is not done yet does not count.
  const busyMs = (): number =>
    threads.reduce((sum, { busyMs, at }) => sum + busyMs - Math.max(0, at - now), 0) / count;
  const limit = makeLimit({ now: () => now, busyMs: () => (count === 1 ? [busyMs(), 0] : [0, busyMs()]) });
  const limits: { at: number; limit: number }[] = [{ at: 0, limit: limit.limit }],
    coming: Read[] = [],
    ending: Read[] = [],
    slots: { at: number }[] = [];

  const send = (): void => {
    while (waiting > 0 && coming.length + ending.length < limit.limit) {
      waiting--;
      let beginsAt = now;
      if (slots.length >= serverSlots) beginsAt = Math.max(now, slots.splice(earliest(slots), 1)[0].at);
      const at = beginsAt + latencyMs * (1 + spread * (2 * random() - 1));
      if (serverSlots < Infinity) slots.push({ at });
      coming.push({ sentAt: now, at });
    }
  };
  limit.resume();
  send();
  while (coming.length + ending.length > 0) {
    const next = earliest(coming),
      last = earliest(ending);
    if (next >= 0 && (last < 0 || coming[next].at <= ending[last].at)) {
      const [{ sentAt, at }] = coming.splice(next, 1),
        thread = threads[earliest(threads)],
        work = workMs * (done < coldReads ? coldFactor : 1);
      thread.at = Math.max(at, thread.at) + work;
      thread.busyMs += work;
      ending.push({ sentAt, at: thread.at });
      continue;
    }
    const [{ sentAt, at }] = ending.splice(last, 1);
    now = at;
    done++;
    if (limit.ended(now - sentAt, bytes, waiting)) limits.push({ at: now, limit: limit.limit });
    send();
  }
  return {
    ms: now,
    most: Math.max(...limits.map((step) => step.limit)),
    last: limit.limit,
    limitAt: (ms) => limits.findLast(({ at }) => at <= ms)!.limit,
  };
}

function earliest(list: readonly { readonly at: number }[]): number {
  let first = list.length - 1;
  for (let k = 0; k < list.length; k++) if (list[k].at < list[first].at) first = k;
  return first;
}
