/**
 * The endpoint that finds the fewest nodes that cover given nodes. Source: PyChunkedGraph,
 * pychunkedgraph/app/segmentation/common.py.
 */
import { findRootsAt } from '../graph/roots-at.ts';
import { nodesAt } from '../graph/subtree.ts';
import type { MockResponse } from '../message.ts';
import { binaryReply, idToJson, jsonReply } from './endpoint-replies.ts';
import type { EndpointRequest, TableContext } from './endpoint.ts';
import { flag, idsOfBody, timestampMs } from './parameters.ts';
import { requireNonEmpty, ServerCrash } from './python-values.ts';

export function minimalCoveringNodesEndpoint(
  context: TableContext,
  { query, body }: EndpointRequest,
): MockResponse {
  const ids = idsOfBody(body, { isBinary: flag(query, 'is_binary') });
  const found = minimalCover(context, ids, timestampMs(context, query));
  return flag(query, 'as_array')
    ? binaryReply(context, found)
    : jsonReply(Array.from(found, idToJson(query)));
}

/** Climbs layer by layer. A whole object has no cover: it crashes the real server, too. */
function minimalCover({ graph, info }: TableContext, ids: BigUint64Array, timeMs: number): BigUint64Array {
  const { nodes, layout } = graph;
  if (ids.length === 0)
    throw new ServerCrash('zero-size array to reduction operation minimum which has no identity');
  const lowest = Math.min(...Array.from(ids, (id) => layout.layerOfId(id)));
  const wanted = new Set(Array.from(ids, (id) => nodesAt(graph, nodes.findId(id), lowest)).flat());
  const isWanted = (node: number): boolean =>
    nodesAt(graph, node, lowest).every((below) => wanted.has(below));

  const byLayer = { length: 2 ** info.graph.n_bits_for_layer_id };
  const waiting = Array.from(byLayer, () => new Set<bigint>());
  const waitingWith = (id: bigint): Set<bigint> => waiting[layout.layerOfId(id)];
  for (const id of ids) waitingWith(id).add(id);
  const cover: bigint[] = [];
  for (let layer = lowest; layer < layout.layers; layer++) {
    const climb = { timeMs, stopLayer: layer + 1, strict: false };
    const {
      ids: parents,
      found,
      nonzeroWithoutAncestor,
    } = findRootsAt(graph, BigUint64Array.from(waiting[layer]), climb);
    if (found > 0 && nonzeroWithoutAncestor > 0) throw new ServerCrash('');
    for (const id of new Set(parents)) {
      const parent = nodes.findId(id);
      if (isWanted(parent)) waitingWith(id).add(id);
      else
        cover.push(
          ...[...nodes.idsOf(nodes.childrenOf(parent))].filter((child) => waitingWith(child).has(child)),
        );
    }
    waiting[layer].clear();
  }
  return BigUint64Array.from(new Set(requireNonEmpty(cover)));
}
