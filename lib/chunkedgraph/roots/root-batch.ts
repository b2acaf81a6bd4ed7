/** The IDs of one window that ask for the same moment and layer: entered, sorted, sent, and handed back to those who asked. */
import { DeadlineError } from '../../base/errors.ts';
import { byStretches, type Paced, type Pacer } from '../../base/pacer.ts';
import { wordsOf } from '../../base/uint64.ts';
import { sendInBatches, type BatchSenderOptions } from '../../failures/batch-sender.ts';
import { distinguishing, placeOf } from '../ids/distinct.ts';
import type { IdLayout } from '../ids/id-layout.ts';
import { noteReason, RootFate, type RootFailure, type RootsAnswer } from './root-source.ts';

export interface RootBatchParts {
  ids: IdLayout;
  nLayers: number;
  /** The server's answers in the order of `list`; only those of the wanted layer or above count. */
  ask: (
    list: BigUint64Array,
    question: { timestampMs: number; layer: number; signal: AbortSignal },
  ) => Promise<BigUint64Array>;
  /** Told when a request's answers were its very IDs. */
  onAllUnknown: (count: number, timestampMs: number) => void;
  sender: BatchSenderOptions;
  pacer: Pacer;
}

/** Who asked, and where the answers go. */
export interface Caller {
  /** IDs as pairs of words, which stay as they are. */
  ids: Uint32Array;
  /** One an ID: which of them are asked about here bear the mark. */
  marks: Uint8Array;
  mark: number;
  /** How many IDs bear the mark. */
  count: number;
  answer: RootsAnswer;
}

interface Waiting extends Caller {
  /** Of each marked ID, in order, its place in the batch; from the batch's closing on. */
  places: Uint32Array;
  /** All before it are answered. */
  next: number;
  resolve: (handed: void | Promise<void>) => void;
  reject: (error: unknown) => void;
}

/** Answers on their way to a caller. */
interface Handing {
  /** No more IDs than this are handed over. */
  most: number;
  /** What those without an answer, or beyond that, have failed of. */
  deadline: DeadlineError | undefined;
  done: void | Promise<void>;
}

/** IDs that are handed over after a deadline: some 30 ms. */
const MOST_LATE = 2 ** 18;

/** IDs that an earlier batch is asking about already. */
interface Shared {
  batch: RootBatch;
  /** Places in that batch, ascending, and in this one. */
  theirs: number[];
  ours: number[];
  next: number;
}

/** Fates of IDs without an answer: this batch asks about them, or an earlier one does. */
const PENDING = 255,
  SHARED = 254;
const isAnswered = (fate: number): boolean => fate < SHARED;
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
  /** By place, as pairs of words. */
  #ids: Uint32Array = NONE;
  #roots: Uint32Array = NONE;
  #fates = new Uint8Array(0);
  /** By place, the failure plus one; made when the first fails. */
  #failureOf: Uint32Array | undefined;
  readonly #errors: Error[] = [];
  readonly #handing = new WeakMap<Caller, Handing>();
  #preparing: Promise<void> | undefined;
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
  enter(caller: Caller): Promise<void> {
    return new Promise((resolve, reject) =>
      this.#waiting.set(caller, { ...caller, places: NONE, next: 0, resolve, reject }),
    );
  }

  /** After a deadline: when the caller has got what there is. */
  async handed(caller: Caller): Promise<void> {
    await this.#handing.get(caller)?.done; // what it rejects with is told here
  }

  /**
   * @param reason A deadline leaves the caller with the answers that are there; its other IDs have failed.
   * @returns whether somebody still waits; when nobody does, requests are cancelled.
   */
  leave(caller: Caller, reason: unknown): boolean {
    const deadline = reason instanceof DeadlineError ? reason : undefined;
    const waiting = this.#waiting.get(caller),
      handing = this.#handing.get(caller);
    if (waiting && deadline) void this.#begin(caller, waiting, deadline);
    if (handing) Object.assign(handing, { most: deadline ? MOST_LATE : 0, deadline });
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

  /** Nobody enters any more: sorts the IDs and asks about those that no batch under way is asking about. Never rejects. */
  async send(underWay: readonly RootBatch[]): Promise<void> {
    try {
      const preparing = this.#parts.pacer.run(this.#gather(), this.#abort.signal);
      if (preparing) await (this.#preparing = preparing);
      for (const batch of underWay) {
        if (batch.#preparing) await batch.#preparing.catch(() => undefined);
        const sharing = this.#parts.pacer.run(this.#share(batch), this.#abort.signal);
        if (sharing) await sharing;
      }
    } catch (error) {
      for (const batch of underWay) if (batch.#followers.has(this)) batch.#unfollow(this, error);
      for (const { reject } of this.#waiting.values()) reject(error);
      this.#waiting.clear();
      this.#isWanted(error);
      return;
    }
    if (this.#abort.signal.aborted) return; // everybody has left meanwhile
    const places = this.#shared.length > 0 ? this.#pendingPlaces() : undefined;
    void sendInBatches(
      {
        count: places ? places.length : this.#unanswered,
        ask: (start, end) => this.#ask(start, end, places),
        fail: (start, end, error) => this.#fail(start, end, places, error),
        signal: this.#abort.signal,
      },
      this.#parts.sender,
    );
    this.#progress(); // what is shared may have its answers
  }

  *#gather(): Paced {
    const callers = [...this.#waiting.values()];
    const { ids, places } = yield* distinguishing(yield* markedOf(callers));
    let at = 0;
    for (const caller of callers) caller.places = places.subarray(at, (at += caller.count));
    this.#ids = wordsOf(ids);
    this.#roots = new Uint32Array(this.#ids.length);
    this.#fates = new Uint8Array(ids.length).fill(PENDING);
    this.#unanswered = ids.length;
  }

  *#share(batch: RootBatch): Paced {
    if (batch.#abort.signal.aborted) return;
    const shared: Shared = { batch, theirs: [], ours: [], next: 0 };
    batch.#followers.add(this); // it goes on while this looks
    yield* byStretches(this.#fates.length, (from, end) => {
      for (let place = from; place < end; place++) {
        if (this.#fates[place] !== PENDING) continue;
        const theirs = placeOf(this.#ids[2 * place], this.#ids[2 * place + 1], batch.#ids);
        if (theirs < 0 || batch.#fates[theirs] === RootFate.failed) continue; // what has failed is asked anew
        this.#fates[place] = SHARED;
        shared.theirs.push(theirs);
        shared.ours.push(place);
      }
    });
    if (shared.ours.length > 0 && !this.#abort.signal.aborted) this.#shared.push(shared);
    else batch.#unfollow(this, undefined);
  }

  #pendingPlaces(): Uint32Array {
    const places = new Uint32Array(this.#fates.length);
    let count = 0;
    for (let place = 0; place < this.#fates.length; place++)
      if (this.#fates[place] === PENDING) places[count++] = place;
    return places.subarray(0, count);
  }

  /** @param places Of the IDs that are asked; undefined: all of them, in order. */
  async #ask(start: number, end: number, places: Uint32Array | undefined): Promise<void> {
    const { ids: layout, nLayers, ask, onAllUnknown } = this.#parts;
    const timestampMs = this.#timestampMs,
      layer = this.#layer;
    const asked = places
      ? this.#wordsAt(places.subarray(start, end))
      : this.#ids.subarray(2 * start, 2 * end);
    this.#requests++;
    const roots = wordsOf(await ask(idsOf(asked), { timestampMs, layer, signal: this.#abort.signal }));
    let echoed = 0;
    for (let k = 0; k < end - start; k++) {
      const place = places ? places[start + k] : start + k;
      const low = roots[2 * k],
        high = roots[2 * k + 1];
      // The server answers 0, or the very ID, for what it does not know: only a high enough layer makes an answer a root.
      const reached = layout.layerOf(high);
      if (reached >= layer && reached <= nLayers) {
        this.#roots[2 * place] = low;
        this.#roots[2 * place + 1] = high;
        this.#fates[place] = RootFate.ok;
      } else {
        this.#fates[place] = RootFate.noRoot;
        if (low === asked[2 * k] && high === asked[2 * k + 1]) echoed++;
      }
    }
    if (echoed === end - start) onAllUnknown(echoed, timestampMs);
    this.#unanswered -= end - start;
    this.#progress();
  }

  #wordsAt(places: Uint32Array): Uint32Array {
    const words = new Uint32Array(2 * places.length);
    for (let k = 0; k < places.length; k++) {
      words[2 * k] = this.#ids[2 * places[k]];
      words[2 * k + 1] = this.#ids[2 * places[k] + 1];
    }
    return words;
  }

  #fail(start: number, end: number, places: Uint32Array | undefined, error: Error): void {
    const failureOf = (this.#failureOf ??= new Uint32Array(this.#fates.length));
    const failure = places
      ? this.#failureAt(places[start], places[end - 1] + 1, error)
      : this.#failureAt(start, end, error);
    if (!places) {
      this.#fates.fill(RootFate.failed, start, end);
      failureOf.fill(failure, start, end);
    } else
      for (let k = start; k < end; k++) {
        this.#fates[places[k]] = RootFate.failed;
        failureOf[places[k]] = failure;
      }
    this.#unanswered -= end - start;
    this.#progress();
  }

  /** Takes over what earlier batches have got, hands on what is complete. */
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
    while (waiting.next < places.length && isAnswered(this.#fates[places[waiting.next]])) waiting.next++;
    return waiting.next === places.length;
  }

  #takeOver(shared: Shared): void {
    const { batch, theirs, ours } = shared;
    if (shared.next === ours.length) return;
    for (; shared.next < ours.length; shared.next++) {
      const from = theirs[shared.next],
        to = ours[shared.next];
      if (!isAnswered(batch.#fates[from])) return;
      this.#fates[to] = batch.#fates[from];
      this.#roots[2 * to] = batch.#roots[2 * from];
      this.#roots[2 * to + 1] = batch.#roots[2 * from + 1];
      if (this.#fates[to] === RootFate.failed)
        this.#takeReason(to, batch.#errors[batch.#failureOf![from] - 1]);
      this.#unanswered--;
    }
    this.#requests += batch.#requests;
    batch.#followers.delete(this);
  }

  #takeReason(place: number, error: Error): void {
    const failureOf = (this.#failureOf ??= new Uint32Array(this.#fates.length));
    failureOf[place] = this.#failureAt(place, place + 1, error);
  }

  /** The failure of a stretch, plus one: that of a neighbour with the same reason, or a new one. */
  #failureAt(start: number, end: number, error: Error): number {
    for (const neighbour of [this.#failureOf![start - 1], this.#failureOf![end]])
      if (neighbour && this.#errors[neighbour - 1].message === error.message) return neighbour;
    return this.#errors.push(error);
  }

  /** @param deadline After it: what is there is handed over. */
  #begin(caller: Caller, waiting: Waiting, deadline?: DeadlineError): void | Promise<void> {
    const handing: Handing = { most: deadline ? MOST_LATE : Infinity, deadline, done: undefined };
    this.#handing.set(caller, handing);
    handing.done = this.#parts.pacer.run(this.#hand(waiting, handing));
    return handing.done;
  }

  *#hand({ answer, marks, mark, count, places, ids }: Waiting, handing: Handing): Paced {
    const { fates } = answer,
      out = wordsOf(answer.rootIds);
    const failures = new Map<number, FailureSeen>();
    let handed = 0,
      late = 0,
      seen = 0,
      first = -1;
    const hand = (from: number, end: number): void => {
      for (let i = from; i < end && seen < handing.most; i++) {
        if (marks[i] !== mark) continue;
        const place = places[seen++],
          fate = this.#fates[place] ?? PENDING; // no places before it is sent
        if (!isAnswered(fate)) {
          if (late++ === 0) first = i;
          continue;
        }
        handed++;
        fates[i] = fate;
        out[2 * i] = this.#roots[2 * place];
        out[2 * i + 1] = this.#roots[2 * place + 1];
        if (fate === RootFate.failed) this.#see(place, i, answer, failures);
      }
    };
    yield* byStretches(fates.length, hand);
    for (const {
      index,
      places: [low, high],
    } of failures.values())
      Object.assign(answer.failures[index], { first: this.#idAt(low), last: this.#idAt(high) });
    answer.distinct += this.#fates.length;
    answer.requests += this.#requests;
    if (!handing.deadline || handed === count) return;
    this.#tellLate({ answer, marks, mark, count, ids }, count - handed, Math.max(first, 0), handing.deadline);
  }

  /** Notes that the ID at an index failed, for the reason that the one at a place has. */
  #see(place: number, index: number, answer: RootsAnswer, failures: Map<number, FailureSeen>): void {
    const failure = this.#failureOf![place];
    let seen = failures.get(failure);
    if (!seen) {
      failures.set(failure, (seen = { index: answer.failures.length, places: [place, place] }));
      answer.failures.push({ first: 0n, last: 0n, error: this.#errors[failure - 1] });
    }
    seen.places = [Math.min(seen.places[0], place), Math.max(seen.places[1], place)];
    noteReason(answer, index, seen.index);
  }

  /** IDs that had no answer in time have failed already, and for no other reason: it is the last. */
  #tellLate(
    { answer, marks, mark, count, ids }: Caller,
    late: number,
    from: number,
    { timeoutMs }: DeadlineError,
  ): void {
    const all = idsOf(ids),
      failure: RootFailure = {
        first: all[from],
        last: all[from],
        error: new DeadlineError(timeoutMs, { what: 'roots', count: late, of: count }),
      };
    for (let i = from; i < Math.min(all.length, from + RANGE_SEEN); i++) {
      if (marks[i] !== mark || answer.fates[i] !== RootFate.failed || answer.failureOf?.[i]) continue;
      if (all[i] < failure.first) failure.first = all[i];
      if (all[i] > failure.last) failure.last = all[i];
    }
    answer.late = answer.failures.push(failure) - 1;
  }

  #idAt(place: number): bigint {
    return idsOf(this.#ids)[place];
  }
}

/** Where a failure is among a caller's, and the first and last place that has it. */
interface FailureSeen {
  index: number;
  places: [low: number, high: number];
}

/** Of very many IDs that are late not all are looked at to say from where to where they are. */
const RANGE_SEEN = 2 ** 16;

/** The IDs that bear their caller's mark, as pairs of words, one caller after the other. */
function* markedOf(callers: readonly Caller[]): Paced<Uint32Array> {
  const [first] = callers;
  if (callers.length === 1 && first.count === first.marks.length) return first.ids;
  const words = new Uint32Array(2 * callers.reduce((sum, { count }) => sum + count, 0));
  let at = 0;
  for (const { ids, marks, mark } of callers) {
    yield* byStretches(marks.length, (from, end) => {
      for (let i = from; i < end; i++) {
        if (marks[i] !== mark) continue;
        words[at++] = ids[2 * i];
        words[at++] = ids[2 * i + 1];
      }
    });
  }
  return words;
}

const idsOf = (words: Uint32Array): BigUint64Array =>
  new BigUint64Array(words.buffer, words.byteOffset, words.length / 2);
