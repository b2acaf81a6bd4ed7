import type { GraphInfo } from './id-layout.ts';
import { Crash, pythonInt } from './python-values.ts';
import type { TimedGraph } from './timed-graph.ts';

/**
 * Descendants of a node at `stopLayer` (1: supervoxels), in ascending order; none for a supervoxel or an unknown ID.
 *
 * @param bounds `x0-x1_y0-y1_z0-z1` in voxels of the graph's mip, widened to whole graph chunks.
 */
export function leavesOf(graph: TimedGraph, id: bigint, stopLayer: number, bounds: string | undefined, info: GraphInfo): BigUint64Array {
  const within = bounds === undefined ? () => true : chunkFilter(graph, bounds, info);
  const node = graph.nodes.findId(id);
  const leaves = node < 0 ? [] : graph.below(node, stopLayer).filter(within);
  return BigUint64Array.from(leaves, (leaf) => graph.nodes.idOf(leaf)).sort();
}

function chunkFilter({ nodes, layout }: TimedGraph, bounds: string, info: GraphInfo): (node: number) => boolean {
  const axes = bounds.split('_').map((range) => range.split('-').map((text) => Number(pythonInt(text))));
  if (axes.length !== 3 || axes.some((range) => range.length !== 2)) throw new Crash('not enough values to unpack');
  return (node) => {
    const low = nodes.lowWord(node), high = nodes.highWord(node);
    const scale = 2 ** Math.max(0, layout.layerOf(high) - 2);
    return axes.every(([from, to], axis) => {
      const size = info.graph.chunk_size[axis] * scale;
      const chunk = layout.chunkCoordinate(low, high, axis);
      return chunk >= Math.floor(from / size) && chunk < Math.ceil(to / size);
    });
  };
}
