/** Which roots of a column are roots at a moment: each is asked once, however many rows have it. */
import { wordsOf } from '../base/uint64.ts';
import { findDistinct } from '../chunkedgraph/ids/distinct.ts';
import { requestInParts } from '../failures/request-in-parts.ts';

/** One an ID: whether it is a root at the moment, that millisecond's edits included. */
export type IsLatest = (
  roots: BigUint64Array,
  timestamp: Date,
  signal?: AbortSignal,
) => Promise<readonly boolean[]>;

export interface CurrentRoots {
  /** Ascending; 0 may be among them. */
  roots: BigUint64Array;
  /** For each row, the index of its root in `roots`. */
  indices: Uint32Array;
  /** For each of `roots`, whether it stands: false too for 0, and where nobody could say. */
  isCurrent: Uint8Array;
  /** Why nobody could say, by index in `roots`. */
  errors: Map<number, Error>;
}

const IDS_AT_ONCE = 50_000;

/** @throws signal.reason. */
export async function findCurrentRoots(
  column: BigUint64Array,
  isLatest: IsLatest,
  timestamp: Date,
  signal: AbortSignal | undefined,
): Promise<CurrentRoots> {
  const { ids: roots, indices: places } = findDistinct(wordsOf(column));
  const stands = new Uint8Array(roots.length),
    errors = new Map<number, Error>();
  let at = roots.length > 0 && roots[0] === 0n ? 1 : 0;
  for await (const { ids, answers, error } of requestInParts(
    roots.subarray(at),
    (part) => isLatest(part, timestamp, signal),
    { maxIds: IDS_AT_ONCE, signal },
  ))
    for (let k = 0; k < ids.length; k++, at++) {
      if (error) errors.set(at, error);
      else if (answers[k]) stands[at] = 1;
    }
  return { roots, indices: places, isCurrent: stands, errors };
}
