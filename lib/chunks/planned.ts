/** Plans that are made at once, or with pauses where they are very long. */
import type { Paced } from '../base/pacer.ts';

export type Planned<T> = readonly T[] | Paced<readonly T[]>;

/** Each part of a plan made into something else, with the pauses that the plan has. */
export const mapPlanned = <T, U>(planned: Planned<T>, make: (part: T) => U): Planned<U> =>
  'next' in planned ? mapLater(planned, make) : planned.map((part) => make(part));

function* mapLater<T, U>(planned: Paced<readonly T[]>, make: (part: T) => U): Paced<readonly U[]> {
  return (yield* planned).map((part) => make(part));
}
