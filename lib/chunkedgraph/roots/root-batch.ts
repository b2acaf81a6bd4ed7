/** The IDs of one window that ask for the same moment and layer: entered, sorted, sent, and handed back to those who asked. */
import { DeadlineError } from '../../base/errors.ts';
import { inStretches, type PausableWork, type CooperativeRunner } from '../../base/cooperative-work.ts';
import { wordsOf } from '../../base/uint64.ts';
import { sendInBatches, type BatchSenderOptions } from '../../failures/batch-sender.ts';
import { findDistinctInSteps, findSortedId } from '../ids/distinct.ts';
import { BatchAnswers, idsFromWords, isAnswered, PENDING, SHARED } from './batch-answers.ts';
import { deliverAnswers, type Caller, type Delivery } from './deliver-answers.ts';
import type { IdLayout } from '../ids/id-layout.ts';
import { RootOutcome } from './root-source.ts';

export interface RootBatchParts {
  ids: IdLayout;
  nLayers: number;
  /** The server's answers in the order of `list`; only those of the wanted layer or above count. */
  request: (
    list: BigUint64Array,
    question: { timestampMs: number; layer: number; signal: AbortSignal },
  ) => Promise<BigUint64Array>;
  /** Told when a request's answers were its very IDs. */
  onAllUnknown: (count: number, timestampMs: number) => void;
  sender: BatchSenderOptions;
  pacer: CooperativeRunner;
}

interface Waiting extends Caller {
  /** Of each marked ID, in order, its place in the batch; from the batch's closing on. */
  places: Uint32Array;
  /** All before it are answered. */
  next: number;
  resolve: (delivered: void | Promise<void>) => void;
  reject: (error: unknown) => void;
}

/** IDs that are delivered after a deadline: some 30 ms. */
const MOST_LATE = 2 ** 18;

/** IDs that an earlier batch is asking about already. */
interface Shared {
  batch: RootBatch;
  /** Places in that batch, ascending, and in this one. */
  theirs: number[];
  ours: number[];
  next: number;
}

/** IDs that are taken over from an earlier batch in one turn of the event loop: a few milliseconds. */
const TAKEN_AT_ONCE = 2 ** 17;
const NONE = new Uint32Array(0);

export class RootBatch {
  readonly #timestampMs: number;
  readonly #layer: number;
  readonly #parts: RootBatchParts;
  readonly #abort = new AbortController();
  readonly #waiting = new Map<Caller, Waiting>();
  /** Later batches that wait for answers of this one. */
  readonly #followers = new Set<RootBatch>();
  readonly #shared: Shared[] = [];
  #answers = new BatchAnswers(new BigUint64Array(0));
  readonly #deliveries = new WeakMap<Caller, Delivery>();
  #preparing: Promise<void> | undefined;
  #calls = 0;
  #unanswered = 0;
  #requests = 0;
  #end!: () => void;
  /** Resolves when no answer is missing, or none is wanted. */
  readonly ended = new Promise<void>((resolve) => (this.#end = resolve));

  constructor(timestampMs: number, layer: number, parts: RootBatchParts) {
    this.#timestampMs = timestampMs;
    this.#layer = layer;
    this.#parts = parts;
  }

  /** Resolves when all of the caller's IDs have their answers. */
  add(caller: Caller): Promise<void> {
    return new Promise((resolve, reject) =>
      this.#waiting.set(caller, { ...caller, places: NONE, next: 0, resolve, reject }),
    );
  }

  /** After a deadline: when the caller has got what there is. */
  async whenDelivered(caller: Caller): Promise<void> {
    await this.#deliveries.get(caller)?.done; // what it rejects with is told here
  }

  /**
   * @param reason A deadline leaves the caller with the answers that are there; its other IDs have failed.
   * @returns whether somebody still waits; when nobody does, requests are cancelled.
   */
  leave(caller: Caller, reason: unknown): boolean {
    const deadline = reason instanceof DeadlineError ? reason : undefined;
    const waiting = this.#waiting.get(caller),
      delivery = this.#deliveries.get(caller);
    if (waiting && deadline) void this.#begin(caller, waiting, deadline);
    if (delivery) Object.assign(delivery, { most: deadline ? MOST_LATE : 0, deadline });
    this.#waiting.delete(caller);
    return this.#isWanted(reason);
  }

  #unfollow(follower: RootBatch, reason: unknown): void {
    this.#followers.delete(follower);
    this.#isWanted(reason);
  }

  #isWanted(reason?: unknown): boolean {
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

  /** Nobody enters any more: sorts the IDs and asks about those that no batch under way is asking about. Never rejects. */
  async send(underWay: readonly RootBatch[]): Promise<void> {
    let places: Uint32Array | undefined;
    try {
      const preparing = this.#parts.pacer.run(this.#gather(), this.#abort.signal);
      if (preparing) await (this.#preparing = preparing);
      for (const batch of underWay) {
        if (batch.#preparing) await batch.#preparing.catch(() => undefined);
        const sharing = this.#parts.pacer.run(this.#share(batch), this.#abort.signal);
        if (sharing) await sharing;
      }
      if (this.#shared.length > 0)
        places = await this.#parts.pacer.run(this.#pendingPlaces(), this.#abort.signal);
    } catch (error) {
      for (const batch of underWay) if (batch.#followers.has(this)) batch.#unfollow(this, error);
      for (const { reject } of this.#waiting.values()) reject(error);
      this.#waiting.clear();
      this.#isWanted(error);
      return;
    }
    if (this.#abort.signal.aborted) return; // everybody has left meanwhile
    void sendInBatches(
      {
        count: places ? places.length : this.#unanswered,
        send: (start, end) => this.#ask(start, end, places),
        fail: (start, end, error) => this.#fail(start, end, places, error),
        signal: this.#abort.signal,
      },
      this.#parts.sender,
    );
    this.#progress(); // what is shared may have its answers
  }

  *#gather(): PausableWork {
    const callers = [...this.#waiting.values()];
    this.#calls = callers.length;
    const { ids, indices: places } = yield* findDistinctInSteps(yield* markedOf(callers));
    let at = 0;
    for (const caller of callers) caller.places = places.subarray(at, (at += caller.count));
    this.#answers = new BatchAnswers(ids);
    this.#unanswered = ids.length;
  }

  *#share(batch: RootBatch): PausableWork {
    if (batch.#abort.signal.aborted) return;
    const shared: Shared = { batch, theirs: [], ours: [], next: 0 };
    batch.#followers.add(this); // it goes on while this looks
    const { ids, outcomes: fates } = this.#answers;
    yield* inStretches(fates.length, (from, end) => {
      for (let place = from; place < end; place++) {
        if (fates[place] !== PENDING) continue;
        const theirs = findSortedId(ids[2 * place], ids[2 * place + 1], batch.#answers.ids);
        // what has failed is asked anew
        if (theirs < 0 || batch.#answers.outcomes[theirs] === RootOutcome.failed) continue;
        fates[place] = SHARED;
        shared.theirs.push(theirs);
        shared.ours.push(place);
      }
    });
    if (shared.ours.length > 0 && !this.#abort.signal.aborted) this.#shared.push(shared);
    else batch.#unfollow(this, undefined);
  }

  *#pendingPlaces(): PausableWork<Uint32Array> {
    const { outcomes: fates } = this.#answers,
      places = new Uint32Array(fates.length);
    let count = 0;
    yield* inStretches(fates.length, (from, end) => {
      for (let place = from; place < end; place++) if (fates[place] === PENDING) places[count++] = place;
    });
    return places.subarray(0, count);
  }

  /** @param places Of the IDs that are asked; undefined: all of them, in order. */
  async #ask(start: number, end: number, places: Uint32Array | undefined): Promise<void> {
    const { ids: layout, nLayers, request: ask, onAllUnknown } = this.#parts;
    const timestampMs = this.#timestampMs,
      layer = this.#layer;
    const { ids, roots, outcomes: fates } = this.#answers;
    const asked = places
      ? this.#answers.wordsAt(places.subarray(start, end))
      : ids.subarray(2 * start, 2 * end);
    this.#requests++;
    const found = wordsOf(await ask(idsFromWords(asked), { timestampMs, layer, signal: this.#abort.signal }));
    let echoed = 0;
    const noting = this.#parts.pacer.run(
      inStretches(end - start, (from, to) => {
        for (let k = from; k < to; k++) {
          const place = places ? places[start + k] : start + k;
          const low = found[2 * k],
            high = found[2 * k + 1];
          // The server answers 0, or the very ID, for what it does not know: only a high enough layer makes an answer a root.
          const reached = layout.layerOf(high);
          if (reached >= layer && reached <= nLayers) {
            roots[2 * place] = low;
            roots[2 * place + 1] = high;
            fates[place] = RootOutcome.ok;
          } else {
            fates[place] = RootOutcome.noRoot;
            if (low === asked[2 * k] && high === asked[2 * k + 1]) echoed++;
          }
        }
      }),
    );
    if (noting) await noting;
    if (echoed === end - start) onAllUnknown(echoed, timestampMs);
    this.#unanswered -= end - start;
    this.#progress();
  }

  #fail(start: number, end: number, places: Uint32Array | undefined, error: Error): void {
    this.#answers.fail(places ? places.subarray(start, end) : { start, end }, error);
    this.#unanswered -= end - start;
    this.#progress();
  }

  /** Takes over what earlier batches have got, delivers what is complete. */
  #progress(): void {
    for (const shared of this.#shared) this.#takeOver(shared);
    for (const [caller, waiting] of this.#waiting) {
      if (!this.#isComplete(waiting)) continue;
      this.#waiting.delete(caller);
      waiting.resolve(this.#begin(caller, waiting));
    }
    for (const follower of this.#followers) follower.#progress();
    if (this.#unanswered === 0) this.#end();
    else this.#isWanted();
  }

  #isComplete(waiting: Waiting): boolean {
    if (this.#unanswered === 0) return true;
    const { places } = waiting;
    while (waiting.next < places.length && isAnswered(this.#answers.outcomes[places[waiting.next]]))
      waiting.next++;
    return waiting.next === places.length;
  }

  #takeOver(shared: Shared): void {
    const { batch, theirs, ours } = shared;
    if (shared.next === ours.length) return;
    const most = shared.next + TAKEN_AT_ONCE;
    for (; shared.next < ours.length; shared.next++) {
      if (shared.next === most) return void this.#parts.pacer.pause().then(() => this.#progress());
      const from = theirs[shared.next];
      if (!isAnswered(batch.#answers.outcomes[from])) return;
      this.#answers.copyAnswer(batch.#answers, from, ours[shared.next]);
      this.#unanswered--;
    }
    this.#requests += batch.#requests;
    batch.#followers.delete(this);
  }

  /** @param deadline After it: what is there is delivered. */
  #begin(caller: Caller, waiting: Waiting, deadline?: DeadlineError): void | Promise<void> {
    const delivery: Delivery = { maxIds: deadline ? MOST_LATE : Infinity, deadline, done: undefined };
    this.#deliveries.set(caller, delivery);
    const work = deliverAnswers(this.#answers, () => this.#requests, waiting, waiting.places, delivery);
    delivery.done = this.#parts.pacer.run(work);
    return delivery.done;
  }
}

/** The IDs that bear their caller's mark, as pairs of words, one caller after the other. */
function* markedOf(callers: readonly Caller[]): PausableWork<Uint32Array> {
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
