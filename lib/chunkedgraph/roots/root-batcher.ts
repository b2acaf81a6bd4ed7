/**
 * Many root look-ups in, few requests out. Look-ups that arrive within one window and ask for the same moment and layer become one set of
 * distinct IDs, sent in sorted batches; an ID that is being asked already is not asked again. Moments never mix.
 *
 * Memory: 9 bytes an ID asked for the answer; while a look-up lasts, 5 bytes an ID and 17 a distinct ID; while it is sorted, 24 an ID.
 */
import PQueue from 'p-queue';
import { leaveOnAbort } from '../../base/abort.ts';
import { deadlineReason } from '../../base/deadline.ts';
import { DeadlineError } from '../../base/errors.ts';
import type { Observer } from '../../base/volume-events.ts';
import {
  inStretches,
  cooperativeRunner as eventLoop,
  type PausableWork,
  type CooperativeRunner,
} from '../../base/cooperative-work.ts';
import { wordsOf } from '../../base/uint64.ts';
import { BatchSize } from '../../failures/batch-size.ts';
import type { SenderClock } from '../../failures/batch-sender.ts';
import { processPace, type Pace } from '../../failures/pace.ts';
import type { OnRetry } from '../../failures/retry-counter.ts';
import type { ChunkedGraphClient } from '../server/chunkedgraph-client.ts';
import type { IdLayout } from '../ids/id-layout.ts';
import { afterWindow, WindowClock } from './window-clock.ts';
import type { Caller } from './deliver-answers.ts';
import { RootBatch, type RootBatchParts } from './root-batch.ts';
import {
  failAllAtDeadline,
  createAnswer,
  recordFailureReason,
  findFailureReason,
  RootOutcome,
  type RootFailure,
  type RootLookUpOptions,
  type RootsAnswer,
  type RootSource,
} from './root-source.ts';

export { RootOutcome, type RootFailure, type RootLookUpOptions, type RootsAnswer };

export interface RootBatcherOptions {
  client: Pick<ChunkedGraphClient, 'roots' | 'currentRoots' | 'clock'>;
  ids: IdLayout;
  /** Layer of the roots. */
  nLayers: number;
  /** What sizes of batches work is remembered under this name. @default for this batcher alone */
  host?: string;
  /** @default the process's */
  pace?: Pace;
  /** Most IDs in one request. @default 100_000 */
  batchSize?: number;
  /** Most bytes of IDs in one request, before they are packed. @default 8 MiB */
  batchBytes?: number;
  /** Requests at once. @default 4 */
  concurrency?: number;
  /** How long a window is open for others to join, in ms; 0: one turn of the event loop. @default 0 */
  windowMs?: number;
  /** Most repeats of a request. @default 4 */
  retries?: number;
  onRetry?: OnRetry;
  /** @default those of the client's clock, held for a window */
  windowClock?: WindowClock;
  /** @default the machine's */
  senderClock?: SenderClock;
  /** @default the process's */
  pacer?: CooperativeRunner;
  /** Told of each batch. */
  observe?: Observer;
  warn?: (message: string) => void;
}

/** Marks of IDs that a request will answer: which one. 0: nothing has to be asked. */
const CLIMBS = 1,
  IS_CHECKED = 2;

export class RootBatcher implements RootSource {
  readonly #options: RootBatcherOptions;
  readonly #instants: WindowClock;
  readonly #kinds: Record<typeof CLIMBS | typeof IS_CHECKED, RootBatchParts>;
  readonly #queue: PQueue;
  /** Batches that may still be entered, by moment, layer and kind. */
  readonly #open = new Map<string, RootBatch>();
  /** Those whose answers are under way, likewise. */
  readonly #asked = new Map<string, Set<RootBatch>>();
  #warned = false;

  constructor(options: RootBatcherOptions) {
    this.#options = options;
    const {
      client,
      ids,
      nLayers,
      host,
      batchSize = 100_000,
      batchBytes = 8 * 2 ** 20,
      concurrency = 4,
      windowMs = 0,
      retries,
      onRetry,
      senderClock,
      pace = processPace,
      pacer = eventLoop,
    } = options;
    this.#instants = options.windowClock ?? new WindowClock(client.clock, { windowMs });
    this.#queue = new PQueue({ concurrency });
    const isPossible = (high: number): boolean => ids.layerOf(high) <= nLayers;
    const partsOf = (
      endpoint: string,
      bytesPerId: number,
      ask: RootBatchParts['request'],
    ): RootBatchParts => ({
      ids,
      nLayers,
      request: ask,
      pacer,
      onAllUnknown: (count, timestampMs) => this.#warnOnce(count, timestampMs),
      sender: {
        queue: this.#queue,
        retries,
        onRetry,
        clock: senderClock,
        limit: host === undefined ? new BatchSize() : pace.batchSize(host, endpoint),
        maxCount: Math.max(1, Math.min(batchSize, Math.floor(batchBytes / bytesPerId))),
      },
    });
    this.#kinds = {
      [CLIMBS]: partsOf('roots', 8, (list, { timestampMs, layer, signal }) =>
        client.roots(list, {
          timestampMs,
          stopLayer: layer === nLayers ? undefined : layer,
          isPossible,
          signal,
        }),
      ),
      [IS_CHECKED]: partsOf('is_latest_roots', 21, (list, { timestampMs, signal }) =>
        client.currentRoots(list, { timestampMs, signal }),
      ),
    };
  }

  /**
   * Roots of many IDs, duplicates and zeros allowed, in the order given. A failed request does not throw: its IDs are `failed`.
   * @throws signal.reason for this caller alone; requests are cancelled when their last caller has left. A DeadlineError is not thrown: the
   *   IDs without an answer have failed.
   * @param ids They must not change until the answer is there.
   */
  async lookUp(
    ids: BigUint64Array,
    {
      timestampMs = this.#instants.now(),
      stopLayer = this.#options.nLayers,
      validate = false,
      signal,
    }: RootLookUpOptions = {},
  ): Promise<RootsAnswer> {
    const answer = createAnswer(ids.length, timestampMs, this.#instants.isSettled(timestampMs));
    const asking: Asking = {
      answer,
      ids: wordsOf(ids),
      marks: new Uint8Array(ids.length),
      nodes: [],
      climb: 0,
      checked: 0,
    };
    try {
      const marking = (this.#options.pacer ?? eventLoop).run(this.#mark(asking, stopLayer, validate), signal);
      if (marking) await marking;
    } catch (error) {
      const deadline = deadlineReason(signal);
      if (!deadline) throw error;
      return failAllAtDeadline(answer, deadline);
    }
    deadlineReason(signal);
    const { climb, checked, nodes } = asking,
      entered: Promise<void>[] = [];
    if (climb > 0) entered.push(this.#enter(asking, CLIMBS, climb, stopLayer, signal));
    if (checked > 0) entered.push(this.#enter(asking, IS_CHECKED, checked, this.#options.nLayers, signal));
    await Promise.all(entered);
    if (nodes.length > 0) await this.#checkNodes(answer, nodes, ids, signal);
    return answer;
  }

  /** What can be said without asking anybody. The rest bears a mark. */
  *#mark(asking: Asking, layer: number, validate: boolean): PausableWork {
    const { ids: layout, nLayers } = this.#options,
      {
        ids,
        marks,
        nodes,
        answer: { rootIds, outcomes: fates },
      } = asking,
      out = wordsOf(rootIds);
    yield* inStretches(marks.length, (from, end) => {
      for (let i = from; i < end; i++) {
        const high = ids[2 * i + 1],
          of = layout.layerOf(high);
        if (of < layer) {
          if (high === 0 && ids[2 * i] === 0) fates[i] = RootOutcome.zero;
          else {
            marks[i] = CLIMBS;
            asking.climb++;
            if (of > 1) nodes.push(i);
          }
        } else if (!validate || of < nLayers) {
          fates[i] = RootOutcome.notLookedUp;
          out[2 * i] = ids[2 * i];
          out[2 * i + 1] = high;
        } else if (of === nLayers) {
          marks[i] = IS_CHECKED;
          asking.checked++;
        } else fates[i] = RootOutcome.noRoot; // no graph has such layers
      }
    });
  }

  /**
   * The server climbs from any node. From one that an edit replaced it comes to a root that is not one any more: that node has none.
   * @param nodes Indices of the IDs above the supervoxels.
   * @param ids All that were asked.
   */
  async #checkNodes(
    answer: RootsAnswer,
    nodes: readonly number[],
    ids: BigUint64Array,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const { rootIds, outcomes: fates, timestampMs } = answer,
      pacer = this.#options.pacer ?? eventLoop;
    const found: number[] = [];
    await pacer.run(
      inStretches(nodes.length, (from, end) => {
        for (let k = from; k < end; k++) if (fates[nodes[k]] === RootOutcome.ok) found.push(nodes[k]);
      }),
    );
    if (found.length === 0) return;
    const roots = new BigUint64Array(found.length);
    await pacer.run(
      inStretches(found.length, (from, end) => {
        for (let k = from; k < end; k++) roots[k] = rootIds[found[k]];
      }),
    );
    // Answers of a layer between climb on and are checked in turn: a node is current when its root is.
    const checked = await this.lookUp(roots, { timestampMs, validate: true, signal });
    answer.requests += checked.requests;
    const failures = new Map<Error, number>();
    await pacer.run(
      inStretches(found.length, (from, end) => {
        for (let k = from; k < end; k++) {
          const index = found[k];
          if (checked.outcomes[k] === RootOutcome.ok) continue;
          if (checked.outcomes[k] === RootOutcome.failed)
            noteFailure(answer, failures, index, ids[index], findFailureReason(checked, k)!);
          fates[index] = checked.outcomes[k];
          rootIds[index] = 0n;
        }
      }),
    );
  }

  /** Fills in the answers of the IDs that bear a mark. */
  #enter(
    { answer, ids, marks }: Asking,
    mark: typeof CLIMBS | typeof IS_CHECKED,
    count: number,
    layer: number,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const { timestampMs } = answer;
    const key = `${timestampMs}:${layer}:${mark}`;
    let batch = this.#open.get(key);
    if (!batch) this.#open.set(key, (batch = this.#begin(key, timestampMs, layer, this.#kinds[mark])));
    const caller: Caller = { answer, ids, marks, mark, count };
    const entered = batch;
    const answered = leaveOnAbort(entered.add(caller), signal, () => {
      if (entered.leave(caller, signal?.reason)) return;
      if (this.#open.get(key) === entered) this.#open.delete(key); // a later caller starts afresh
      this.#forget(key, entered);
    });
    return answered.catch((reason: unknown) => {
      if (!(reason instanceof DeadlineError)) throw reason;
      return entered.whenDelivered(caller);
    });
  }

  #begin(key: string, timestampMs: number, layer: number, parts: RootBatchParts): RootBatch {
    const batch = new RootBatch(timestampMs, layer, parts);
    // Others may enter until a request can be sent: those that come while the server is busy share one.
    afterWindow(this.#options.windowMs ?? 0, () => void this.#queue.add(() => this.#close(key, batch)));
    return batch;
  }

  async #close(key: string, batch: RootBatch): Promise<void> {
    if (this.#open.get(key) !== batch) return; // everybody has left
    this.#open.delete(key);
    let underWay = this.#asked.get(key);
    if (!underWay) this.#asked.set(key, (underWay = new Set()));
    const earlier = [...underWay];
    underWay.add(batch);
    const began = performance.now();
    void batch.ended.then(() => {
      this.#forget(key, batch);
      this.#options.observe?.({ type: 'batch', ...batch.summarize(), ms: performance.now() - began });
    });
    await batch.send(earlier);
  }

  #forget(key: string, batch: RootBatch): void {
    const underWay = this.#asked.get(key);
    underWay?.delete(batch);
    if (underWay?.size === 0) this.#asked.delete(key);
  }

  #warnOnce(count: number, timestampMs: number): void {
    if (this.#warned) return;
    this.#warned = true;
    this.#options.warn?.(
      `the server knows none of ${count} supervoxels at ${new Date(timestampMs).toISOString()}: is that before the graph was made, or is this another graph's segmentation?`,
    );
  }
}

/** A look-up under way. */
interface Asking extends Pick<Caller, 'answer' | 'ids' | 'marks'> {
  /** Indices of the IDs above the supervoxels that climb. */
  nodes: number[];
  /** How many bear each mark. */
  climb: number;
  checked: number;
}

/** @param known Where the failures of each reason are in the answer's. */
function noteFailure(
  answer: RootsAnswer,
  known: Map<Error, number>,
  index: number,
  id: bigint,
  error: Error,
): void {
  let at = known.get(error);
  if (at === undefined) known.set(error, (at = answer.failures.push({ first: id, last: id, error }) - 1));
  const failure = answer.failures[at];
  if (id < failure.first) failure.first = id;
  if (id > failure.last) failure.last = id;
  recordFailureReason(answer, index, at);
}
