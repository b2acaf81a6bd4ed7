/** Which roots of a column are roots at a moment: each is asked once, however many rows have it. */
import { wordsOf } from '../base/uint64.ts';
import { distinctOf } from '../chunkedgraph/ids/distinct.ts';
import { askInParts } from '../failures/ask-in-parts.ts';

/** One an ID: whether it is a root at the moment, that millisecond's edits included. */
export type IsLatest = (
  roots: BigUint64Array,
  timestamp: Date,
  signal?: AbortSignal,
) => Promise<readonly boolean[]>;

export interface Standing {
  /** Ascending; 0 may be among them. */
  roots: BigUint64Array;
  /** For each row, the index of its root in `roots`. */
  places: Uint32Array;
  /** For each of `roots`, whether it stands: false too for 0, and where nobody could say. */
  stands: Uint8Array;
  /** Why nobody could say, by index in `roots`. */
  errors: Map<number, Error>;
}

const IDS_AT_ONCE = 50_000;

/** @throws signal.reason. */
export async function standingOf(
  column: BigUint64Array,
  isLatest: IsLatest,
  timestamp: Date,
  signal: AbortSignal | undefined,
): Promise<Standing> {
  const { ids: roots, places } = distinctOf(wordsOf(column));
  const stands = new Uint8Array(roots.length),
    errors = new Map<number, Error>();
  let at = roots.length > 0 && roots[0] === 0n ? 1 : 0;
  for await (const { ids, answers, error } of askInParts(
    roots.subarray(at),
    (part) => isLatest(part, timestamp, signal),
    { size: IDS_AT_ONCE, signal },
  ))
    for (let k = 0; k < ids.length; k++, at++) {
      if (error) errors.set(at, error);
      else if (answers[k]) stands[at] = 1;
    }
  return { roots, places, stands, errors };
}
