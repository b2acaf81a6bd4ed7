/**
 * One batch: the IDs that callers look up within one window, for one timestamp and one layer. The batch sorts
 * them, sends them in requests, and delivers the answers to the callers.
 */
import { DeadlineError } from '../../base/errors.ts';
import { inStretches, type PausableWork, type CooperativeRunner } from '../../base/cooperative-work.ts';
import { wordsOf } from '../../base/uint64.ts';
import { sendInBatches, type BatchSenderOptions } from '../../failures/batch-sender.ts';
import { findDistinctInSteps, findSortedId } from '../ids/distinct.ts';
import { BatchAnswers, idsFromWords, isAnswered, PENDING, SHARED } from './batch-answers.ts';
import { deliverAnswers, type RootCaller, type Delivery } from './deliver-answers.ts';
import type { IdLayout } from '../ids/id-layout.ts';
import { RootOutcome } from './root-source.ts';

/** What batches of one kind have in common. */
export interface RootBatchParts {
  /** Layout of the graph's IDs. */
  ids: IdLayout;
  /** Layer of the roots. */
  nLayers: number;
  /**
   * Sends one request. Returns the server's answers in the order of `list`. An answer below the requested
   * layer is not a root.
   */
  request: (
    list: BigUint64Array,
    question: { timestampMs: number; layer: number; signal: AbortSignal },
  ) => Promise<BigUint64Array>;
  /** Called when the server echoed all IDs of a request: it knows none of them. */
  onAllUnknown: (count: number, timestampMs: number) => void;
  /** How the IDs are split into requests, and how requests are retried. */
  sender: BatchSenderOptions;
  runner: CooperativeRunner;
}

interface WaitingCaller extends RootCaller {
  /** For each marked ID, in order, its index in the batch. Known once the batch is closed. */
  indices: Uint32Array;
  /** All IDs before this one are answered. */
  next: number;
  resolve: (delivered: void | Promise<void>) => void;
  reject: (error: unknown) => void;
}

/** Most IDs that are delivered after a deadline. They take about 30 ms. */
const MAX_LATE_IDS = 2 ** 18;

/** IDs that an earlier batch already requests. */
interface Shared {
  batch: RootBatch;
  /** The indices of these IDs in the earlier batch (ascending), and in this one. */
  theirIndices: number[];
  ownIndices: number[];
  next: number;
}

/**
 * Most answers that are copied from an earlier batch in one turn of the event loop. They take a few
 * milliseconds.
 */
const COPIES_PER_TURN = 2 ** 17;
/** Most answers of one caller that are checked in one turn. */
const CHECKS_PER_TURN = 2 ** 17;
/** Answers between two pauses. Of the first ones, each takes a microsecond. */
const NOTES_PER_STRETCH = 4096;
const NONE = new Uint32Array(0);

/** The look-ups of one window, for one timestamp and one layer. */
export class RootBatch {
  readonly #timestampMs: number;
  readonly #layer: number;
  readonly #parts: RootBatchParts;
  readonly #abort = new AbortController();
  readonly #waiting = new Map<RootCaller, WaitingCaller>();
  /** Later batches that wait for answers of this one. */
  readonly #followers = new Set<RootBatch>();
  readonly #shared: Shared[] = [];
  #answers = BatchAnswers.none();
  readonly #deliveries = new WeakMap<RootCaller, Delivery>();
  #preparing: Promise<void> | undefined;
  #calls = 0;
  #unanswered = 0;
  #requests = 0;
  #end!: () => void;
  /** Resolves when all answers are there, or when no caller is left. */
  readonly ended = new Promise<void>((resolve) => (this.#end = resolve));

  constructor(timestampMs: number, layer: number, parts: RootBatchParts) {
    this.#timestampMs = timestampMs;
    this.#layer = layer;
    this.#parts = parts;
  }

  /** Adds a caller. Resolves when all of its IDs have answers. */
  add(caller: RootCaller): Promise<void> {
    return new Promise((resolve, reject) =>
      this.#waiting.set(caller, { ...caller, indices: NONE, next: 0, resolve, reject }),
    );
  }

  /** Resolves when a caller has received the answers that arrived before its deadline. */
  async whenDelivered(caller: RootCaller): Promise<void> {
    await this.#deliveries.get(caller)?.done; // its errors surface here
  }

  /**
   * Removes a caller.
   *
   * @param reason If it is a DeadlineError, the caller receives the answers that have arrived. Its other IDs
   *   count as failed.
   * @returns Whether a caller is left. If not, the requests are cancelled.
   */
  leave(caller: RootCaller, reason: unknown): boolean {
    const deadline = reason instanceof DeadlineError ? reason : undefined;
    const waiting = this.#waiting.get(caller),
      delivery = this.#deliveries.get(caller);
    if (waiting && deadline) void this.#startDelivery(caller, waiting, deadline);
    if (delivery) Object.assign(delivery, { maxIds: deadline ? MAX_LATE_IDS : 0, deadline });
    this.#waiting.delete(caller);
    return this.#cancelUnlessWanted(reason);
  }

  #unfollow(follower: RootBatch, reason: unknown): void {
    this.#followers.delete(follower);
    this.#cancelUnlessWanted(reason);
  }

  #cancelUnlessWanted(reason?: unknown): boolean {
    if (this.#waiting.size + this.#followers.size > 0) return true;
    this.#abort.abort(reason);
    for (const { batch } of this.#shared.splice(0)) batch.#unfollow(this, reason);
    this.#end();
    return false;
  }

  summarize(): { timestamp: Date; calls: number; distinct: number; requests: number } {
    const { count } = this.#answers;
    return {
      timestamp: new Date(this.#timestampMs),
      calls: this.#calls,
      distinct: count,
      requests: this.#requests,
    };
  }

  /**
   * Closes the batch, sorts its IDs, and requests those that no earlier batch requests. Never rejects.
   *
   * @param inFlight Earlier batches for the same timestamp and layer that still wait for answers.
   */
  async send(inFlight: readonly RootBatch[]): Promise<void> {
    let indices: Uint32Array | undefined;
    try {
      const preparing = this.#parts.runner.run(this.#gather(), this.#abort.signal);
      if (preparing) await (this.#preparing = preparing);
      for (const batch of inFlight) {
        if (batch.#preparing) await batch.#preparing.catch(() => undefined);
        const sharing = this.#parts.runner.run(this.#share(batch), this.#abort.signal);
        if (sharing) await sharing;
      }
      if (this.#shared.length > 0)
        indices = await this.#parts.runner.run(this.#pendingIndices(), this.#abort.signal);
    } catch (error) {
      for (const batch of inFlight) if (batch.#followers.has(this)) batch.#unfollow(this, error);
      for (const { reject } of this.#waiting.values()) reject(error);
      this.#waiting.clear();
      this.#cancelUnlessWanted(error);
      return;
    }
    if (this.#abort.signal.aborted) return; // no caller is left
    void sendInBatches(
      {
        count: indices ? indices.length : this.#unanswered,
        send: (start, end) => this.#request(start, end, indices),
        fail: (start, end, error) => void this.#fail(start, end, indices, error),
        signal: this.#abort.signal,
      },
      this.#parts.sender,
    );
    this.#progress(); // shared IDs may already have answers
  }

  *#gather(): PausableWork {
    const callers = [...this.#waiting.values()];
    this.#calls = callers.length;
    const { ids, indices } = yield* findDistinctInSteps(yield* collectMarkedIds(callers));
    const answers = yield* BatchAnswers.create(ids);
    let at = 0;
    for (const caller of callers) caller.indices = indices.subarray(at, (at += caller.count));
    this.#answers = answers;
    this.#unanswered = ids.length;
  }

  *#share(batch: RootBatch): PausableWork {
    if (batch.#abort.signal.aborted) return;
    const shared: Shared = { batch, theirIndices: [], ownIndices: [], next: 0 };
    batch.#followers.add(this); // answers may arrive while this loop pauses
    const { ids, outcomes } = this.#answers;
    yield* inStretches(outcomes.length, (from, end) => {
      for (let index = from; index < end; index++) {
        if (outcomes[index] !== PENDING) continue;
        const theirIndex = findSortedId(ids[2 * index], ids[2 * index + 1], batch.#answers.ids);
        // a failed ID is requested again
        if (theirIndex < 0 || batch.#answers.outcomes[theirIndex] === RootOutcome.failed) continue;
        outcomes[index] = SHARED;
        shared.theirIndices.push(theirIndex);
        shared.ownIndices.push(index);
      }
    });
    if (shared.ownIndices.length > 0 && !this.#abort.signal.aborted) this.#shared.push(shared);
    else batch.#unfollow(this, undefined);
  }

  *#pendingIndices(): PausableWork<Uint32Array> {
    const { outcomes } = this.#answers,
      indices = new Uint32Array(outcomes.length);
    let count = 0;
    yield* inStretches(outcomes.length, (from, end) => {
      for (let index = from; index < end; index++) if (outcomes[index] === PENDING) indices[count++] = index;
    });
    return indices.subarray(0, count);
  }

  /**
   * Sends one request.
   *
   * @param indices Indices of the requested IDs. Undefined means all IDs, in order.
   */
  async #request(start: number, end: number, indices: Uint32Array | undefined): Promise<void> {
    const { ids: layout, nLayers, request, onAllUnknown } = this.#parts;
    const timestampMs = this.#timestampMs,
      layer = this.#layer;
    const { ids, roots, outcomes } = this.#answers;
    const words = indices
      ? this.#answers.wordsAt(indices.subarray(start, end))
      : ids.subarray(2 * start, 2 * end);
    this.#requests++;
    const found = wordsOf(
      await request(idsFromWords(words), { timestampMs, layer, signal: this.#abort.signal }),
    );
    let echoed = 0;
    const note = (from: number, to: number): void => {
      for (let k = from; k < to; k++) {
        const index = indices ? indices[start + k] : start + k;
        const low = found[2 * k],
          high = found[2 * k + 1];
        // For an unknown ID the server answers 0 or the ID itself. The layer of the answer tells whether it
        // is a root.
        const reached = layout.layerOf(high);
        if (reached >= layer && reached <= nLayers) {
          roots[2 * index] = low;
          roots[2 * index + 1] = high;
          outcomes[index] = RootOutcome.ok;
        } else {
          outcomes[index] = RootOutcome.noRoot;
          if (low === words[2 * k] && high === words[2 * k + 1]) echoed++;
        }
      }
    };
    const noting = this.#parts.runner.run(inStretches(end - start, note, NOTES_PER_STRETCH));
    if (noting) await noting;
    if (echoed === end - start) onAllUnknown(echoed, timestampMs);
    this.#unanswered -= end - start;
    this.#progress();
  }

  async #fail(start: number, end: number, indices: Uint32Array | undefined, error: Error): Promise<void> {
    const list = indices ? indices.subarray(start, end) : { start, end };
    const failing = this.#parts.runner.run(this.#answers.fail(list, error));
    if (failing) await failing;
    this.#unanswered -= end - start;
    this.#progress();
  }

  /** Copies the answers of earlier batches, and delivers to the callers whose answers are complete. */
  #progress(): void {
    for (const shared of this.#shared) this.#copyAnswers(shared);
    for (const [caller, waiting] of this.#waiting) {
      if (!this.#isComplete(waiting)) continue;
      this.#waiting.delete(caller);
      waiting.resolve(this.#startDelivery(caller, waiting));
    }
    for (const follower of this.#followers) follower.#progress();
    if (this.#unanswered === 0) this.#end();
    else this.#cancelUnlessWanted();
  }

  #isComplete(waiting: WaitingCaller): boolean {
    if (this.#unanswered === 0) return true;
    const { indices } = waiting,
      limit = waiting.next + CHECKS_PER_TURN;
    for (; waiting.next < indices.length; waiting.next++) {
      if (!isAnswered(this.#answers.outcomes[indices[waiting.next]])) return false;
      if (waiting.next < limit) continue;
      void this.#parts.runner.pause().then(() => this.#progress());
      return false;
    }
    return true;
  }

  #copyAnswers(shared: Shared): void {
    const { batch, theirIndices, ownIndices } = shared;
    if (shared.next === ownIndices.length) return;
    const limit = shared.next + COPIES_PER_TURN;
    for (; shared.next < ownIndices.length; shared.next++) {
      if (shared.next === limit) return void this.#parts.runner.pause().then(() => this.#progress());
      const from = theirIndices[shared.next];
      if (!isAnswered(batch.#answers.outcomes[from])) return;
      this.#answers.copyAnswer(batch.#answers, from, ownIndices[shared.next]);
      this.#unanswered--;
    }
    this.#requests += batch.#requests;
    batch.#followers.delete(this);
  }

  /**
   * Starts the delivery to a caller.
   *
   * @param deadline The deadline that has passed, if any. Then the answers that have arrived are delivered.
   */
  #startDelivery(caller: RootCaller, waiting: WaitingCaller, deadline?: DeadlineError): void | Promise<void> {
    const delivery: Delivery = { maxIds: deadline ? MAX_LATE_IDS : Infinity, deadline, done: undefined };
    this.#deliveries.set(caller, delivery);
    const work = deliverAnswers(this.#answers, () => this.#requests, waiting, waiting.indices, delivery);
    delivery.done = this.#parts.runner.run(work);
    return delivery.done;
  }
}

/** Returns the marked IDs of all callers, one caller after the other, as pairs of uint32. */
function* collectMarkedIds(callers: readonly RootCaller[]): PausableWork<Uint32Array> {
  const [first] = callers;
  if (callers.length === 1 && first.count === first.marks.length) return first.ids;
  const words = new Uint32Array(2 * callers.reduce((sum, { count }) => sum + count, 0));
  let at = 0;
  for (const { ids, marks, mark } of callers) {
    yield* inStretches(marks.length, (from, end) => {
      for (let i = from; i < end; i++) {
        if (marks[i] !== mark) continue;
        words[at++] = ids[2 * i];
        words[at++] = ids[2 * i + 1];
      }
    });
  }
  return words;
}
