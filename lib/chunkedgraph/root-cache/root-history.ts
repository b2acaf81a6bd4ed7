/**
 * The requests about roots that a root cache needs. There are far fewer roots than supervoxels. NaN means no
 * answer.
 */
export interface RootHistory {
  /**
   * Returns whether each is a root at the timestamp, in order. An edit at exactly that millisecond is
   * included.
   */
  isLatest(
    roots: BigUint64Array,
    timestampMs: number,
    signal: AbortSignal,
  ): Promise<ArrayLike<boolean | number>>;
  /**
   * Returns when each was made, in ms since 1970, in order: the first timestamp at which a look-up finds it.
   */
  createdMs(roots: BigUint64Array, signal: AbortSignal): Promise<ArrayLike<number>>;
}
