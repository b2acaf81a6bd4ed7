/**
 * Answers the items of a stream in groups: items that are there at the same time are answered by one call. The
 * answers come out one per item, in the order of the items.
 */
import { onAbort } from '../../base/abort.ts';
import { cooperativeRunner } from '../../base/cooperative-work.ts';

/** How a stream of items is answered. */
export interface GroupedCalls<Given, Item, Answer> {
  source: AsyncIterable<Given> | Iterable<Given>;
  /** Prepares an item when it arrives. What it throws ends the stream, after the answers of earlier items. */
  prepare: (given: Given, index: number) => Item;
  /** Returns the size of an item. A group is full when its sizes together reach `groupSize`. */
  sizeOf: (item: Item) => number;
  groupSize: number;
  /** Greatest number of groups that are being answered, or whose answers have not all been taken. */
  concurrency: number;
  /**
   * Answers a group. The function that it returns gives the answer of the item at an index of the group; what
   * that throws ends the stream.
   */
  answer: (group: readonly Item[], signal: AbortSignal) => Promise<(index: number) => Answer>;
  /** Each of them ends the stream with its reason. */
  signals: readonly (AbortSignal | undefined)[];
  /** Called once when a stream that was begun ends, however it ends. */
  onEnd?: () => void;
}

interface Group<Item, Answer> {
  items: Item[];
  size: number;
  /** The number of answers that have been taken. */
  taken: number;
  outcome?: { answerOf: (index: number) => Answer } | { error: unknown };
}

/** How something ended: with an error, or without one. */
type Ending = { error: unknown } | Record<string, never>;

interface Waiting<Answer> {
  resolve: (result: IteratorResult<Answer, void>) => void;
  reject: (error: unknown) => void;
}

const DONE: IteratorReturnResult<void> = { done: true, value: undefined };
const ignore = (): void => undefined;

/**
 * The answers of a stream. Nothing is read before the first `next()`. Besides the groups that are being
 * answered, one more is gathered. It is sent when it is full, or when a call is free and the source has had
 * nothing for a turn of the event loop.
 */
export class OrderedGroups<Given, Item, Answer> implements AsyncGenerator<Answer, void, undefined> {
  readonly #calls: GroupedCalls<Given, Item, Answer>;
  readonly #stop = new AbortController();
  readonly #releases: (() => void)[] = [];
  readonly #waiting: Waiting<Answer>[] = [];
  readonly #sent: Group<Item, Answer>[] = [];
  #gathered: Group<Item, Answer> | undefined;
  #iterator: AsyncIterator<Given> | Iterator<Given> | undefined;
  /** The number of items that the source has been asked for. */
  #asked = 0;
  #isAsking = false;
  #hasCheck = false;
  /** Wakes the reader, which waits until a full group has been sent. */
  #wake = ignore;
  /** Set when no more items come. */
  #sourceEnd: Ending | undefined;
  /** Set when no more answers come. Its error is thrown once. */
  #end: Ending | undefined;

  constructor(calls: GroupedCalls<Given, Item, Answer>) {
    this.#calls = calls;
  }

  next(): Promise<IteratorResult<Answer, void>> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      if (!this.#iterator && !this.#end) this.#begin();
      this.#deliver();
    });
  }

  /** Ends the stream: aborts the calls in flight and closes the source. */
  async return(): Promise<IteratorResult<Answer, void>> {
    if (!this.#end) {
      this.#finish({});
      await this.#closeSource();
    }
    return DONE;
  }

  async throw(error: unknown): Promise<IteratorResult<Answer, void>> {
    await this.return();
    throw error;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }

  #begin(): void {
    const { source, signals } = this.#calls;
    for (const signal of signals)
      if (signal && !this.#end) this.#releases.push(onAbort(signal, () => this.#fail(signal.reason)));
    if (this.#end) return;
    try {
      this.#iterator =
        Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]();
      void this.#read(this.#iterator, !(Symbol.asyncIterator in source));
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Reads the source to its end. Never rejects. */
  async #read(iterator: AsyncIterator<Given> | Iterator<Given>, isSync: boolean): Promise<void> {
    const { prepare, groupSize } = this.#calls;
    let isOpen = false;
    try {
      for (let index = 0; ; index++) {
        isOpen = false; // a source that throws has closed itself
        this.#isAsking = true;
        this.#asked++;
        const next = isSync ? (iterator.next() as IteratorResult<Given>) : await iterator.next();
        this.#isAsking = false;
        if (this.#end) return;
        if (next.done === true) break;
        isOpen = true;
        const given = isSync ? await next.value : next.value; // a list may hold promises, as in `for await`
        if (this.#end) return;
        this.#gather(prepare(given, index));
        if (this.#gathered && this.#gathered.size >= groupSize)
          await new Promise<void>((resolve) => (this.#wake = resolve));
        if (cooperativeRunner.isDue()) await cooperativeRunner.pause();
        if (this.#end) return;
      }
      this.#sourceEnd = {};
    } catch (error) {
      this.#isAsking = false;
      if (this.#end) return;
      this.#sourceEnd = { error };
      if (isOpen) this.#closeSource().catch(ignore);
    }
    this.#sendIfReady();
    this.#deliver();
  }

  #gather(item: Item): void {
    const group = (this.#gathered ??= { items: [], size: 0, taken: 0 });
    group.items.push(item);
    group.size += this.#calls.sizeOf(item);
    this.#sendIfReady();
  }

  #sendIfReady(): void {
    const group = this.#gathered;
    if (!group || this.#sent.length >= this.#calls.concurrency) return;
    if (group.size >= this.#calls.groupSize || this.#sourceEnd) this.#send(group);
    else this.#checkLater();
  }

  /** Sends the group as it is once the source has had nothing for a turn of the event loop. */
  #checkLater(): void {
    if (this.#hasCheck) return;
    this.#hasCheck = true;
    const asked = this.#asked;
    setImmediate(() => {
      this.#hasCheck = false;
      if (!this.#gathered || this.#sent.length >= this.#calls.concurrency) return;
      if (this.#isAsking && this.#asked === asked) this.#send(this.#gathered);
      else this.#checkLater();
    });
  }

  #send(group: Group<Item, Answer>): void {
    this.#gathered = undefined;
    this.#sent.push(group);
    void this.#answer(group);
    this.#wake();
  }

  /** Never rejects. */
  async #answer(group: Group<Item, Answer>): Promise<void> {
    try {
      group.outcome = { answerOf: await this.#calls.answer(group.items, this.#stop.signal) };
    } catch (error) {
      group.outcome = { error };
    }
    this.#deliver();
  }

  /** Gives those who wait what there is. */
  #deliver(): void {
    while (this.#waiting.length > 0 && !this.#end) {
      const [group] = this.#sent as (Group<Item, Answer> | undefined)[];
      if (!group && (!this.#sourceEnd || this.#gathered)) return;
      const outcome = group ? group.outcome : this.#sourceEnd;
      if (!outcome) return;
      if ('error' in outcome) this.#fail(outcome.error);
      else if (!group) this.#finish({});
      else this.#deliverOne(group, outcome.answerOf);
    }
    if (this.#end) this.#settleWaiting();
  }

  #deliverOne(group: Group<Item, Answer>, answerOf: (index: number) => Answer): void {
    let value: Answer;
    try {
      value = answerOf(group.taken++);
    } catch (error) {
      this.#fail(error);
      return;
    }
    if (group.taken === group.items.length) {
      this.#sent.shift();
      this.#sendIfReady();
    }
    this.#waiting.shift()!.resolve({ done: false, value });
  }

  #fail(error: unknown): void {
    if (this.#end) return;
    this.#finish({ error });
    this.#closeSource().catch(ignore);
  }

  /** Ends the stream: frees what it holds, and tells those who wait. */
  #finish(end: Ending): void {
    this.#end = end;
    for (const release of this.#releases.splice(0)) release();
    this.#stop.abort('error' in end ? end.error : undefined);
    this.#sent.length = 0;
    this.#gathered = undefined;
    this.#wake();
    this.#calls.onEnd?.();
    this.#settleWaiting();
  }

  #settleWaiting(): void {
    for (const { resolve, reject } of this.#waiting.splice(0)) {
      if (this.#end && 'error' in this.#end) reject(this.#end.error);
      else resolve(DONE);
      this.#end = {};
    }
  }

  async #closeSource(): Promise<void> {
    if (this.#sourceEnd && !('error' in this.#sourceEnd)) return;
    const { source } = this.#calls;
    const closing = (async () => void (await this.#iterator?.return?.()))();
    if (!this.#isAsking) return closing;
    // An iterator closes only after it has given the item that it was asked for. That may never come.
    closing.catch(ignore);
    const { destroy } = source as { destroy?: unknown };
    if (typeof destroy === 'function') Reflect.apply(destroy, source, []);
  }
}
