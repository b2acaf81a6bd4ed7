/** A plan that is made at once, or with pauses if it is very long. */
import type { PausableWork } from '../base/cooperative-work.ts';

/** A complete plan, or pausable work that makes it. */
export type Planned<T> = readonly T[] | PausableWork<readonly T[]>;

/** Converts each part of a plan, with the pauses of the plan. */
export const mapPlanned = <T, U>(planned: Planned<T>, make: (part: T) => U): Planned<U> =>
  'next' in planned ? mapLater(planned, make) : planned.map((part) => make(part));

function* mapLater<T, U>(
  planned: PausableWork<readonly T[]>,
  make: (part: T) => U,
): PausableWork<readonly U[]> {
  return (yield* planned).map((part) => make(part));
}
