/** Endpoints about what is below a node, and around it. Source: PyChunkedGraph, pychunkedgraph/app/segmentation/ and graph/analysis/. */
import { forEachDirected } from '../graph/local-edges.ts';
import { rootsAt } from '../graph/roots-at.ts';
import { chunkBox, nodesAt, nodesBelow, supervoxelsOf, type ChunkBox } from '../graph/subtree.ts';
import type { TimedGraph } from '../graph/timed-graph.ts';
import { reply } from '../message.ts';
import {
  at,
  binary,
  flag,
  HTML,
  idOfPath,
  idOut,
  idsOfBody,
  idsOut,
  intOut,
  json,
  momentOf,
  type Endpoint,
  type TableContext,
} from './answers.ts';
import { pickledArrays } from './pickle.ts';
import { Crash, pythonInt } from './python-values.ts';

export function nodeEndpoints(context: TableContext): Endpoint[] {
  const { graph, info } = context;
  const { nodes } = graph;
  const stopLayerOf = (query: URLSearchParams): number => Number(pythonInt(query.get('stop_layer') ?? '1'));

  const boundsOf = (query: URLSearchParams): ChunkBox | undefined => {
    const bounds = query.get('bounds');
    if (bounds === null) return undefined;
    const axes = bounds.split('_').map((range) => range.split('-').map((text) => Number(pythonInt(text))));
    if (axes.length !== 3 || axes.some((range) => range.length !== 2))
      throw new Crash('not enough values to unpack');
    return chunkBox(
      info,
      axes.map(([from]) => from),
      axes.map(([, to]) => to),
    );
  };

  /** Of an ID that is no node: at its own layer itself. */
  const echoed = (id: bigint, layer: number): bigint[] =>
    !context.strict && graph.layout.layerOf(Number(id >> 32n)) === layer ? [id] : [];

  /** Layer-2 nodes with their supervoxels; also those that were replaced since. */
  const chunkChildren = (query: URLSearchParams, chunk: bigint): [number, Int32Array][] => {
    const timeMs = momentOf(context, query);
    const layer = graph.layout.layerOf(Number(chunk >> 32n));
    if (layer !== 2)
      throw new Crash(
        `This function only accepts level 2 chunks, the chunk requested is a level ${layer} chunk`,
      );
    const found: [number, Int32Array][] = [];
    for (let node = graph.supervoxels; node < nodes.count; node++) {
      if (graph.layerOf(node) !== 2 || nodes.createdMs(node) > timeMs) continue;
      const id = nodes.idOf(node);
      if (id - graph.layout.segmentOf(id) === chunk) found.push([node, nodes.childrenOf(node)]);
    }
    return found.sort(([a], [b]) => nodes.compare(a, b));
  };
  const chunkPairs = (children: [number, Int32Array][]): BigUint64Array =>
    nodes.idsOf(
      children.flatMap(([node, members]) => Array.from(members).flatMap((member) => [node, member])),
    );

  const subgraph = (query: URLSearchParams, id: bigint): unknown => {
    const members = supervoxelsOf(graph, nodes.findId(id), boundsOf(query));
    if (members.length === 0) throw new Crash('need at least one array to concatenate');
    const here = new Set(members);
    const onlyInternal = flag(query, 'only_internal_edges', true);
    const pairs: bigint[][] = [],
      affinities: number[] = [],
      areas: number[] = [];
    forEachDirected(graph, members, (from, to, handle) => {
      if (onlyInternal && !here.has(to)) return;
      pairs.push([nodes.idOf(from), nodes.idOf(to)]);
      affinities.push(graph.edges.affinityOf(handle));
      areas.push(graph.edges.areaOf(handle));
    });
    return { nodes: pairs.map((pair) => idsOut(query, pair)), affinities, areas: areas.map(intOut(query)) };
  };

  return [
    {
      method: 'GET',
      path: at('node/(?<id>[^/]+)/leaves'),
      need: 'view',
      answer: ({ query, parts }) => {
        const stopLayer = stopLayerOf(query),
          box = boundsOf(query);
        const id = idOfPath(parts.id),
          node = nodes.findId(id);
        if (node < 0) return json({ leaf_ids: idsOut(query, stopLayer > 1 ? echoed(id, stopLayer) : []) });
        return json({
          leaf_ids: idsOut(
            query,
            nodes
              .idsOf(stopLayer > 1 ? nodesAt(graph, node, stopLayer, box) : supervoxelsOf(graph, node, box))
              .sort(),
          ),
        });
      },
    },
    {
      method: 'POST',
      path: at('(node/)?leaves_many'),
      need: 'view',
      answer: ({ query, body }) => {
        const box = boundsOf(query),
          ids = idsOfBody(body),
          stopLayer = stopLayerOf(query);
        const walk = (asked: number[]): Map<number, number[]> => nodesBelow(graph, asked, stopLayer, box);
        const known = Array.from(ids, (id) => nodes.findId(id)).filter((node) => node >= 0);
        const together = context.strict ? undefined : walk(known);
        const answer: Record<string, unknown> = {};
        for (const id of ids) {
          const node = nodes.findId(id);
          const leaves =
            node < 0 ? echoed(id, stopLayer) : nodes.idsOf((together ?? walk([node])).get(node)!).sort();
          if (String(id) in answer && !context.strict)
            throw new Crash(
              leaves.length > 0
                ? 'zero-dimensional arrays cannot be concatenated'
                : `index ${stopLayer} is out of bounds for axis 0 with size 0`,
            );
          answer[String(id)] = idsOut(query, leaves);
        }
        return json(answer);
      },
    },
    {
      method: 'GET',
      path: at('node/(?<id>[^/]+)/children'),
      need: 'view',
      answer: ({ query, parts }) => {
        const node = nodes.findId(idOfPath(parts.id));
        return json({ children_ids: node < 0 ? [] : idsOut(query, nodes.idsOf(nodes.childrenOf(node))) });
      },
    },
    {
      method: 'GET',
      path: at('l2_chunk_children/(?<chunk>[^/]+)'),
      need: 'view',
      answer: ({ query, parts }) => {
        const children = chunkChildren(query, idOfPath(parts.chunk));
        if (!flag(query, 'as_array')) throw new Crash('Object of type bytes is not JSON serializable');
        return json({ l2_chunk_children: idsOut(query, chunkPairs(children)) });
      },
    },
    {
      method: 'GET',
      path: at('l2_chunk_children_binary/(?<chunk>[^/]+)'),
      need: 'view',
      answer: ({ query, parts }) => {
        const children = chunkChildren(query, idOfPath(parts.chunk));
        if (flag(query, 'as_array')) return binary(context, chunkPairs(children));
        return reply(
          200,
          HTML,
          pickledArrays(children.map(([node, members]) => [nodes.idOf(node), nodes.idsOf(members)])),
        );
      },
    },
    {
      method: 'GET',
      path: at('node/(?<id>[^/]+)/lvl2_graph'),
      need: 'view',
      answer: ({ query, parts }) => {
        const box = boundsOf(query),
          node = nodes.findId(idOfPath(parts.id));
        const below = nodesAt(graph, node, 2, box).filter((layer2) => box !== undefined || layer2 !== node);
        const edges = layer2Edges(graph, below).map((pair) => idsOut(query, nodes.idsOf(pair)));
        const response = json({ edge_graph: edges });
        return { ...response, headers: { ...response.headers, 'used-bounds': box ? 'True' : 'False' } };
      },
    },
    {
      method: 'GET',
      path: at('node/(?<id>[^/]+)/subgraph'),
      need: 'view',
      answer: ({ query, parts }) => json(subgraph(query, idOfPath(parts.id))),
    },
    {
      method: 'POST',
      path: at('minimal_covering_nodes'),
      need: 'view',
      answer: ({ query, body }) => {
        const found = minimalCover(
          graph,
          idsOfBody(body, { isBinary: flag(query, 'is_binary') }),
          momentOf(context, query),
        );
        return flag(query, 'as_array') ? binary(context, found) : json(Array.from(found, idOut(query)));
      },
    },
  ];
}

/** Pairs of these layer-2 nodes that an edge across graph chunks joins; the other end of an edge is where it is now. */
export function layer2Edges(graph: TimedGraph, layer2: readonly number[]): [number, number][] {
  const { nodes } = graph;
  const asked = new Set(layer2);
  const parentOf = new Map<number, number>();
  for (const node of layer2)
    for (const edges of graph.edgesOf(node).slice(2))
      for (let e = 0; e < edges.length; e += 2) parentOf.set(edges[e], node);
  const found = new Map<string, [number, number]>();
  for (const node of layer2)
    for (const edges of graph.edgesOf(node).slice(2))
      for (let e = 1; e < edges.length; e += 2) {
        const other = parentOf.get(edges[e]) ?? nodes.parentNow(edges[e]);
        if (!asked.has(other)) continue;
        const pair: [number, number] = nodes.compare(node, other) < 0 ? [node, other] : [other, node];
        found.set(pair.join(), pair);
      }
  return [...found.values()].sort(([a, b], [c, d]) => nodes.compare(a, c) || nodes.compare(b, d));
}

/** The fewest nodes over exactly these, climbing layer by layer; a whole object has none, which crashes the real server too. */
function minimalCover(graph: TimedGraph, ids: BigUint64Array, timeMs: number): BigUint64Array {
  const { nodes, layout } = graph;
  if (ids.length === 0)
    throw new Crash('zero-size array to reduction operation minimum which has no identity');
  const layerOfId = (id: bigint): number => layout.layerOf(Number(id >> 32n));
  const lowest = Math.min(...Array.from(ids, layerOfId));
  const queue = new Map<number, Set<bigint>>();
  const queued = (layer: number): Set<bigint> => {
    const there = queue.get(layer) ?? new Set();
    queue.set(layer, there);
    return there;
  };
  for (const id of ids) queued(layerOfId(id)).add(id);
  const wanted = new Set(Array.from(ids, (id) => nodesAt(graph, nodes.findId(id), lowest)).flat());
  const cover: bigint[] = [];
  for (let layer = lowest; layer < layout.layers; layer++) {
    const current = [...queued(layer)];
    if (current.length === 0) continue;
    const {
      ids: parents,
      found,
      missing,
    } = rootsAt(graph, BigUint64Array.from(current), { timeMs, stopLayer: layer + 1, strict: false });
    if (found > 0 && missing > 0) throw new Crash('');
    for (const id of new Set(parents)) {
      const parent = nodes.findId(id);
      if (nodesAt(graph, parent, lowest).every((node) => wanted.has(node))) queued(layerOfId(id)).add(id);
      else
        cover.push(
          ...[...nodes.idsOf(nodes.childrenOf(parent))].filter((child) =>
            queued(layerOfId(child)).has(child),
          ),
        );
    }
    queued(layer).clear();
  }
  if (cover.length === 0) throw new Crash('need at least one array to concatenate');
  return BigUint64Array.from(new Set(cover));
}
