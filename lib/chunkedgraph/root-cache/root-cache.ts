/**
 * A {@link RootSource} that remembers: in front of the server, at a settled moment, nothing is asked twice; and from one moment to a later
 * one only what changed is looked up.
 *
 * What is kept are two kinds of facts. "This supervoxel is under this root" stays true for the root's whole life, because a node's
 * children never change. "This root is current from T1 to T2" grows with what is seen, because a root's life is one piece. A supervoxel's
 * root at T is the one it is under that is current at T. When no span says so, `is_latest_roots` is asked about the roots in question, far
 * fewer than the supervoxels, and only supervoxels under roots that are no more are looked up.
 *
 * Taken for granted (PyChunkedGraph 2.21.1: graph/edits.py, graph/client/bigtable/client.py, graph/chunkedgraph.py `is_latest_roots`):
 * - Root IDs come from counters that only rise: an undo or redo makes new ones, none ever comes back.
 * - All that an edit writes has one timestamp, and appears before its moment counts as settled. What is read of later moments grows no span; that a
 *   supervoxel is under a root is kept all the same, since that is never undone.
 * - Nobody repairs the past. After a failed write an operator may run an edit again, at its old moment and with other roots, or a table may
 *   be made anew under its name: nothing here notices, so no fact outlives `maxAgeMs`, and `clear()` forgets all.
 *
 * Only supervoxels and the root layer are remembered: an obsolete ID of a layer between keeps its old root at the server for good.
 * Memory: 15 bytes an entry (a supervoxel and one root it was under) in a full table, up to 23 while it grows, and 53 a distinct root.
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
import { RootFacts, type ConfirmRoot } from './root-facts.ts';
import type { RootHistory } from './root-history.ts';
import { SharedRootRequests, type SharedAnswers } from './shared-root-requests.ts';
import { UNKNOWN_LATER } from './root-state.ts';

export interface RootCacheOptions {
  /** Most pairs of a supervoxel and a root kept; memory is taken as they come. @default 10_000_000 */
  maxEntries?: number;
  /** After so long a fact is asked again: servers can be repaired. Infinity: never. @default 86_400_000, a day */
  maxAgeMs?: number;
  /**
   * For a moment before all that is known of a root, asks `root_timestamps` when it was made, once a root, and takes it for current from
   * then on. Otherwise its supervoxels are looked up.
   * @default false
   */
  extendToCreation?: boolean;
}

export interface RootCacheParts {
  source: RootSource;
  history: RootHistory;
  /** Which graph the facts are of: server and table. */
  graph: string;
  ids: IdLayout;
  /** Layer of the roots. */
  nLayers: number;
  /** The same that the source goes by. */
  windowClock: Pick<WindowClock, 'now' | 'isSettled'>;
  /** @default the process's */
  pacer?: CooperativeRunner;
}

export interface RootCacheStats {
  /** Pairs of a supervoxel and a root. */
  entries: number;
  /** Distinct roots. */
  roots: number;
  /** Memory taken. */
  bytes: number;
  /** IDs answered without looking them up. */
  hits: number;
  /** IDs looked up. */
  misses: number;
  /** Answers that a root was current. */
  confirmed: number;
  /** Answers that a root was not. */
  expired: number;
  /** Entries that made room for others. */
  evicted: number;
  /** Questions about roots that failed; their supervoxels were looked up. */
  failed: number;
}

const DAY_MS = 86_400_000;
/** Creation is asked of a root as such. */
const NO_MOMENT = 0;

/** One look-up under way. */
interface Asking {
  /** Those that there were when it began: what is learnt after a `clear()` is of before it. */
  facts: RootFacts;
  /** Words of the IDs that are open: of the caller's array while the call has not returned, afterwards of `own`. */
  words: Uint32Array;
  /** A copy of what is still open: what is learnt must not depend on an array that its owner may write to. */
  own: Uint32Array;
  timestampMs: number;
  /** When it began: the age of what it teaches. */
  nowMs: number;
  answer: RootsAnswer & { cached: number };
  /** Indices of IDs without an answer yet, in the order of `words`: the first `openCount`. */
  open: Uint32Array;
  openCount: number;
}

/** With what it reads files by, which few need. */
const loadSnapshots = (): Promise<typeof import('./snapshot.ts')> =>
  importPackage(() => import('./snapshot.ts'));

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

  /** Forgets everything. */
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
   * Writes what is known to a file that only its owner may read; it appears whole or not at all, and of several writers the last one wins.
   * @throws SnapshotError IO.
   */
  async save(file: string): Promise<void> {
    const { graph, nLayers, windowClock: instants } = this.#parts;
    const saving = this.#saved.then(async () =>
      (await loadSnapshots()).saveSnapshot(file, this.#facts, { graph, nLayers, savedMs: instants.now() }),
    );
    this.#saved = saving.catch(() => undefined);
    return saving;
  }

  /**
   * Adds what a file knows, up to `maxEntries` and unless it is too old. A file that cannot be taken changes nothing.
   * @returns How many pairs were taken.
   * @throws SnapshotError NOT_FOUND, DAMAGED, FOREIGN (of another graph), UNSUPPORTED (of a later version), IO.
   */
  async load(file: string): Promise<number> {
    const { graph, nLayers, windowClock: instants, ids } = this.#parts;
    const { loadSnapshot } = await loadSnapshots();
    return loadSnapshot(file, this.#facts, { graph, nLayers, ids, nowMs: instants.now() });
  }

  /** As any other source; `cached` counts the IDs that were answered without looking them up. */
  async lookUp(ids: BigUint64Array, question: RootLookUpOptions = {}): Promise<RootsAnswer> {
    const { source, nLayers, pacer = eventLoop } = this.#parts,
      { signal, stopLayer = nLayers } = question;
    deadlineReason(signal);
    if (stopLayer !== nLayers) return source.lookUp(ids, question);
    const asking = this.#begin(ids, question.timestampMs),
      { answer, timestampMs } = asking;
    const later = new IdIndex(),
      earlier = new IdIndex();
    const confirm: ConfirmRoot = (low, high, standing) => {
      if (standing === UNKNOWN_LATER) later.add(low, high);
      else if (this.#options.extendToCreation) earlier.add(low, high);
      return false;
    };
    try {
      await pacer.run(this.#answer(asking, confirm), signal);
    } catch (error) {
      const deadline = deadlineReason(signal);
      if (!deadline) throw error;
      return {
        ...failAllAtDeadline(createAnswer(ids.length, timestampMs, answer.settled), deadline),
        cached: 0,
      };
    }
    if (later.size + earlier.size > 0) await this.#askAboutRoots(asking, later, earlier, signal);
    const open = asking.open.subarray(0, asking.openCount),
      rest = new BigUint64Array(asking.own.buffer, 0, open.length);
    answer.cached = answer.outcomes.length - open.length;
    this.#counts.hits += answer.cached;
    this.#counts.misses += open.length;
    if (open.length === 0) return answer;
    const asked = await source.lookUp(rest, { ...question, timestampMs });
    try {
      await pacer.run(this.#learn(rest, asked, asking), signal);
    } catch (error) {
      if (!deadlineReason(signal)) throw error; // after a deadline not all is learnt
    }
    if (answer.cached > 0) await pacer.run(spread(asked, open, answer));
    const { rootIds, outcomes: fates, failureOf } = answer.cached > 0 ? answer : asked;
    const settled = answer.settled && asked.settled;
    return {
      ...asked,
      settled,
      rootIds,
      outcomes: fates,
      failureOf,
      requests: asked.requests + answer.requests,
      cached: answer.cached,
    };
  }

  #begin(ids: BigUint64Array, timestampMs = this.#parts.windowClock.now()): Asking {
    const { windowClock: instants } = this.#parts;
    const answer = { ...createAnswer(ids.length, timestampMs, instants.isSettled(timestampMs)), cached: 0 };
    return {
      facts: this.#facts,
      words: wordsOf(ids),
      own: new Uint32Array(2 * ids.length),
      timestampMs,
      nowMs: instants.now(),
      answer,
      open: new Uint32Array(ids.length),
      openCount: -1,
    };
  }

  /** Answers what the facts, or `confirm`, say; the rest stays open. */
  *#answer(asking: Asking, confirm: ConfirmRoot): PausableWork {
    const { facts, words, own, open, timestampMs, answer } = asking,
      out = wordsOf(answer.rootIds);
    const isFirst = asking.openCount < 0;
    facts.setNow(this.#parts.windowClock.now());
    let left = 0;
    yield* inStretches(isFirst ? open.length : asking.openCount, (from, end) => {
      for (let k = from; k < end; k++) {
        const low = words[2 * k],
          high = words[2 * k + 1],
          i = isFirst ? k : open[k];
        const ordinal = facts.rootOf(low, high, timestampMs, confirm);
        if (ordinal < 0) {
          own[2 * left] = low;
          own[2 * left + 1] = high;
          open[left++] = i;
        } else if (facts.isNoRoot(ordinal)) answer.outcomes[i] = RootOutcome.noRoot;
        else {
          answer.outcomes[i] = RootOutcome.ok;
          out[2 * i] = facts.roots.lowOf(ordinal);
          out[2 * i + 1] = facts.roots.highOf(ordinal);
        }
      }
    });
    asking.openCount = left;
    asking.words = own;
  }

  /** What is found replaces nothing in `later` or `earlier`: entries may have come and gone meanwhile, so all that is open is gone through anew. */
  async #askAboutRoots(
    asking: Asking,
    later: IdIndex,
    earlier: IdIndex,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const { facts, timestampMs, answer } = asking;
    const [latest, created] = await Promise.all([
      this.#latest.ask(later, timestampMs, signal),
      this.#created.ask(earlier, NO_MOMENT, signal),
    ]).catch((reason: unknown) => {
      if (reason instanceof DeadlineError) return [NOTHING, NOTHING];
      throw reason;
    });
    answer.requests += latest.requests + created.requests;
    const { pacer = eventLoop } = this.#parts;
    await pacer.run(note(facts, earlier, created, (ordinal, ms) => facts.roots.noteCreated(ordinal, ms)));
    const noting = note(facts, later, latest, (ordinal, isLatest) => {
      this.#counts[isLatest ? 'confirmed' : 'expired']++;
      if (isLatest && answer.settled) facts.roots.noteCurrent(ordinal, timestampMs);
      // That a root was replaced is never undone. One that was not seen yet may be about to appear.
      if (!isLatest && (answer.settled || facts.roots.wasEverCurrent(ordinal)))
        facts.roots.noteReplaced(ordinal, timestampMs);
    });
    await pacer.run(noting);
    await pacer.run(
      this.#answer(
        asking,
        (low, high, standing) => standing === UNKNOWN_LATER && latest.answerFor(low, high) === 1,
      ),
    );
  }

  *#learn(
    ids: BigUint64Array,
    { rootIds, outcomes: fates, settled, timestampMs }: RootsAnswer,
    { facts, nowMs }: Asking,
  ): PausableWork {
    const words = wordsOf(ids),
      roots = wordsOf(rootIds);
    facts.setNow(this.#parts.windowClock.now());
    yield* inStretches(fates.length, (from, end) => {
      for (let i = from; i < end; i++) {
        const low = words[2 * i],
          high = words[2 * i + 1];
        if (fates[i] === RootOutcome.ok)
          facts.learnRoot(low, high, roots[2 * i], roots[2 * i + 1], timestampMs, settled, nowMs);
        else if (fates[i] === RootOutcome.noRoot && settled) facts.learnNoRoot(low, high, timestampMs, nowMs);
      }
    });
  }
}

const NOTHING: SharedAnswers = { answerFor: () => undefined, requests: 0 };

function* note(
  facts: RootFacts,
  asked: IdIndex,
  answers: SharedAnswers,
  tell: (ordinal: number, value: number) => void,
): PausableWork {
  const words = wordsOf(yield* asked.sortInSteps());
  yield* inStretches(asked.size, (from, end) => {
    for (let at = 2 * from; at < 2 * end; at += 2) {
      const ordinal = facts.roots.find(words[at], words[at + 1]),
        value = answers.answerFor(words[at], words[at + 1]);
      if (ordinal >= 0 && value !== undefined && !Number.isNaN(value)) tell(ordinal, value);
    }
  });
}

function* spread(from: RootsAnswer, indices: Uint32Array, to: RootsAnswer): PausableWork {
  const words = wordsOf(from.rootIds),
    out = wordsOf(to.rootIds),
    { failureOf } = from;
  const reasons = failureOf && (to.failureOf = new Uint32Array(to.outcomes.length));
  yield* inStretches(indices.length, (first, end) => {
    for (let k = first; k < end; k++) {
      out[2 * indices[k]] = words[2 * k];
      out[2 * indices[k] + 1] = words[2 * k + 1];
      to.outcomes[indices[k]] = from.outcomes[k];
      if (reasons) reasons[indices[k]] = failureOf[k];
    }
  });
}
