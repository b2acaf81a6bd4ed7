/** Copies a batch's answers to one of its callers: all answers, or those that arrived before a deadline. */
import { DeadlineError } from '../../base/errors.ts';
import { inStretches, type PausableWork } from '../../base/cooperative-work.ts';
import { wordsOf } from '../../base/uint64.ts';
import { idsFromWords, isAnswered, PENDING, type BatchAnswers } from './batch-answers.ts';
import { recordFailureReason, RootOutcome, type RootFailure, type RootsAnswer } from './root-source.ts';

/** A caller that waits for answers, and where the answers go. */
export interface RootCaller {
  /** The IDs as pairs of uint32. They are not changed. */
  ids: Uint32Array;
  /** One mark per ID. The batch looks up the IDs that have the mark `mark`. */
  marks: Uint8Array;
  mark: number;
  /** How many IDs have the mark. */
  count: number;
  answer: RootsAnswer;
}

/** A delivery to one caller, while it runs. */
export interface Delivery {
  /** Most IDs that are delivered. */
  maxIds: number;
  /** Why IDs without an answer, or beyond `maxIds`, have failed. */
  deadline: DeadlineError | undefined;
  /** Ends when the caller has its answers. */
  done: void | Promise<void>;
}

/**
 * Writes the answers of one caller.
 *
 * @param batchIndices For each marked ID, in order, its index in the batch. Empty until the batch is sent.
 */
export function* deliverAnswers(
  batch: BatchAnswers,
  requests: () => number,
  { answer, marks, mark, count, ids }: RootCaller,
  batchIndices: Uint32Array,
  delivery: Delivery,
): PausableWork {
  const { outcomes } = answer,
    out = wordsOf(answer.rootIds);
  const failures = new Map<number, FailureSeen>();
  let delivered = 0,
    late = 0,
    seen = 0,
    first = -1;
  yield* inStretches(outcomes.length, (from, end) => {
    for (let i = from; i < end && seen < delivery.maxIds; i++) {
      if (marks[i] !== mark) continue;
      const batchIndex = batchIndices[seen++],
        outcome = batch.outcomes[batchIndex] ?? PENDING;
      if (!isAnswered(outcome)) {
        if (late++ === 0) first = i;
        continue;
      }
      delivered++;
      outcomes[i] = outcome;
      out[2 * i] = batch.roots[2 * batchIndex];
      out[2 * i + 1] = batch.roots[2 * batchIndex + 1];
      if (outcome === RootOutcome.failed) noteFailure(batch, batchIndex, i, answer, failures);
    }
  });
  for (const { index, first, last } of failures.values())
    Object.assign(answer.failures[index], { first: batch.idAt(first), last: batch.idAt(last) });
  answer.distinct += batch.count;
  answer.requests += requests();
  if (!delivery.deadline || delivered === count) return;
  noteLate({ answer, marks, mark, count, ids }, count - delivered, Math.max(first, 0), delivery.deadline);
}

/** The index of a failure in the caller's list, and the first and last index in the batch that has it. */
interface FailureSeen {
  index: number;
  first: number;
  last: number;
}

/** Notes why the caller's ID at an index failed. */
function noteFailure(
  batch: BatchAnswers,
  batchIndex: number,
  index: number,
  answer: RootsAnswer,
  failures: Map<number, FailureSeen>,
): void {
  const failure = batch.failureAt(batchIndex);
  let seen = failures.get(failure);
  if (!seen) {
    failures.set(failure, (seen = { index: answer.failures.length, first: batchIndex, last: batchIndex }));
    answer.failures.push({ first: 0n, last: 0n, error: batch.errors[failure - 1] });
  }
  seen.first = Math.min(seen.first, batchIndex);
  seen.last = Math.max(seen.last, batchIndex);
  recordFailureReason(answer, index, seen.index);
}

/** If more IDs than this had no answer in time, only these are searched for the first and last of them. */
const RANGE_SEEN = 2 ** 16;

/**
 * Notes the deadline as the reason of the IDs that had no answer in time. They already count as failed. It is
 * the last reason in the list.
 */
function noteLate(
  { answer, marks, mark, count, ids }: RootCaller,
  late: number,
  from: number,
  { timeoutMs }: DeadlineError,
): void {
  const all = idsFromWords(ids),
    failure: RootFailure = {
      first: all[from],
      last: all[from],
      error: new DeadlineError(timeoutMs, { what: 'roots', count: late, of: count }),
    };
  for (let i = from; i < Math.min(all.length, from + RANGE_SEEN); i++) {
    if (marks[i] !== mark || answer.outcomes[i] !== RootOutcome.failed || answer.failureOf?.[i]) continue;
    if (all[i] < failure.first) failure.first = all[i];
    if (all[i] > failure.last) failure.last = all[i];
  }
  answer.deadlineFailure = answer.failures.push(failure) - 1;
}
