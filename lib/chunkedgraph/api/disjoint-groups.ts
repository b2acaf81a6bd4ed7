/**
 * Nodes parted into groups that have nothing below them in common. `leaves_many` walks down from all its nodes together and remembers one
 * origin for each node on the way: of what two versions of an object share, one of them is given nothing (PyChunkedGraph 2.21.1,
 * graph/subgraph.py, `cur_nodes_to_original_nodes`).
 */
import { GraphError } from '../../base/errors.ts';
import type { CallOptions, Endpoints } from './endpoints.ts';
import { rootLifetimes } from './root-lifetimes.ts';

export interface DisjointOptions {
  layerOf: (id: bigint) => number;
  nLayers: number;
  /** Layer of the leaves. */
  stopLayer: number;
  nowMs: number;
}

/** Roots that stood at one moment share nothing; nor do nodes right above their leaves, as nobody goes further. All others stay alone. */
export async function findDisjointGroups(
  api: Endpoints,
  nodes: BigUint64Array,
  { layerOf, nLayers, stopLayer, nowMs }: DisjointOptions,
  options: CallOptions,
): Promise<BigUint64Array[]> {
  const low = nodes.filter((id) => layerOf(id) <= stopLayer + 1);
  const roots = nodes.filter((id) => layerOf(id) > stopLayer + 1 && layerOf(id) === nLayers);
  const others = nodes.filter((id) => layerOf(id) > stopLayer + 1 && layerOf(id) !== nLayers);
  const groups = [
    low,
    ...alone(others),
    ...(roots.length > 1 ? await contemporaries(api, roots, nowMs, options) : [roots]),
  ];
  return groups.filter(({ length }) => length > 0);
}

const alone = (ids: BigUint64Array): BigUint64Array[] => Array.from(ids, (id) => BigUint64Array.of(id));

/** As few groups as there are moments needed to meet the lives of all. */
async function contemporaries(
  api: Endpoints,
  roots: BigUint64Array,
  nowMs: number,
  options: CallOptions,
): Promise<BigUint64Array[]> {
  let lives: { made: Float64Array; last: Float64Array };
  try {
    lives = await rootLifetimes(api, roots, nowMs, options);
  } catch (error) {
    // Among them is one that the graph does not have, which has no leaves either.
    if (error instanceof GraphError && (error.code === 'UNKNOWN_ID' || error.status === 500))
      return alone(roots);
    throw error;
  }
  const { made, last } = lives;
  const byEnd = Array.from(roots.keys()).sort((a, b) => last[a] - last[b]);
  const groups: bigint[][] = [];
  let moment = -Infinity;
  for (const k of byEnd) {
    if (groups.length === 0 || made[k] > moment) {
      groups.push([]);
      moment = last[k];
    }
    groups[groups.length - 1].push(roots[k]);
  }
  return groups.map((group) => BigUint64Array.from(group));
}
