/**
 * Divides nodes into groups whose members have no parts in common. `leaves_many` walks down from all its
 * nodes at once, and remembers one origin per node on the way. So if two versions of an object share parts,
 * one of them loses them (PyChunkedGraph 2.21.1, graph/subgraph.py, `cur_nodes_to_original_nodes`).
 */
import { GraphError } from '../../base/errors.ts';
import type { CallOptions, Endpoints } from './endpoints.ts';
import { rootLifetimes } from './root-lifetimes.ts';

/** What is needed to form the groups. */
export interface DisjointOptions {
  layerOf: (id: bigint) => number;
  nLayers: number;
  /** Layer of the leaves. */
  stopLayer: number;
  nowMs: number;
}

/**
 * Forms the groups. Roots that were current at one timestamp share no parts. Nodes directly above their
 * leaves can share a group, because no walk continues below them. Every other node is a group of its own.
 */
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
    ...oneGroupEach(others),
    ...(roots.length > 1 ? await groupByLifetime(api, roots, nowMs, options) : [roots]),
  ];
  return groups.filter(({ length }) => length > 0);
}

const oneGroupEach = (ids: BigUint64Array): BigUint64Array[] =>
  Array.from(ids, (id) => BigUint64Array.of(id));

/** Forms the fewest groups of roots such that the lifetimes in each group have a timestamp in common. */
async function groupByLifetime(
  api: Endpoints,
  roots: BigUint64Array,
  nowMs: number,
  options: CallOptions,
): Promise<BigUint64Array[]> {
  let lifetimes: { made: Float64Array; last: Float64Array };
  try {
    lifetimes = await rootLifetimes(api, roots, nowMs, options);
  } catch (error) {
    // One of the IDs is not in the graph, so it has no leaves either.
    if (error instanceof GraphError && (error.code === 'UNKNOWN_ID' || error.status === 500))
      return oneGroupEach(roots);
    throw error;
  }
  const { made, last } = lifetimes;
  const byEnd = Array.from(roots.keys()).sort((a, b) => last[a] - last[b]);
  const groups: bigint[][] = [];
  let timestampMs = -Infinity;
  for (const k of byEnd) {
    if (groups.length === 0 || made[k] > timestampMs) {
      groups.push([]);
      timestampMs = last[k];
    }
    groups[groups.length - 1].push(roots[k]);
  }
  return groups.map((group) => BigUint64Array.from(group));
}
