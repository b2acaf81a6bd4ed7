/** Finds which IDs of a column are roots at a timestamp. Each distinct ID is requested once. */
import { wordsOf } from '../base/uint64.ts';
import { findDistinct } from '../chunkedgraph/ids/distinct.ts';
import { requestInParts } from '../failures/request-in-parts.ts';

/** Returns for each ID whether it is a root at the timestamp, including the edits of that millisecond. */
export type IsLatest = (
  roots: BigUint64Array,
  timestamp: Date,
  signal?: AbortSignal,
) => Promise<readonly boolean[]>;

/** The distinct IDs of a column, and which of them are roots. */
export interface CurrentRoots {
  /** The distinct IDs in ascending order; 0 may be among them. */
  roots: BigUint64Array;
  /** For each row, the index of its root in `roots`. */
  indices: Uint32Array;
  /**
   * For each ID in `roots`, 1 if it is a root at the timestamp. It is 0 for the ID 0, and if the request
   * failed.
   */
  isCurrent: Uint8Array;
  /** Why a request failed, by index in `roots`. */
  errors: Map<number, Error>;
}

/** The maximum number of IDs per request. */
const IDS_AT_ONCE = 50_000;

/** Checks the IDs of a column in parts. @throws signal.reason. */
export async function findCurrentRoots(
  column: BigUint64Array,
  isLatest: IsLatest,
  timestamp: Date,
  signal: AbortSignal | undefined,
): Promise<CurrentRoots> {
  const { ids: roots, indices } = findDistinct(wordsOf(column));
  const isCurrent = new Uint8Array(roots.length),
    errors = new Map<number, Error>();
  let at = roots.length > 0 && roots[0] === 0n ? 1 : 0;
  for await (const { ids, answers, error } of requestInParts(
    roots.subarray(at),
    (part) => isLatest(part, timestamp, signal),
    { maxIds: IDS_AT_ONCE, signal },
  ))
    for (let k = 0; k < ids.length; k++, at++) {
      if (error) errors.set(at, error);
      else if (answers[k]) isCurrent[at] = 1;
    }
  return { roots, indices, isCurrent, errors };
}
