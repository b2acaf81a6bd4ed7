/**
 * A {@link RootSource} with a memory, placed in front of the server. At a settled timestamp, no request is
 * sent twice. From one timestamp to a later one, only what changed is looked up.
 *
 * It keeps two kinds of facts. "This supervoxel is under this root" stays true for the whole life of the
 * root, because a node's children never change; a split of a supervoxel, too, replaces the root. "This root
 * is current from T1 to T2" grows with each answer, because a root's life has no gaps. The root of a
 * supervoxel at T is the root that it is under and that is current at T. If no time span covers T, the roots
 * are sent to `is_latest_roots`: they are far fewer than the supervoxels. Only supervoxels under replaced
 * roots are looked up.
 *
 * The cache relies on this behaviour of the server (PyChunkedGraph 2.21.1: graph/edits.py,
 * graph/client/bigtable/client.py, graph/chunkedgraph.py `is_latest_roots`):
 * - Root IDs come from counters that only rise. An undo or redo makes new root IDs; an old one never returns.
 * - All that an edit writes has one timestamp, and is visible before that timestamp counts as settled.
 *   Answers for later timestamps extend no time span. But a supervoxel under a root is kept even then,
 *   because that never changes.
 * - The past is not repaired. After a failed write, an operator may run an edit again at its old timestamp
 *   and with other roots, or a table may be made again under its name. The cache cannot notice that. So no
 *   fact is kept longer than `maxAgeMs`, and `clear()` forgets all facts.
 *
 * Only supervoxels and the root layer are kept: for a replaced ID of a layer between them, the server always
 * gives the old root.
 *
 * Memory: 15 bytes per entry (a supervoxel and one of its roots) in a full table, up to 23 while it grows,
 * and 53 to 61 per distinct root.
 */
import { deadlineReason } from '../../base/deadline.ts';
import { DeadlineError } from '../../base/errors.ts';
import {
  inStretches,
  cooperativeRunner as eventLoop,
  type PausableWork,
  type CooperativeRunner,
} from '../../base/cooperative-work.ts';
import { wordsOf } from '../../base/uint64.ts';
import { importPackage } from '../../http/import-package.ts';
import { IdIndex } from '../ids/id-index.ts';
import type { IdLayout } from '../ids/id-layout.ts';
import type { WindowClock } from '../roots/window-clock.ts';
import {
  failAllAtDeadline,
  createAnswer,
  RootOutcome,
  type RootLookUpOptions,
  type RootsAnswer,
  type RootSource,
} from '../roots/root-source.ts';
import { numberRepeats } from '../ids/number-repeats.ts';
import { idsFromWords } from '../roots/batch-answers.ts';
import { type CachedAnswer, copyAnswers, repeatAnswers } from './copy-answers.ts';
import { RootFacts, type ConfirmRoot } from './root-facts.ts';
import type { RootHistory } from './root-history.ts';
import { SharedRootRequests, type SharedAnswers } from './shared-root-requests.ts';
import { UNKNOWN_LATER } from './root-state.ts';

/** Settings of a root cache. */
export interface RootCacheOptions {
  /**
   * Most pairs of a supervoxel and a root that are kept. Memory is allocated as they arrive. @default
   * 10_000_000
   */
  maxEntries?: number;
  /**
   * How long a fact is kept, in ms, because servers can be repaired. Infinity keeps it always. @default
   * 86_400_000, a day
   */
  maxAgeMs?: number;
  /**
   * For a timestamp before all that is known of a root, whether to request the root's creation time with
   * `root_timestamps`, once per root. Otherwise its supervoxels are looked up. @default false
   */
  extendToCreation?: boolean;
}

/** What a root cache is built from. */
export interface RootCacheParts {
  /** Answers what the cache does not know. */
  source: RootSource;
  /** Answers questions about roots. */
  history: RootHistory;
  /** The graph that the facts belong to: server and table. */
  graph: string;
  /** Layout of the graph's IDs. */
  ids: IdLayout;
  /** Layer of the roots. */
  nLayers: number;
  /** The clock that the source uses, too. */
  windowClock: Pick<WindowClock, 'now' | 'isSettled'>;
  /**
   * Whether supervoxels of the graph can split. Then the parts get the parents of the old supervoxel at earlier
   * timestamps, so that "no root" is not kept. The source must tell stale supervoxels apart. @default false
   */
  supervoxelsSplit?: boolean;
  /** Runs long work in pieces. @default the runner that the process shares */
  runner?: CooperativeRunner;
}

/** Counters of a root cache. */
export interface RootCacheStats {
  /** Pairs of a supervoxel and a root in the cache. */
  entries: number;
  /** Distinct roots in the cache. */
  roots: number;
  /** Memory in bytes. */
  bytes: number;
  /** IDs that were answered without a look-up. */
  hits: number;
  /** IDs that were looked up. */
  misses: number;
  /** How often the server answered that a root was current. */
  confirmed: number;
  /** How often the server answered that a root was not current. */
  expired: number;
  /** Entries that were removed to make room. */
  evicted: number;
  /** Requests about roots that failed. Their supervoxels were looked up. */
  failed: number;
}

const DAY_MS = 86_400_000;
/** Answers that are learned between two pauses. */
const LEARNT_AT_ONCE = 2 ** 13;
/** The creation of a root does not depend on a timestamp. */
const NO_TIMESTAMP = 0;

/** The state of one look-up. */
interface LookUpState {
  /** The facts at the start of the look-up. After a `clear()`, answers still go into the old facts. */
  facts: RootFacts;
  /**
   * The IDs without an answer, as pairs of uint32: in the caller's array until the call has returned, then in
   * `openWords`.
   */
  words: Uint32Array;
  /** A copy of the IDs without an answer: new facts must not depend on an array of another owner. */
  openWords: Uint32Array;
  timestampMs: number;
  /** When the look-up started, in ms since 1970. It becomes the age of new facts. */
  nowMs: number;
  answer: CachedAnswer;
  /** Indices of the IDs without an answer, in the order of `words`. `openCount` of them are valid. */
  open: Uint32Array;
  openCount: number;
}

/** Loaded on demand, because few callers read or write files. */
const loadSnapshots = (): Promise<typeof import('./snapshot.ts')> =>
  importPackage(() => import('./snapshot.ts'));

/** The root cache of one graph. */
export class RootCache implements RootSource {
  readonly #parts: RootCacheParts;
  readonly #options: Required<RootCacheOptions>;
  readonly #latest: SharedRootRequests;
  readonly #created: SharedRootRequests;
  readonly #counts = { hits: 0, misses: 0, confirmed: 0, expired: 0 };
  #facts!: RootFacts;
  #saved: Promise<unknown> = Promise.resolve();

  constructor(
    parts: RootCacheParts,
    { maxEntries = 10_000_000, maxAgeMs = DAY_MS, extendToCreation = false }: RootCacheOptions = {},
  ) {
    const { history } = parts;
    this.#parts = parts;
    this.#options = { maxEntries, maxAgeMs, extendToCreation };
    this.#latest = new SharedRootRequests((roots, timestampMs, signal) =>
      history.isLatest(roots, timestampMs, signal),
    );
    this.#created = new SharedRootRequests((roots, _, signal) => history.createdMs(roots, signal));
    this.clear();
  }

  /** Forgets all facts. */
  clear(): void {
    this.#facts = new RootFacts(this.#parts.ids, this.#options.maxEntries, this.#options.maxAgeMs);
  }

  get stats(): RootCacheStats {
    const { roots, members } = this.#facts;
    return {
      entries: members.size,
      roots: roots.size,
      bytes: members.bytes + roots.bytes,
      ...this.#counts,
      evicted: members.evicted,
      failed: this.#latest.failed + this.#created.failed,
    };
  }

  /**
   * Writes the facts to a file that only its owner may read. The file appears completely or not at all. If
   * several writers write it, the last one wins.
   *
   * @throws SnapshotError IO.
   */
  async save(file: string): Promise<void> {
    const { graph, nLayers, windowClock } = this.#parts;
    const saving = this.#saved.then(async () =>
      (await loadSnapshots()).saveSnapshot(file, this.#facts, { graph, nLayers, savedMs: windowClock.now() }),
    );
    this.#saved = saving.catch(() => undefined);
    return saving;
  }

  /**
   * Adds the facts of a file, up to `maxEntries`. Facts that are too old are skipped. A file with an error
   * changes nothing.
   *
   * @returns The number of pairs that were added.
   * @throws SnapshotError NOT_FOUND, DAMAGED, FOREIGN (the file belongs to another graph), UNSUPPORTED (a
   *   newer format), IO.
   */
  async load(file: string): Promise<number> {
    const { graph, nLayers, windowClock, ids } = this.#parts;
    const { loadSnapshot } = await loadSnapshots();
    return loadSnapshot(file, this.#facts, { graph, nLayers, ids, nowMs: windowClock.now() });
  }

  /** Looks up roots like any other source. `cached` counts the IDs that were answered without a look-up. */
  async lookUp(ids: BigUint64Array, question: RootLookUpOptions = {}): Promise<RootsAnswer> {
    const { source, nLayers, runner = eventLoop } = this.#parts,
      { signal, stopLayer = nLayers } = question;
    deadlineReason(signal);
    if (stopLayer !== nLayers) return source.lookUp(ids, question);
    const numbering = runner.run(numberRepeats(wordsOf(ids)));
    // Without a pause, the IDs are read before the call returns.
    const repeats = numbering instanceof Promise ? await numbering : numbering;
    const { answer, open } = await this.#lookUpEach(repeats ? idsFromWords(repeats.words) : ids, question);
    const all = repeats ? await runner.run(repeatAnswers(answer, open, repeats.numbers)) : answer;
    this.#counts.hits += all.cached;
    this.#counts.misses += all.outcomes.length - all.cached;
    return all;
  }

  /** @returns The answer, and the indices of the IDs that the cache did not answer. */
  async #lookUpEach(
    ids: BigUint64Array,
    question: RootLookUpOptions,
  ): Promise<{ answer: CachedAnswer; open: Uint32Array }> {
    const { source, runner = eventLoop } = this.#parts,
      { signal } = question;
    const creating = runner.run(this.#begin(ids, question.timestampMs));
    const state = creating instanceof Promise ? await creating : creating,
      { answer, timestampMs } = state,
      later = new IdIndex(),
      earlier = new IdIndex();
    const confirm: ConfirmRoot = (low, high, rootState) => {
      if (rootState === UNKNOWN_LATER) later.add(low, high);
      else if (this.#options.extendToCreation) earlier.add(low, high);
      return false;
    };
    try {
      await runner.run(this.#answer(state, confirm), signal);
    } catch (error) {
      const deadline = deadlineReason(signal);
      if (!deadline) throw error;
      const none = await runner.run(createAnswer(ids.length, timestampMs, answer.settled));
      return { answer: { ...failAllAtDeadline(none, deadline), cached: 0 }, open: new Uint32Array(0) };
    }
    if (later.size + earlier.size > 0) await this.#requestRootFacts(state, later, earlier, signal);
    const open = state.open.subarray(0, state.openCount),
      rest = new BigUint64Array(state.openWords.buffer, 0, open.length);
    answer.cached = answer.outcomes.length - open.length;
    if (open.length === 0) return { answer, open };
    const found = await source.lookUp(rest, { ...question, timestampMs });
    try {
      await runner.run(this.#learn(rest, found, state), signal);
    } catch (error) {
      if (!deadlineReason(signal)) throw error; // after a deadline, some answers are not kept
    }
    if (answer.cached > 0) await runner.run(copyAnswers(found, open, answer));
    const { rootIds, outcomes, failureOf } = answer.cached > 0 ? answer : found;
    const settled = answer.settled && found.settled;
    const whole = {
      ...found,
      settled,
      rootIds,
      outcomes,
      failureOf,
      requests: found.requests + answer.requests,
      cached: answer.cached,
    };
    return { answer: whole, open };
  }

  *#begin(ids: BigUint64Array, timestampMs = this.#parts.windowClock.now()): PausableWork<LookUpState> {
    const { windowClock } = this.#parts,
      facts = this.#facts,
      nowMs = windowClock.now(),
      empty = yield* createAnswer(ids.length, timestampMs, windowClock.isSettled(timestampMs));
    const answer = { ...empty, cached: 0 };
    return {
      facts,
      words: wordsOf(ids),
      openWords: new Uint32Array(2 * ids.length),
      timestampMs,
      nowMs,
      answer,
      open: new Uint32Array(ids.length),
      openCount: -1,
    };
  }

  /** Answers the IDs for which the facts, or `confirm`, give a root. The other IDs stay open. */
  *#answer(state: LookUpState, confirm: ConfirmRoot): PausableWork {
    const { facts, words, openWords, open, timestampMs, answer } = state,
      out = wordsOf(answer.rootIds);
    const isFirst = state.openCount < 0;
    facts.setNow(this.#parts.windowClock.now());
    let left = 0;
    yield* inStretches(isFirst ? open.length : state.openCount, (from, end) => {
      for (let k = from; k < end; k++) {
        const low = words[2 * k],
          high = words[2 * k + 1],
          i = isFirst ? k : open[k];
        const ordinal = facts.rootOf(low, high, timestampMs, confirm);
        if (ordinal < 0) {
          openWords[2 * left] = low;
          openWords[2 * left + 1] = high;
          open[left++] = i;
        } else if (facts.isNoRoot(ordinal)) answer.outcomes[i] = RootOutcome.noRoot;
        else {
          answer.outcomes[i] = RootOutcome.ok;
          out[2 * i] = facts.roots.lowOf(ordinal);
          out[2 * i + 1] = facts.roots.highOf(ordinal);
        }
      }
    });
    state.openCount = left;
    state.words = openWords;
  }

  /**
   * Requests facts about roots. Entries may have changed in the meantime, so afterwards all open IDs are
   * checked again.
   */
  async #requestRootFacts(
    state: LookUpState,
    later: IdIndex,
    earlier: IdIndex,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const { facts, timestampMs, answer } = state;
    const [latest, created] = await Promise.all([
      this.#latest.request(later, timestampMs, signal),
      this.#created.request(earlier, NO_TIMESTAMP, signal),
    ]).catch((reason: unknown) => {
      if (reason instanceof DeadlineError) return [NO_ANSWERS, NO_ANSWERS];
      throw reason;
    });
    answer.requests += latest.requests + created.requests;
    const { runner = eventLoop } = this.#parts;
    await runner.run(
      applyAnswers(facts, earlier, created, (ordinal, ms) => facts.roots.noteCreated(ordinal, ms)),
    );
    const noting = applyAnswers(facts, later, latest, (ordinal, isLatest) => {
      this.#counts[isLatest ? 'confirmed' : 'expired']++;
      if (isLatest && answer.settled) facts.roots.noteCurrent(ordinal, timestampMs);
      // A replaced root never returns. But a root that was not seen yet may be about to appear.
      if (!isLatest && (answer.settled || facts.roots.wasEverCurrent(ordinal)))
        facts.roots.noteReplaced(ordinal, timestampMs);
    });
    await runner.run(noting);
    await runner.run(
      this.#answer(
        state,
        (low, high, rootState) => rootState === UNKNOWN_LATER && latest.answerFor(low, high) === 1,
      ),
    );
  }

  *#learn(
    ids: BigUint64Array,
    { rootIds, outcomes, settled, timestampMs }: RootsAnswer,
    { facts, nowMs }: LookUpState,
  ): PausableWork {
    const words = wordsOf(ids),
      roots = wordsOf(rootIds);
    facts.setNow(this.#parts.windowClock.now());
    for (let from = 0; from < outcomes.length; from += LEARNT_AT_ONCE) {
      const end = Math.min(outcomes.length, from + LEARNT_AT_ONCE);
      yield* facts.members.makeRoom(end - from);
      for (let i = from; i < end; i++) {
        const low = words[2 * i],
          high = words[2 * i + 1];
        if (outcomes[i] === RootOutcome.ok)
          facts.learnRoot(low, high, roots[2 * i], roots[2 * i + 1], timestampMs, settled, nowMs);
        else if (outcomes[i] === RootOutcome.noRoot && settled && !this.#parts.supervoxelsSplit)
          facts.learnNoRoot(low, high, timestampMs, nowMs);
      }
      yield;
    }
  }
}

const NO_ANSWERS: SharedAnswers = { answerFor: () => undefined, requests: 0 };

function* applyAnswers(
  facts: RootFacts,
  roots: IdIndex,
  answers: SharedAnswers,
  apply: (ordinal: number, value: number) => void,
): PausableWork {
  const words = wordsOf(yield* roots.sortInSteps());
  yield* inStretches(roots.size, (from, end) => {
    for (let at = 2 * from; at < 2 * end; at += 2) {
      const ordinal = facts.roots.find(words[at], words[at + 1]),
        value = answers.answerFor(words[at], words[at + 1]);
      if (ordinal >= 0 && value !== undefined && !Number.isNaN(value)) apply(ordinal, value);
    }
  });
}
