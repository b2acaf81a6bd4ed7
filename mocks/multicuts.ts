/** The multicuts that a mock is given, since it computes none. */
import type { Id } from './graph-description.ts';
import type { Edge } from './graph/edge-table.ts';
import type { Multicut } from './graph/editor.ts';
import type { TimedGraph } from './graph/timed-graph.ts';

/** Which edges a multicut between two groups of supervoxels removes: the mock computes none. */
export interface GivenMulticut {
  /** The supervoxels on one side. */
  sources: readonly Id[];
  /** The supervoxels on the other side. */
  sinks: readonly Id[];
  /** The edges that the split removes, as pairs of supervoxels. */
  removed: readonly (readonly Id[])[];
}

/**
 * A list of multicuts, or a function that returns the removed edges, and undefined for a multicut that
 * fails.
 */
export type GivenMulticuts =
  readonly GivenMulticut[] | ((sources: bigint[], sinks: bigint[]) => readonly (readonly Id[])[] | undefined);

export function toMulticut(graph: TimedGraph, given: GivenMulticuts = []): Multicut {
  const toEdges = (removed: readonly (readonly Id[])[] | undefined): Edge[] | undefined =>
    removed?.map(([a, b]) => [graph.supervoxel(BigInt(a)), graph.supervoxel(BigInt(b))] as const);
  const sorted = (ids: Iterable<Id>): string => [...new Set(Array.from(ids, String))].sort().join();
  if (typeof given === 'function')
    return (sources, sinks) => toEdges(given([...graph.nodes.idsOf(sources)], [...graph.nodes.idsOf(sinks)]));
  const byEnds = new Map(
    given.map(({ sources, sinks, removed }) => [`${sorted(sources)}|${sorted(sinks)}`, removed]),
  );
  return (sources, sinks) =>
    toEdges(byEnds.get(`${sorted(graph.nodes.idsOf(sources))}|${sorted(graph.nodes.idsOf(sinks))}`));
}
