/**
 * Turns many root look-ups into few requests. Look-ups for one timestamp and layer that arrive within one
 * window become one batch of distinct IDs, which is sent in sorted requests. An ID in flight is not requested
 * twice. Different timestamps never share a batch.
 *
 * Memory: 9 bytes per ID for the answer. While a look-up lasts, 5 bytes per ID and 17 per distinct ID. While
 * a batch is sorted, 24 bytes per ID.
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
import type { RootCaller } from './deliver-answers.ts';
import { RootBatch, type RootBatchParts } from './root-batch.ts';
import {
  failAllAtDeadline,
  createAnswer,
  findFailureReason,
  noteFailure,
  RootOutcome,
  type RootFailure,
  type RootLookUpOptions,
  type RootsAnswer,
  type RootSource,
} from './root-source.ts';

export { RootOutcome, type RootFailure, type RootLookUpOptions, type RootsAnswer };

/** The most IDs in a root request, unless an option says otherwise. */
export const ROOT_BATCH_SIZE = 100_000;

/** Settings of a batcher. */
export interface RootBatcherOptions {
  /** The client that sends the requests. */
  client: Pick<ChunkedGraphClient, 'roots' | 'currentRoots' | 'clock'>;
  /** Layout of the graph's IDs. */
  ids: IdLayout;
  /** Layer of the roots. */
  nLayers: number;
  /** Name under which the process remembers which request sizes work. @default only this batcher remembers */
  host?: string;
  /** The pace of requests. @default the pace that the process shares */
  pace?: Pace;
  /** Most IDs in one request. @default 100_000 */
  batchSize?: number;
  /** Most bytes of IDs in one request, before compression. @default 8 MiB */
  batchBytes?: number;
  /** Most requests at the same time. @default 4 */
  concurrency?: number;
  /** How long other look-ups may join a batch, in ms. 0 means one turn of the event loop. @default 0 */
  windowMs?: number;
  /** Most retries of one request. @default 4 */
  retries?: number;
  onRetry?: OnRetry;
  /** The clock that gives "now". @default the client's clock, read once per window */
  windowClock?: WindowClock;
  /** The clock for retries. @default the clock of the machine */
  senderClock?: SenderClock;
  /** Runs long work in pieces. @default the runner that the process shares */
  runner?: CooperativeRunner;
  /** Called for each batch. */
  observe?: Observer;
  warn?: (message: string) => void;
}

/** Marks of IDs that need a request, by its kind. 0 means that no request is needed. */
const LOOK_UP = 1,
  CHECK = 2;

/** The source of roots that sends requests to the server. Each volume has one. */
export class RootBatcher implements RootSource {
  readonly #options: RootBatcherOptions;
  readonly #instants: WindowClock;
  readonly #kinds: Record<typeof LOOK_UP | typeof CHECK, RootBatchParts>;
  readonly #queue: PQueue;
  /** Batches that callers may still join, by timestamp, layer and kind. */
  readonly #open = new Map<string, RootBatch>();
  /** Batches in flight, by the same key. */
  readonly #inFlight = new Map<string, Set<RootBatch>>();
  #warned = false;

  constructor(options: RootBatcherOptions) {
    this.#options = options;
    const {
      client,
      ids,
      nLayers,
      host,
      batchSize = ROOT_BATCH_SIZE,
      batchBytes = 8 * 2 ** 20,
      concurrency = 4,
      windowMs = 0,
      retries,
      onRetry,
      senderClock,
      pace = processPace,
      runner = eventLoop,
    } = options;
    this.#instants = options.windowClock ?? new WindowClock(client.clock, { windowMs });
    this.#queue = new PQueue({ concurrency });
    const isPossible = (high: number): boolean => ids.layerOf(high) <= nLayers;
    const partsOf = (
      endpoint: string,
      bytesPerId: number,
      request: RootBatchParts['request'],
    ): RootBatchParts => ({
      ids,
      nLayers,
      request,
      runner,
      onAllUnknown: (count, timestampMs) => this.#warnOnce(count, timestampMs),
      sender: {
        queue: this.#queue,
        retries,
        onRetry,
        clock: senderClock,
        batchLimit: host === undefined ? new BatchSize() : pace.batchSize(host, endpoint),
        maxCount: Math.max(1, Math.min(batchSize, Math.floor(batchBytes / bytesPerId))),
      },
    });
    this.#kinds = {
      [LOOK_UP]: partsOf('roots', 8, (list, { timestampMs, layer, signal }) =>
        client.roots(list, {
          timestampMs,
          stopLayer: layer === nLayers ? undefined : layer,
          isPossible,
          signal,
        }),
      ),
      [CHECK]: partsOf('is_latest_roots', 21, (list, { timestampMs, signal }) =>
        client.currentRoots(list, { timestampMs, signal }),
      ),
    };
  }

  /**
   * Looks up the roots of many IDs, in order. Duplicates and zeros are allowed. A failed request does not
   * throw: its IDs get the outcome `failed`.
   *
   * @param ids They must not change until the answer is there.
   * @throws signal.reason, for this caller alone. Requests are cancelled when their last caller has left. A
   *   DeadlineError is not thrown: IDs without an answer get the outcome `failed`.
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
    const runner = this.#options.runner ?? eventLoop,
      creating = runner.run(createAnswer(ids.length, timestampMs, this.#instants.isSettled(timestampMs)));
    // Without a pause, the look-up joins the batch of this turn.
    const answer = creating instanceof Promise ? await creating : creating;
    const state: LookUpState = {
      answer,
      ids: wordsOf(ids),
      marks: new Uint8Array(ids.length),
      nodes: [],
      lookUpCount: 0,
      checkCount: 0,
    };
    try {
      const marking = runner.run(this.#mark(state, stopLayer, validate), signal);
      if (marking) await marking;
    } catch (error) {
      const deadline = deadlineReason(signal);
      if (!deadline) throw error;
      return failAllAtDeadline(answer, deadline);
    }
    deadlineReason(signal);
    const { lookUpCount, checkCount, nodes } = state,
      entered: Promise<void>[] = [];
    if (lookUpCount > 0) entered.push(this.#join(state, LOOK_UP, lookUpCount, stopLayer, signal));
    if (checkCount > 0) entered.push(this.#join(state, CHECK, checkCount, this.#options.nLayers, signal));
    await Promise.all(entered);
    if (nodes.length > 0) await this.#checkNodes(answer, nodes, ids, signal);
    return answer;
  }

  /** Answers the IDs that need no request, and marks the others. */
  *#mark(state: LookUpState, layer: number, validate: boolean): PausableWork {
    const { ids: layout, nLayers } = this.#options,
      {
        ids,
        marks,
        nodes,
        answer: { rootIds, outcomes },
      } = state,
      out = wordsOf(rootIds);
    yield* inStretches(marks.length, (from, end) => {
      for (let i = from; i < end; i++) {
        const high = ids[2 * i + 1],
          ownLayer = layout.layerOf(high);
        if (ownLayer < layer) {
          if (high === 0 && ids[2 * i] === 0) outcomes[i] = RootOutcome.zero;
          else {
            marks[i] = LOOK_UP;
            state.lookUpCount++;
            if (ownLayer > 1) nodes.push(i);
          }
        } else if (!validate || ownLayer < nLayers) {
          outcomes[i] = RootOutcome.notLookedUp;
          out[2 * i] = ids[2 * i];
          out[2 * i + 1] = high;
        } else if (ownLayer === nLayers) {
          marks[i] = CHECK;
          state.checkCount++;
        } else outcomes[i] = RootOutcome.noRoot; // the graph has no such layer
      }
    });
  }

  /**
   * Removes the roots of nodes that an edit had replaced. The server gives a root for such a node, but that
   * root was itself replaced.
   *
   * @param nodes Indices of the IDs above layer 1.
   * @param ids All IDs of the look-up.
   */
  async #checkNodes(
    answer: RootsAnswer,
    nodes: readonly number[],
    ids: BigUint64Array,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const { rootIds, outcomes, timestampMs } = answer,
      runner = this.#options.runner ?? eventLoop;
    const found: number[] = [];
    await runner.run(
      inStretches(nodes.length, (from, end) => {
        for (let k = from; k < end; k++) if (outcomes[nodes[k]] === RootOutcome.ok) found.push(nodes[k]);
      }),
    );
    if (found.length === 0) return;
    const roots = new BigUint64Array(found.length);
    await runner.run(
      inStretches(found.length, (from, end) => {
        for (let k = from; k < end; k++) roots[k] = rootIds[found[k]];
      }),
    );
    // An answer below the root layer is looked up in turn: a node is current if its root is.
    const checked = await this.lookUp(roots, { timestampMs, validate: true, signal });
    answer.requests += checked.requests;
    const failures = new Map<Error, number>();
    await runner.run(
      inStretches(found.length, (from, end) => {
        for (let k = from; k < end; k++) {
          const index = found[k];
          if (checked.outcomes[k] === RootOutcome.ok) continue;
          if (checked.outcomes[k] === RootOutcome.failed)
            noteFailure(answer, failures, index, ids[index], findFailureReason(checked, k)!);
          outcomes[index] = checked.outcomes[k];
          rootIds[index] = 0n;
        }
      }),
    );
  }

  /** Joins a batch, which writes the answers of the marked IDs. */
  #join(
    { answer, ids, marks }: LookUpState,
    mark: typeof LOOK_UP | typeof CHECK,
    count: number,
    layer: number,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const { timestampMs } = answer;
    const key = `${timestampMs}:${layer}:${mark}`;
    let batch = this.#open.get(key);
    if (!batch) this.#open.set(key, (batch = this.#begin(key, timestampMs, layer, this.#kinds[mark])));
    const caller: RootCaller = { answer, ids, marks, mark, count };
    const entered = batch;
    const answered = leaveOnAbort(entered.add(caller), signal, () => {
      if (entered.leave(caller, signal?.reason)) return;
      if (this.#open.get(key) === entered) this.#open.delete(key); // a later caller starts a new batch
      this.#forget(key, entered);
    });
    return answered.catch((reason: unknown) => {
      if (!(reason instanceof DeadlineError)) throw reason;
      return entered.whenDelivered(caller);
    });
  }

  #begin(key: string, timestampMs: number, layer: number, parts: RootBatchParts): RootBatch {
    const batch = new RootBatch(timestampMs, layer, parts);
    // Other look-ups may join until a request can be sent, so those that arrive while the server is busy
    // share one batch.
    afterWindow(this.#options.windowMs ?? 0, () => void this.#queue.add(() => this.#close(key, batch)));
    return batch;
  }

  async #close(key: string, batch: RootBatch): Promise<void> {
    if (this.#open.get(key) !== batch) return; // all callers have left
    this.#open.delete(key);
    let inFlight = this.#inFlight.get(key);
    if (!inFlight) this.#inFlight.set(key, (inFlight = new Set()));
    const earlier = [...inFlight];
    inFlight.add(batch);
    const began = performance.now();
    void batch.ended.then(() => {
      this.#forget(key, batch);
      this.#options.observe?.({ type: 'batch', ...batch.summarize(), ms: performance.now() - began });
    });
    await batch.send(earlier);
  }

  #forget(key: string, batch: RootBatch): void {
    const inFlight = this.#inFlight.get(key);
    inFlight?.delete(batch);
    if (inFlight?.size === 0) this.#inFlight.delete(key);
  }

  #warnOnce(count: number, timestampMs: number): void {
    if (this.#warned) return;
    this.#warned = true;
    this.#options.warn?.(
      `the server knows none of ${count} supervoxels at ${new Date(timestampMs).toISOString()}: the timestamp may be before the graph was made, or the segmentation may belong to another graph`,
    );
  }
}

/** The state of one look-up. */
interface LookUpState extends Pick<RootCaller, 'answer' | 'ids' | 'marks'> {
  /** Indices of the IDs above layer 1 that need a look-up. */
  nodes: number[];
  /** How many IDs have each mark. */
  lookUpCount: number;
  checkCount: number;
}
