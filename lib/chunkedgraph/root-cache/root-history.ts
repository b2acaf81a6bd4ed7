/** What a root cache asks about roots themselves; there are far fewer of them than supervoxels. NaN is no answer. */
export interface RootHistory {
  /** Whether each is a root at that moment, an edit of that very millisecond included; in order. */
  isLatest(
    roots: BigUint64Array,
    timestampMs: number,
    signal: AbortSignal,
  ): Promise<ArrayLike<boolean | number>>;
  /** When each was made, in ms since 1970: the first at which a look-up finds it; in order. */
  createdMs(roots: BigUint64Array, signal: AbortSignal): Promise<ArrayLike<number>>;
}
