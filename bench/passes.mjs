/**
 * One cold pass of `run`, and `count` more in the same process.
 *
 * @returns `again`: of the further passes the one in the middle; undefined when there are none.
 */
export async function passes(run, count) {
  const cold = await run(),
    more = [];
  for (let k = 0; k < count; k++) more.push(await run());
  return { cold, again: more.sort((a, b) => a.wall_s - b.wall_s)[count >> 1] };
}
