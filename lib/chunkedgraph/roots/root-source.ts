/**
 * The interface of a root look-up: which roots have these IDs at a timestamp? The server and the root cache
 * implement it.
 */
import { fillInStretches, type PausableWork } from '../../base/cooperative-work.ts';
import { DeadlineError } from '../../base/errors.ts';

/** Options of a root look-up. */
export interface RootLookUpOptions {
  /** Timestamp in ms since 1970. @default now, which is the same for all look-ups within one window */
  timestampMs?: number;
  /** Layer at which the look-up ends. @default the root layer */
  stopLayer?: number;
  /**
   * Whether IDs of the root layer are checked with `is_latest_roots`, because the server's root look-up
   * echoes them. The outcome is `ok` if the ID was a root at the timestamp, and `noRoot` if not. IDs between
   * the stop layer and the root layer stay `notLookedUp`: the server cannot check them. Supervoxels whose
   * root was not a root at the timestamp are `stale`. @default false: all IDs at or above the stop layer are
   * `notLookedUp`
   */
  validate?: boolean;
  signal?: AbortSignal;
}

/**
 * The outcome of the look-up of one ID. `ok`: it has a root. `noRoot`: it has none. `failed`: no valid answer
 * came. `zero`: the ID is 0. `notLookedUp`: the ID is at or above the stop layer, and was not checked.
 * `stale`: the ID is a supervoxel that is only under a root that an edit has replaced.
 */
export const RootOutcome = { ok: 0, noRoot: 1, failed: 2, zero: 3, notLookedUp: 4, stale: 5 } as const;

/** A reason why IDs failed. The failed IDs lie between `first` and `last`; other IDs may lie there, too. */
export interface RootFailure {
  /** The lowest failed ID. */
  first: bigint;
  /** The highest failed ID. */
  last: bigint;
  error: Error;
}

/** The answer to a root look-up. */
export interface RootsAnswer {
  /** The timestamp of the look-up, in ms since 1970. */
  timestampMs: number;
  /** Whether `timestampMs` was settled when the look-up started. Only then may the answer be kept. */
  settled: boolean;
  /** One root per ID; 0 where there is none. */
  rootIds: BigUint64Array;
  /** One {@link RootOutcome} per ID. */
  outcomes: Uint8Array;
  /** The reasons of the outcome `failed`. */
  failures: RootFailure[];
  /**
   * For each failed ID, its index in `failures` plus one. 0, or no array, means the failure at
   * `deadlineFailure`.
   */
  failureOf?: Uint32Array;
  /** Index in `failures` of the failure of IDs that had no answer in time. @default 0 */
  deadlineFailure?: number;
  /** How many distinct IDs were sent to the server. */
  distinct: number;
  /** How many requests this look-up took part in. */
  requests: number;
  /** How many IDs the root cache answered. Undefined without a root cache. */
  cached?: number;
}

/** A source of roots. */
export interface RootSource {
  /**
   * Looks up the roots of many IDs, in order. Duplicates and zeros are allowed. A failed request does not
   * throw: its IDs get the outcome `failed`.
   *
   * @throws signal.reason, for this caller alone.
   */
  lookUp(ids: BigUint64Array, question?: RootLookUpOptions): Promise<RootsAnswer>;
}

/** Creates an answer to be filled in. All outcomes are `failed` at first. */
export function* createAnswer(
  count: number,
  timestampMs: number,
  settled: boolean,
): PausableWork<RootsAnswer> {
  const outcomes = new Uint8Array(count);
  yield* fillInStretches(outcomes, RootOutcome.failed);
  return {
    timestampMs,
    settled,
    rootIds: new BigUint64Array(count),
    outcomes,
    failures: [],
    distinct: 0,
    requests: 0,
  };
}

/** Returns why the ID at an index failed. Undefined if it did not fail. */
export function findFailureReason(
  { outcomes, failures, failureOf, deadlineFailure = 0 }: RootsAnswer,
  index: number,
): Error | undefined {
  if (outcomes[index] !== RootOutcome.failed) return undefined;
  const failure = failureOf?.[index] || deadlineFailure + 1;
  return (failures[failure - 1] as RootFailure | undefined)?.error;
}

/** Notes why the ID at an index failed. `failure` is an index in `failures`. */
export function recordFailureReason(answer: RootsAnswer, index: number, failure: number): void {
  (answer.failureOf ??= new Uint32Array(answer.outcomes.length))[index] = failure + 1;
}

/**
 * Notes why the ID at an index failed. Equal errors share one failure.
 *
 * @param known For each error, its index in the failures of the answer.
 */
export function noteFailure(
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

/** Marks all IDs as failed, because the deadline passed before the look-up started. */
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
