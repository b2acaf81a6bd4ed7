/**
 * Many root look-ups in, few requests out. Look-ups that arrive within one window (one event-loop turn) and ask for the same moment and
 * stop layer become one set of distinct IDs, sorted, sent in batches. Moments never mix.
 *
 * Memory: about 40 bytes a distinct ID and 4 bytes an ID asked, while a look-up lasts.
 */
import PQueue from 'p-queue';
import { leaveOnAbort } from '../base/abort.ts';
import { wordsOf } from '../base/uint64.ts';
import type { ChunkedGraphClient } from './client.ts';
import type { IdLayout } from './id-layout.ts';
import { IdIndex } from './id-index.ts';
import { RootFate, type RootFailure, type RootQuestion, type RootsAnswer, type RootSource } from './root-source.ts';

export { RootFate, type RootFailure, type RootQuestion, type RootsAnswer };

export interface RootBatcherOptions {
  client: Pick<ChunkedGraphClient, 'roots' | 'clock'>;
  ids: IdLayout;
  /** Layer of the roots. */
  nLayers: number;
  /** Most IDs in one request. @default 100_000 */
  batchSize?: number;
  /** Requests at once. @default 4 */
  concurrency?: number;
  warn?: (message: string) => void;
}

const ZERO = 0xffffffff, NOT_LOOKED_UP = 0xfffffffe;

/** All questions of one window with the same moment and layer. */
interface Batch {
  timestampMs: number;
  layer: number;
  index: IdIndex;
  callers: number;
  abort: AbortController;
  answer: Promise<Answered>;
  /** Closes the set and sends it. */
  send: () => void;
}

/** Roots and fates by ordinal in the batch's index. */
interface Answered {
  roots: Uint32Array;
  fates: Uint8Array;
  failures: RootFailure[];
  requests: number;
}

export class RootBatcher implements RootSource {
  readonly #options: RootBatcherOptions;
  readonly #queue: PQueue;
  /** Of the window that is open, by moment and layer. */
  readonly #open = new Map<string, Batch>();
  /** "Now" of the window that is open. */
  #now: number | undefined;
  #warned = false;

  constructor(options: RootBatcherOptions) {
    this.#options = options;
    this.#queue = new PQueue({ concurrency: options.concurrency ?? 4 });
  }

  /**
   * Roots of many IDs, duplicates and zeros allowed, in the order given. A failed request does not throw: its IDs are `failed`.
   * @throws signal.reason for this caller alone; requests are cancelled when their last caller has left.
   */
  async lookUp(ids: BigUint64Array, { timestampMs, stopLayer, signal }: RootQuestion = {}): Promise<RootsAnswer> {
    signal?.throwIfAborted();
    const batch = this.#enter(timestampMs, stopLayer ?? this.#options.nLayers);
    const ordinals = this.#number(ids, batch);
    batch.callers++;
    const answered = await leaveOnAbort(batch.answer, signal, () => {
      if (--batch.callers > 0) return;
      for (const [key, open] of this.#open) if (open === batch) this.#open.delete(key); // a later caller starts afresh
      batch.abort.abort(signal?.reason);
    });
    return hand(ids, ordinals, batch, answered);
  }

  #enter(timestampMs: number | undefined, layer: number): Batch {
    const ms = timestampMs ?? (this.#now ??= this.#options.client.clock.now());
    const key = `${ms}:${layer}`;
    let batch = this.#open.get(key);
    if (!batch) {
      if (this.#open.size === 0) setImmediate(() => this.#close());
      batch = this.#begin(ms, layer);
      this.#open.set(key, batch);
    }
    return batch;
  }

  #begin(timestampMs: number, layer: number): Batch {
    let send!: () => void;
    const answer = new Promise<Answered>((resolve) => (send = () => resolve(this.#ask(batch))));
    const batch: Batch = { timestampMs, layer, index: new IdIndex(), callers: 0, abort: new AbortController(), answer, send };
    return batch;
  }

  #close(): void {
    const batches = [...this.#open.values()];
    this.#open.clear();
    this.#now = undefined;
    for (const batch of batches) batch.send();
  }

  #number(ids: BigUint64Array, { index, layer }: Batch): Uint32Array {
    const words = wordsOf(ids), ordinals = new Uint32Array(ids.length);
    for (let i = 0; i < ordinals.length; i++) {
      const low = words[2 * i], high = words[2 * i + 1];
      if (low === 0 && high === 0) ordinals[i] = ZERO;
      else if (this.#options.ids.layerOf(high) >= layer) ordinals[i] = NOT_LOOKED_UP;
      else ordinals[i] = index.add(low, high);
    }
    return ordinals;
  }

  async #ask(batch: Batch): Promise<Answered> {
    const { index, abort } = batch;
    const { batchSize = 100_000 } = this.#options;
    const sorted = index.sorted();
    const answered: Answered = {
      roots: new Uint32Array(2 * index.size), fates: new Uint8Array(index.size), failures: [], requests: 0,
    };
    const requests: Promise<void>[] = [];
    for (let start = 0; start < sorted.length; start += batchSize) {
      const ids = sorted.subarray(start, start + batchSize);
      requests.push(this.#queue.add(async () => {
        abort.signal.aborted || (await this.#askOne(ids, batch, answered));
      }));
    }
    await Promise.all(requests);
    return answered;
  }

  async #askOne(ids: BigUint64Array, { index, timestampMs, layer, abort }: Batch, answered: Answered): Promise<void> {
    const { client, nLayers } = this.#options;
    const words = wordsOf(ids);
    answered.requests++;
    let roots: Uint32Array;
    try {
      const stopLayer = layer === nLayers ? undefined : layer;
      roots = wordsOf(await client.roots(ids, { timestampMs, stopLayer, signal: abort.signal }));
    } catch (error) {
      for (let i = 0; i < ids.length; i++) answered.fates[index.find(words[2 * i], words[2 * i + 1])] = RootFate.failed;
      answered.failures.push({ first: ids[0], last: ids[ids.length - 1], error: error as Error });
      return;
    }
    let echoed = 0;
    for (let i = 0; i < ids.length; i++) {
      const ordinal = index.find(words[2 * i], words[2 * i + 1]);
      const low = roots[2 * i], high = roots[2 * i + 1];
      // The server answers 0, or the very ID, for what it does not know: only a high enough layer makes an answer a root.
      const reached = this.#options.ids.layerOf(high);
      if (reached >= layer && reached <= nLayers) {
        answered.roots[2 * ordinal] = low;
        answered.roots[2 * ordinal + 1] = high;
      } else {
        answered.fates[ordinal] = RootFate.noRoot;
        if (low === words[2 * i] && high === words[2 * i + 1]) echoed++;
      }
    }
    if (echoed === ids.length) this.#warnOnce(ids.length, timestampMs);
  }

  #warnOnce(count: number, timestampMs: number): void {
    if (this.#warned) return;
    this.#warned = true;
    this.#options.warn?.(
      `the server knows none of ${count} supervoxels at ${new Date(timestampMs).toISOString()}: is that before the graph was made, or is this another graph's segmentation?`,
    );
  }
}

function hand(ids: BigUint64Array, ordinals: Uint32Array, batch: Batch, answered: Answered): RootsAnswer {
  const rootIds = new BigUint64Array(ids.length), fates = new Uint8Array(ids.length);
  const words = wordsOf(ids), out = wordsOf(rootIds);
  for (let i = 0; i < ordinals.length; i++) {
    const ordinal = ordinals[i];
    if (ordinal === ZERO) fates[i] = RootFate.zero;
    else if (ordinal === NOT_LOOKED_UP) {
      fates[i] = RootFate.notLookedUp;
      out[2 * i] = words[2 * i];
      out[2 * i + 1] = words[2 * i + 1];
    } else {
      fates[i] = answered.fates[ordinal];
      out[2 * i] = answered.roots[2 * ordinal];
      out[2 * i + 1] = answered.roots[2 * ordinal + 1];
    }
  }
  const { failures, requests } = answered;
  return { timestampMs: batch.timestampMs, settled: false, rootIds, fates, failures, distinct: batch.index.size, requests };
}
