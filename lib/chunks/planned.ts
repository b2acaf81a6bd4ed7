/** Plans that are made at once, or with pauses where they are very long. */
import type { PausableWork } from '../base/cooperative-work.ts';

export type Planned<T> = readonly T[] | PausableWork<readonly T[]>;

/** Each part of a plan made into something else, with the pauses that the plan has. */
export const mapPlanned = <T, U>(planned: Planned<T>, make: (part: T) => U): Planned<U> =>
  'next' in planned ? mapLater(planned, make) : planned.map((part) => make(part));

function* mapLater<T, U>(
  planned: PausableWork<readonly T[]>,
  make: (part: T) => U,
): PausableWork<readonly U[]> {
  return (yield* planned).map((part) => make(part));
}
