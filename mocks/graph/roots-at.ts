/** Looks up the ancestors of many IDs at a timestamp. */
import { wordsOf } from '../../lib/base/uint64.ts';
import type { TimedGraph } from './timed-graph.ts';

export interface ClimbOptions {
  timeMs: number;
  /** The look-up ends at the first ancestor at or above this layer. */
  stopLayer: number;
  strict: boolean;
}

/**
 * The ancestors of many IDs at one timestamp, in their order; 0 for an ID without an ancestor. IDs at or
 * above the stop layer stay as they are. Unless `strict`, all IDs stay as they are when none has a parent at
 * the timestamp, as on the real server.
 *
 * @returns `found` and `withoutAncestor` count the IDs that were looked up. `nonzeroWithoutAncestor` leaves
 *   out ID 0.
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
    withoutAncestor = 0,
    nonzeroWithoutAncestor = 0;
  for (let k = 0; k < words.length; k += 2) {
    const low = words[k],
      high = words[k + 1];
    // The server reads int64 here, so an ID from 2^63 up is below any stop layer.
    const signed = high >>> 31 === 1;
    if (!signed && layout.layerOf(high) >= stopLayer) continue;
    const node = nodes.find(low, high);
    const ancestor = node < 0 ? -1 : graph.ancestorAt(node, stopLayer, timeMs);
    if (ancestor >= 0) {
      found++;
      words[k] = nodes.lowWord(ancestor);
      words[k + 1] = nodes.highWord(ancestor);
    } else {
      withoutAncestor++;
      if (low !== 0 || high !== 0) nonzeroWithoutAncestor++;
      words[k] = words[k + 1] = 0;
    }
  }
  return {
    ids: found === 0 && !strict ? ids.slice() : answer,
    found,
    withoutAncestor,
    nonzeroWithoutAncestor,
  };
}
