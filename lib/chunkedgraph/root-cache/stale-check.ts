/**
 * A {@link RootSource} that tells stale supervoxels apart. On a graph whose supervoxels can split, the server
 * keeps answering an old supervoxel with the root that it had before the split, at every later timestamp. So
 * each root of an answer is checked to be a root at the timestamp of the answer. If it is not, an edit has
 * replaced it and the supervoxel below it was not taken along: its ID is out of date.
 *
 * An edit that is being written may look the same: the look-up saw the old root, and the check saw the new one.
 * So at a timestamp that is not settled, such supervoxels are looked up once more first.
 *
 * Source: PyChunkedGraph, branch pcgv3, graph/edits_sv.py, `copy_parents_and_add_lineage`: parts get the parents
 * of the old supervoxel at the old timestamps, and the old supervoxel keeps its own.
 *
 * Memory: while a look-up lasts, 4 bytes per ID, and up to 40 per distinct root. Roots that were current at a
 * settled timestamp are kept, up to 262,144 of them in 16 MB.
 */
import { inStretches, cooperativeRunner, type PausableWork } from '../../base/cooperative-work.ts';
import { wordsOf } from '../../base/uint64.ts';
import { findDistinctInSteps } from '../ids/distinct.ts';
import { IdIndex } from '../ids/id-index.ts';
import type { IdLayout } from '../ids/id-layout.ts';
import {
  findFailureReason,
  noteFailure,
  RootOutcome,
  type RootLookUpOptions,
  type RootsAnswer,
  type RootSource,
} from '../roots/root-source.ts';
import type { WindowClock } from '../roots/window-clock.ts';
import { SUPERVOXEL_LAYER } from './root-facts.ts';
import { CURRENT, NOT_CURRENT } from './root-state.ts';
import { RootTable } from './root-table.ts';

/** What a check is built from. */
export interface StaleCheckParts {
  /** Sends the requests. */
  source: RootSource;
  /** Layout of the graph's IDs. */
  ids: IdLayout;
  /** Layer of the roots. */
  nLayers: number;
  /** The clock that the source uses, too. */
  windowClock: Pick<WindowClock, 'now'>;
  /** Whether supervoxels of the graph can split. If not, only look-ups with `validate` are checked. */
  supervoxelsSplit: boolean;
}

/** Most roots whose times are kept. */
const MOST_ROOTS = 2 ** 18;
/** How long it is kept that a root was current. Servers can be repaired. */
const MAX_AGE_MS = 86_400_000;

/** Whether a root is one at the timestamp: UNCHECKED if the request failed. */
const NO = 0,
  YES = 1,
  UNCHECKED = 2;

/** The verdicts on the roots of one look-up. */
interface Verdicts {
  roots: IdIndex;
  /** One verdict per root, by its ordinal in `roots`. */
  verdicts: Uint8Array;
  /** The answer to the request, and for each root its index there plus one; 0 if it was known. */
  checked: RootsAnswer | undefined;
  asked: Uint32Array;
}

/** Checks the roots of the look-ups of one graph. */
export class StaleCheck implements RootSource {
  readonly #parts: StaleCheckParts;
  #facts = new RootTable();

  constructor(parts: StaleCheckParts) {
    this.#parts = parts;
  }

  /** Looks up roots like any other source. Supervoxels under a replaced root get the outcome `stale`. */
  async lookUp(ids: BigUint64Array, question: RootLookUpOptions = {}): Promise<RootsAnswer> {
    const { source, supervoxelsSplit, windowClock } = this.#parts;
    if (!supervoxelsSplit && !question.validate) return source.lookUp(ids, question);
    // All questions of one look-up are about one timestamp.
    const { timestampMs = windowClock.now() } = question;
    return this.#lookUpChecked(ids, { ...question, timestampMs }, true);
  }

  async #lookUpChecked(
    ids: BigUint64Array,
    question: RootLookUpOptions & { timestampMs: number },
    mayAskAgain: boolean,
  ): Promise<RootsAnswer> {
    const { source, nLayers } = this.#parts,
      { timestampMs, stopLayer = nLayers, signal } = question;
    const isBelow = stopLayer < nLayers;
    // A node below the roots counts as current for good, so the roots above it are looked up too.
    const [answer, above] = await Promise.all([
      source.lookUp(ids, question),
      isBelow ? this.#lookUpSupervoxels(ids, { timestampMs, signal }) : undefined,
    ]);
    const top = above ?? answer;
    if (above) answer.requests += above.requests;
    const found = await cooperativeRunner.run(this.#collectRoots(ids, top));
    const verdicts = await this.#check(found, answer, signal);
    const stale = await cooperativeRunner.run(this.#apply(ids, answer, top, verdicts));
    if (stale.length > 0 && !answer.settled && mayAskAgain)
      await this.#askAgain(ids, answer, stale, question);
    return answer;
  }

  /** Looks up the roots of the supervoxels among IDs; other IDs are left out as zeros. */
  async #lookUpSupervoxels(ids: BigUint64Array, question: RootLookUpOptions): Promise<RootsAnswer> {
    const words = wordsOf(ids),
      own = new BigUint64Array(ids.length),
      out = wordsOf(own),
      { ids: layout, source } = this.#parts;
    await cooperativeRunner.run(
      inStretches(ids.length, (from, end) => {
        for (let i = from; i < end; i++) {
          if (layout.layerOf(words[2 * i + 1]) !== SUPERVOXEL_LAYER) continue;
          out[2 * i] = words[2 * i];
          out[2 * i + 1] = words[2 * i + 1];
        }
      }),
    );
    return source.lookUp(own, question);
  }

  /** Collects the distinct roots of supervoxels. Nodes above them are checked by the source. */
  *#collectRoots(ids: BigUint64Array, { rootIds, outcomes }: RootsAnswer): PausableWork<IdIndex> {
    const roots = new IdIndex(),
      words = wordsOf(ids),
      rootWords = wordsOf(rootIds),
      { ids: layout } = this.#parts;
    yield* inStretches(outcomes.length, (from, end) => {
      for (let i = from; i < end; i++)
        if (outcomes[i] === RootOutcome.ok && layout.layerOf(words[2 * i + 1]) === SUPERVOXEL_LAYER)
          roots.add(rootWords[2 * i], rootWords[2 * i + 1]);
    });
    return roots;
  }

  /** Finds out which roots are roots at the timestamp of the answer, in one request. */
  async #check(roots: IdIndex, answer: RootsAnswer, signal: AbortSignal | undefined): Promise<Verdicts> {
    const { timestampMs, settled } = answer,
      { windowClock, source } = this.#parts;
    if (this.#facts.size > MOST_ROOTS) this.#facts = new RootTable();
    const facts = this.#facts,
      nowMs = windowClock.now();
    facts.setNow(nowMs, MAX_AGE_MS);
    const verdicts = new Uint8Array(roots.size).fill(UNCHECKED),
      asked = new Uint32Array(roots.size),
      sorted = await cooperativeRunner.run(roots.sortInSteps()),
      words = wordsOf(sorted),
      unknown = new BigUint64Array(sorted.length);
    let count = 0;
    for (let k = 0; k < sorted.length; k++) {
      const low = words[2 * k],
        high = words[2 * k + 1],
        ordinal = roots.find(low, high),
        known = facts.find(low, high),
        state = known < 0 ? undefined : facts.stateAt(known, timestampMs);
      if (state === CURRENT) verdicts[ordinal] = YES;
      // A root that was current before and is not any more never returns.
      else if (state === NOT_CURRENT && facts.wasEverCurrent(known)) verdicts[ordinal] = NO;
      else {
        unknown[count++] = sorted[k];
        asked[ordinal] = count;
      }
    }
    if (count === 0) return { roots, verdicts, checked: undefined, asked };
    const list = unknown.subarray(0, count),
      checked = await source.lookUp(list, { timestampMs, validate: true, signal });
    answer.requests += checked.requests;
    const listWords = wordsOf(list);
    for (let k = 0; k < count; k++) {
      const low = listWords[2 * k],
        high = listWords[2 * k + 1],
        outcome = checked.outcomes[k];
      if (outcome === RootOutcome.failed) continue;
      const isRoot = outcome === RootOutcome.ok;
      verdicts[roots.find(low, high)] = isRoot ? YES : NO;
      if (!settled || !checked.settled || facts !== this.#facts) continue;
      const known = facts.find(low, high);
      if (!isRoot) {
        if (known >= 0 && facts.wasEverCurrent(known)) facts.noteReplaced(known, timestampMs);
        continue;
      }
      const ordinal = facts.findOrAdd(low, high, nowMs);
      if (ordinal !== known) facts.retain(ordinal);
      facts.noteCurrent(ordinal, timestampMs);
    }
    return { roots, verdicts, checked, asked };
  }

  /**
   * Writes the verdicts into the answer.
   * @param top The answer at the root layer.
   * @returns The indices of the stale supervoxels.
   */
  *#apply(
    ids: BigUint64Array,
    answer: RootsAnswer,
    top: RootsAnswer,
    { roots, verdicts, checked, asked }: Verdicts,
  ): PausableWork<number[]> {
    const words = wordsOf(ids),
      rootWords = wordsOf(top.rootIds),
      { ids: layout } = this.#parts,
      { outcomes, rootIds } = answer;
    const stale: number[] = [],
      failures = new Map<Error, number>();
    const fail = (i: number, error: Error): void => {
      noteFailure(answer, failures, i, ids[i], error);
      outcomes[i] = RootOutcome.failed;
      rootIds[i] = 0n;
    };
    yield* inStretches(outcomes.length, (from, end) => {
      for (let i = from; i < end; i++) {
        if (outcomes[i] !== RootOutcome.ok || layout.layerOf(words[2 * i + 1]) !== SUPERVOXEL_LAYER) continue;
        if (top.outcomes[i] !== RootOutcome.ok) {
          // Only with a stop layer: there is a node, and no root above it.
          if (top.outcomes[i] === RootOutcome.failed) fail(i, findFailureReason(top, i)!);
          else {
            outcomes[i] = top.outcomes[i];
            rootIds[i] = 0n;
          }
          continue;
        }
        const ordinal = roots.find(rootWords[2 * i], rootWords[2 * i + 1]),
          verdict = verdicts[ordinal];
        if (verdict === YES) continue;
        if (verdict === UNCHECKED) fail(i, findFailureReason(checked!, asked[ordinal] - 1)!);
        else {
          outcomes[i] = RootOutcome.stale;
          rootIds[i] = 0n;
          stale.push(i);
        }
      }
    });
    return stale;
  }

  /** Looks up stale supervoxels once more: the edit may have been written between look-up and check. */
  async #askAgain(
    ids: BigUint64Array,
    answer: RootsAnswer,
    stale: readonly number[],
    question: RootLookUpOptions & { timestampMs: number },
  ): Promise<void> {
    const list = BigUint64Array.from(stale, (index) => ids[index]),
      { ids: distinct, indices } = await cooperativeRunner.run(findDistinctInSteps(wordsOf(list))),
      again = await this.#lookUpChecked(distinct, question, false),
      failures = new Map<Error, number>();
    answer.requests += again.requests;
    for (const [k, index] of stale.entries()) {
      const found = indices[k];
      answer.outcomes[index] = again.outcomes[found];
      answer.rootIds[index] = again.rootIds[found];
      if (again.outcomes[found] === RootOutcome.failed)
        noteFailure(answer, failures, index, ids[index], findFailureReason(again, found)!);
    }
  }
}
