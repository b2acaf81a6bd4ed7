/** Multicuts that a test lists for a mocked chunkedgraph, which cannot compute them. */
import type { Id } from './graph-description.ts';
import type { Edge } from './graph/edge-table.ts';
import type { Multicut } from './graph/editor.ts';
import type { TimedGraph } from './graph/timed-graph.ts';

/** The edges that a multicut between two groups of supervoxels removes. */
export interface GivenMulticut {
  /** Source supervoxels, in any order. */
  sources: readonly Id[];
  /** Sink supervoxels, in any order. */
  sinks: readonly Id[];
  /** Edges to remove, as pairs of supervoxels. */
  removed: readonly (readonly Id[])[];
}

/**
 * A list of multicuts, or a function from sources and sinks to the edges to remove. It returns undefined when
 * it knows none.
 */
export type GivenMulticuts =
  readonly GivenMulticut[] | ((sources: bigint[], sinks: bigint[]) => readonly (readonly Id[])[] | undefined);

/** The listed multicuts as a function of nodes. */
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
