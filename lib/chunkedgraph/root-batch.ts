/** The IDs of one window that ask for the same moment and layer: entered, sorted, sent, and handed back to those who asked. */
import { DeadlineError } from '../base/errors.ts';
import { wordsOf } from '../base/uint64.ts';
import { sendInBatches, type BatchSenderOptions } from './batch-sender.ts';
import { distinctOf, placeOf } from './distinct.ts';
import { FailureRuns } from './failure-runs.ts';
import type { IdLayout } from './id-layout.ts';
import { RootFate, type RootsAnswer } from './root-source.ts';

export interface RootBatchParts {
  ids: IdLayout;
  nLayers: number;
  /** The server's answers in the order of `list`; only those of the wanted layer or above count. */
  ask: (list: BigUint64Array, question: { timestampMs: number; layer: number; signal: AbortSignal }) => Promise<BigUint64Array>;
  /** Told when a request's answers were its very IDs. */
  onAllUnknown: (count: number, timestampMs: number) => void;
  sender: BatchSenderOptions;
}

/** Who asked, and where the answers go: `answer.rootIds` holds the ID wherever `answer.fates` holds the mark. */
export interface Caller {
  answer: RootsAnswer;
  mark: number;
  /** How many IDs bear the mark. */
  count: number;
}

interface Waiting extends Caller {
  /** Of each marked ID, in order, its place in the batch; from the batch's closing on. */
  places: Uint32Array;
  /** All before it are answered. */
  next: number;
  resolve: () => void;
}

/** IDs that an earlier batch is asking about already. */
interface Shared {
  batch: RootBatch;
  /** Places in that batch, ascending, and in this one. */
  theirs: number[];
  ours: number[];
  next: number;
}

/** Fates of IDs without an answer: this batch asks about them, or an earlier one does. */
const PENDING = 255, SHARED = 254;
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
  readonly #failures = new FailureRuns();
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
    return new Promise((resolve) => this.#waiting.set(caller, { ...caller, places: NONE, next: 0, resolve }));
  }

  /**
   * @param reason A deadline leaves the caller with the answers that are there; its other IDs have failed.
   * @returns whether somebody still waits; when nobody does, requests are cancelled.
   */
  leave(caller: Caller, reason: unknown): boolean {
    const waiting = this.#waiting.get(caller);
    if (waiting && reason instanceof DeadlineError) this.#hand(waiting, reason);
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

  /** Nobody enters any more: sorts the IDs and asks about those that no batch under way is asking about. */
  send(underWay: Iterable<RootBatch>): void {
    this.#gather();
    for (const batch of underWay) this.#share(batch);
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

  #gather(): void {
    const callers = [...this.#waiting.values()];
    const { ids, places } = distinctOf(markedOf(callers));
    let at = 0;
    for (const caller of callers) caller.places = places.subarray(at, (at += caller.count));
    this.#ids = wordsOf(ids);
    this.#roots = new Uint32Array(this.#ids.length);
    this.#fates = new Uint8Array(ids.length).fill(PENDING);
    this.#unanswered = ids.length;
  }

  #share(batch: RootBatch): void {
    if (batch.#abort.signal.aborted) return;
    const shared: Shared = { batch, theirs: [], ours: [], next: 0 };
    for (let place = 0; place < this.#fates.length; place++) {
      if (this.#fates[place] !== PENDING) continue;
      const theirs = placeOf(this.#ids[2 * place], this.#ids[2 * place + 1], batch.#ids);
      if (theirs < 0 || batch.#fates[theirs] === RootFate.failed) continue; // what has failed is asked anew
      this.#fates[place] = SHARED;
      shared.theirs.push(theirs);
      shared.ours.push(place);
    }
    if (shared.ours.length === 0) return;
    this.#shared.push(shared);
    batch.#followers.add(this);
  }

  #pendingPlaces(): Uint32Array {
    const places = new Uint32Array(this.#fates.length);
    let count = 0;
    for (let place = 0; place < this.#fates.length; place++) if (this.#fates[place] === PENDING) places[count++] = place;
    return places.subarray(0, count);
  }

  /** @param places Of the IDs that are asked; undefined: all of them, in order. */
  async #ask(start: number, end: number, places: Uint32Array | undefined): Promise<void> {
    const { ids: layout, nLayers, ask, onAllUnknown } = this.#parts;
    const timestampMs = this.#timestampMs, layer = this.#layer;
    const asked = places ? this.#wordsAt(places.subarray(start, end)) : this.#ids.subarray(2 * start, 2 * end);
    this.#requests++;
    const roots = wordsOf(await ask(idsOf(asked), { timestampMs, layer, signal: this.#abort.signal }));
    let echoed = 0;
    for (let k = 0; k < end - start; k++) {
      const place = places ? places[start + k] : start + k;
      const low = roots[2 * k], high = roots[2 * k + 1];
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
    if (places) for (let k = start; k < end; k++) this.#failures.add(places[k], places[k] + 1, error);
    else this.#failures.add(start, end, error);
    for (let k = start; k < end; k++) this.#fates[places ? places[k] : k] = RootFate.failed;
    this.#unanswered -= end - start;
    this.#progress();
  }

  /** Takes over what earlier batches have got, hands on what is complete. */
  #progress(): void {
    for (const shared of this.#shared) this.#takeOver(shared);
    for (const [caller, waiting] of this.#waiting) {
      const { places } = waiting;
      while (waiting.next < places.length && isAnswered(this.#fates[places[waiting.next]])) waiting.next++;
      if (waiting.next < places.length) continue;
      this.#hand(waiting);
      this.#waiting.delete(caller);
      waiting.resolve();
    }
    for (const follower of this.#followers) follower.#progress();
    if (this.#unanswered === 0) this.#end();
    else this.#isWanted();
  }

  #takeOver(shared: Shared): void {
    const { batch, theirs, ours } = shared;
    if (shared.next === ours.length) return;
    for (; shared.next < ours.length; shared.next++) {
      const from = theirs[shared.next], to = ours[shared.next];
      if (!isAnswered(batch.#fates[from])) return;
      this.#fates[to] = batch.#fates[from];
      this.#roots[2 * to] = batch.#roots[2 * from];
      this.#roots[2 * to + 1] = batch.#roots[2 * from + 1];
      if (this.#fates[to] === RootFate.failed) this.#failures.add(to, to + 1, batch.#failures.at(batch.#failures.find(from)).error);
      this.#unanswered--;
    }
    this.#requests += batch.#requests;
    batch.#followers.delete(this);
  }

  /** @param deadline What the IDs without an answer have failed of; without it there are none. */
  #hand({ answer, mark, count, places }: Waiting, deadline?: DeadlineError): void {
    const { fates } = answer, out = wordsOf(answer.rootIds);
    const why = new Set<number>();
    const late = { count: 0, first: 2n ** 64n, last: 0n };
    for (let i = 0, k = 0; k < count; i++) {
      if (fates[i] !== mark) continue;
      const place = places[k++];
      if (deadline && !isAnswered(this.#fates[place] ?? PENDING)) { // no places before it is sent
        const id = answer.rootIds[i];
        late.count++;
        if (id < late.first) late.first = id;
        if (id > late.last) late.last = id;
        fates[i] = RootFate.failed;
        answer.rootIds[i] = 0n;
        continue;
      }
      fates[i] = this.#fates[place];
      out[2 * i] = this.#roots[2 * place];
      out[2 * i + 1] = this.#roots[2 * place + 1];
      if (fates[i] === RootFate.failed) why.add(this.#failures.find(place));
    }
    const ids = idsOf(this.#ids);
    for (const run of why) {
      const { start, end, error } = this.#failures.at(run);
      answer.failures.push({ first: ids[start], last: ids[end - 1], error });
    }
    if (deadline && late.count > 0) answer.failures.push({ ...late, error: new DeadlineError(deadline.timeoutMs, { what: 'roots', count: late.count, of: count }) });
    answer.distinct += this.#fates.length;
    answer.requests += this.#requests;
  }
}

/** The IDs that bear their caller's mark, as pairs of words, one caller after the other. */
function markedOf(callers: readonly Caller[]): Uint32Array {
  const [first] = callers;
  if (callers.length === 1 && first.count === first.answer.rootIds.length) return wordsOf(first.answer.rootIds);
  const words = new Uint32Array(2 * callers.reduce((sum, { count }) => sum + count, 0));
  let at = 0;
  for (const { answer, mark } of callers) {
    const ids = wordsOf(answer.rootIds);
    for (let i = 0; i < answer.fates.length; i++) {
      if (answer.fates[i] !== mark) continue;
      words[at++] = ids[2 * i];
      words[at++] = ids[2 * i + 1];
    }
  }
  return words;
}

const idsOf = (words: Uint32Array): BigUint64Array => new BigUint64Array(words.buffer, words.byteOffset, words.length / 2);
