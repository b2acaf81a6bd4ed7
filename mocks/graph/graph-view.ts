import type { Edges, EdgeTable } from './edge-table.ts';
import type { NodeTable } from './node-table.ts';

/** What the steps of an edit read of the graph. */
export interface GraphView {
  readonly nodes: NodeTable;
  readonly edges: EdgeTable;
  readonly layout: { readonly layers: number };
  /** How many. */
  readonly supervoxels: number;
  readonly options: { readonly exact: boolean };
  layerOf(node: number): number;
  edgesOf(node: number): Edges;
  crossingLayer(a: number, b: number): number;
}
