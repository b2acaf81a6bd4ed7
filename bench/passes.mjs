import { existsSync, readFileSync } from 'node:fs';

/**
 * Runs one cold pass of `run`, and `count` more passes in the same process.
 *
 * @returns `cold`, and `again`: the further pass with the median wall time, or undefined if `count` is 0.
 */
export async function passes(run, count) {
  const cold = await run(),
    more = [];
  for (let k = 0; k < count; k++) more.push(await run());
  return { cold, again: more.sort((a, b) => a.wall_s - b.wall_s)[count >> 1] };
}

/** Returns the CPU seconds that the main thread has used. Not a number where the system does not tell. */
export function mainThreadSeconds() {
  const file = '/proc/self/schedstat';
  return existsSync(file) ? Number(readFileSync(file, 'utf8').split(' ')[0]) / 1e9 : NaN;
}
