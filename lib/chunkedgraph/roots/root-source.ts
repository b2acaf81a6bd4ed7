/** The question "which roots have these IDs at that moment?", and what an answer looks like, whoever gives it: the server or a cache. */
import { DeadlineError } from '../../base/errors.ts';

export interface RootLookUpOptions {
  /** Milliseconds since 1970; undefined: now, one instant for all that ask within one window. */
  timestampMs?: number;
  /** Layer at which the climb ends. @default the root layer */
  stopLayer?: number;
  /**
   * Asks `is_latest_roots` about IDs of the root layer, which the server echoes unseen: `ok` when they were a root at that moment, `noRoot`
   * when not. IDs between the stop layer and the root layer stay `notLookedUp`: the server has no such question about them.
   * @default false: all IDs at or above the wanted layer are `notLookedUp`
   */
  validate?: boolean;
  signal?: AbortSignal;
}

/** What became of an ID, apart from the ID it got. */
export const RootOutcome = { ok: 0, noRoot: 1, failed: 2, zero: 3, notLookedUp: 4 } as const;

/** A reason why IDs failed: those that did are from `first` to `last`, which others may be, too. */
export interface RootFailure {
  first: bigint;
  /** Inclusive. */
  last: bigint;
  error: Error;
}

export interface RootsAnswer {
  timestampMs: number;
  /** Whether `timestampMs` was outside the window in which edits may still appear when it was asked: only then may the answer be kept. */
  settled: boolean;
  /** One an ID asked; 0 wherever there is none. */
  rootIds: BigUint64Array;
  /** {@link RootOutcome}, one an ID asked. */
  outcomes: Uint8Array;
  /** Why, where a fate is `failed`. */
  failures: RootFailure[];
  /** Of each ID asked that failed, the index in `failures` plus one; 0, or nothing here: that at `late` is meant. */
  failureOf?: Uint32Array;
  /** Index in `failures` of what IDs failed of that had no answer in time. @default 0 */
  deadlineFailure?: number;
  /** Distinct IDs that were asked of the server. */
  distinct: number;
  /** Requests this look-up took part in. */
  requests: number;
  /** IDs asked that a cache answered, where there is one. */
  cached?: number;
}

export interface RootSource {
  /**
   * Roots of many IDs, duplicates and zeros allowed, in the order given. A failed request does not throw: its IDs are `failed`.
   * @throws signal.reason for this caller alone.
   */
  lookUp(ids: BigUint64Array, question?: RootLookUpOptions): Promise<RootsAnswer>;
}

/** An answer to be filled in: what has no other fate has failed. */
export const createAnswer = (count: number, timestampMs: number, settled: boolean): RootsAnswer => ({
  timestampMs,
  settled,
  rootIds: new BigUint64Array(count),
  outcomes: new Uint8Array(count).fill(RootOutcome.failed),
  failures: [],
  distinct: 0,
  requests: 0,
});

/** Why the ID at an index of those asked failed. */
export function findFailureReason(
  { outcomes: fates, failures, failureOf, deadlineFailure: late = 0 }: RootsAnswer,
  index: number,
): Error | undefined {
  if (fates[index] !== RootOutcome.failed) return undefined;
  const failure = failureOf?.[index] || late + 1;
  return (failures[failure - 1] as RootFailure | undefined)?.error;
}

/** Notes why an ID failed. */
export function recordFailureReason(answer: RootsAnswer, index: number, failure: number): void {
  (answer.failureOf ??= new Uint32Array(answer.outcomes.length))[index] = failure + 1;
}

/** The deadline came before anything was known. */
export function failAllAtDeadline(answer: RootsAnswer, { timeoutMs }: DeadlineError): RootsAnswer {
  const count = answer.outcomes.length;
  answer.deadlineFailure =
    -1 +
    answer.failures.push({
      first: 0n,
      last: 2n ** 64n - 1n,
      error: new DeadlineError(timeoutMs, { what: 'roots', count, of: count }),
    });
  return answer;
}
