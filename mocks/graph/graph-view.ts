/** The part of a graph that the steps of an edit read. */
import type { Edges, EdgeTable } from './edge-table.ts';
import type { NodeTable } from './node-table.ts';

/** A read-only view of {@link TimedGraph}. */
export interface GraphView {
  readonly nodes: NodeTable;
  readonly edges: EdgeTable;
  readonly layout: { readonly layers: number };
  isSupervoxel(node: number): boolean;
  readonly options: { readonly exact: boolean };
  layerOf(node: number): number;
  edgesOf(node: number): Edges;
  crossingLayer(a: number, b: number): number;
}
