/** A batch's answers to one of those who asked: all of them, or those that a deadline has left. */
import { DeadlineError } from '../../base/errors.ts';
import { inStretches, type PausableWork } from '../../base/cooperative-work.ts';
import { wordsOf } from '../../base/uint64.ts';
import { idsFromWords, isAnswered, PENDING, type BatchAnswers } from './batch-answers.ts';
import { recordFailureReason, RootOutcome, type RootFailure, type RootsAnswer } from './root-source.ts';

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

/** Answers on their way to a caller. */
export interface Delivery {
  /** No more IDs than this are delivered. */
  maxIds: number;
  /** What those without an answer, or beyond that, have failed of. */
  deadline: DeadlineError | undefined;
  done: void | Promise<void>;
}

/** @param places Of each marked ID, in order, its place in the batch; none before the batch is sent. */
export function* deliverAnswers(
  batch: BatchAnswers,
  requests: () => number,
  { answer, marks, mark, count, ids }: Caller,
  places: Uint32Array,
  delivery: Delivery,
): PausableWork {
  const { outcomes: fates } = answer,
    out = wordsOf(answer.rootIds);
  const failures = new Map<number, FailureSeen>();
  let delivered = 0,
    late = 0,
    seen = 0,
    first = -1;
  yield* inStretches(fates.length, (from, end) => {
    for (let i = from; i < end && seen < delivery.maxIds; i++) {
      if (marks[i] !== mark) continue;
      const place = places[seen++],
        fate = batch.outcomes[place] ?? PENDING;
      if (!isAnswered(fate)) {
        if (late++ === 0) first = i;
        continue;
      }
      delivered++;
      fates[i] = fate;
      out[2 * i] = batch.roots[2 * place];
      out[2 * i + 1] = batch.roots[2 * place + 1];
      if (fate === RootOutcome.failed) noteFailure(batch, place, i, answer, failures);
    }
  });
  for (const { index, first, last } of failures.values())
    Object.assign(answer.failures[index], { first: batch.idAt(first), last: batch.idAt(last) });
  answer.distinct += batch.count;
  answer.requests += requests();
  if (!delivery.deadline || delivered === count) return;
  noteLate({ answer, marks, mark, count, ids }, count - delivered, Math.max(first, 0), delivery.deadline);
}

/** Where a failure is among a caller's, and the first and last place that has it. */
interface FailureSeen {
  index: number;
  first: number;
  last: number;
}

/** Notes that the ID at an index failed, for the reason that the one at a place has. */
function noteFailure(
  batch: BatchAnswers,
  place: number,
  index: number,
  answer: RootsAnswer,
  failures: Map<number, FailureSeen>,
): void {
  const failure = batch.failureAt(place);
  let seen = failures.get(failure);
  if (!seen) {
    failures.set(failure, (seen = { index: answer.failures.length, first: place, last: place }));
    answer.failures.push({ first: 0n, last: 0n, error: batch.errors[failure - 1] });
  }
  seen.first = Math.min(seen.first, place);
  seen.last = Math.max(seen.last, place);
  recordFailureReason(answer, index, seen.index);
}

/** Of very many IDs that are late not all are looked at to say from where to where they are. */
const RANGE_SEEN = 2 ** 16;

/** IDs that had no answer in time have failed already, and for no other reason: it is the last. */
function noteLate(
  { answer, marks, mark, count, ids }: Caller,
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
