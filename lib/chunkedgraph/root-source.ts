/** The question "which roots have these IDs at that moment?", and what an answer looks like, whoever gives it: the server or a cache. */

export interface RootQuestion {
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
export const RootFate = { ok: 0, noRoot: 1, failed: 2, zero: 3, notLookedUp: 4 } as const;

/** IDs that failed for one reason. Of the IDs asked, those in the range whose fate is `failed` are meant. */
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
  /** {@link RootFate}, one an ID asked. */
  fates: Uint8Array;
  /** Why, where a fate is `failed`; at most a thousand. */
  failures: RootFailure[];
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
  lookUp(ids: BigUint64Array, question?: RootQuestion): Promise<RootsAnswer>;
}
