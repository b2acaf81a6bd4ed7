import { wordsOf } from '../../lib/base/uint64.ts';
import type { TimedGraph } from './timed-graph.ts';

export interface ClimbOptions {
  timeMs: number;
  /** The climb of an ID ends at the first ancestor at or above this layer. */
  stopLayer: number;
  strict: boolean;
}

/**
 * Ancestors of many IDs at one time, in their order; 0 for those that have none. IDs at or above the stop layer come back as
 * they are, unlooked. Unless `strict`, so do all when not one of the others has a parent at that time: the real server's climb
 * ends before it has replaced anything.
 *
 * @returns Also how many IDs were looked for with and without success; 0 is `unfound` too, but not `missing`.
 */
export function findRootsAt(
  graph: TimedGraph,
  ids: BigUint64Array,
  { timeMs, stopLayer, strict }: ClimbOptions,
): { ids: BigUint64Array; found: number; withoutAncestor: number; nonzeroWithoutAncestor: number } {
  const { nodes, layout } = graph;
  const answer = ids.slice();
  const words = wordsOf(answer);
  let found = 0,
    unfound = 0,
    missing = 0;
  for (let k = 0; k < words.length; k += 2) {
    const low = words[k],
      high = words[k + 1];
    // the server reads int64 here, so that a negative layer is below any stop layer
    const signed = high >>> 31 === 1;
    if (!signed && layout.layerOf(high) >= stopLayer) continue;
    const node = nodes.find(low, high);
    const ancestor = node < 0 ? -1 : graph.ancestorAt(node, stopLayer, timeMs);
    if (ancestor >= 0) {
      found++;
      words[k] = nodes.lowWord(ancestor);
      words[k + 1] = nodes.highWord(ancestor);
    } else {
      unfound++;
      if (low !== 0 || high !== 0) missing++;
      words[k] = words[k + 1] = 0;
    }
  }
  return {
    ids: found === 0 && !strict ? ids.slice() : answer,
    found,
    withoutAncestor: unfound,
    nonzeroWithoutAncestor: missing,
  };
}
