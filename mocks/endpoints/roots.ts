/** Endpoints about roots: which, since when, until when. Source: PyChunkedGraph, pychunkedgraph/app/segmentation/. */
import { rootsAt } from '../graph/roots-at.ts';
import type { MockResponse } from '../message.ts';
import {
  at,
  binary,
  flag,
  idOfPath,
  idOut,
  idsOfBody,
  idsOut,
  json,
  momentOf,
  optionalMoment,
  type Asked,
  type Endpoint,
  type TableContext,
} from './answers.ts';
import { Crash, pythonInt, pythonTime, pythonTimestampUs, Refusal } from './python-values.ts';

export function rootEndpoints(context: TableContext): Endpoint[] {
  const { graph, strict } = context;
  const { layers } = graph.layout;

  const roots = (query: URLSearchParams, ids: BigUint64Array): BigUint64Array => {
    const asked = query.has('stop_layer') ? Number(pythonInt(query.get('stop_layer')!)) : layers;
    const stopLayer = asked || layers;
    const answer = rootsAt(graph, ids, { timeMs: momentOf(context, query), stopLayer, strict });
    if (stopLayer > layers) throw new Crash('');
    if (answer.found > 0 && answer.missing > 0 && query.get('fail_to_zero') === '') throw new Crash('');
    if (answer.unfound > 0 && query.get('assert_roots') && asked === layers)
      throw new Crash('roots not found for some IDs');
    return answer.ids;
  };

  const rootOfNode = ({ query, parts }: Asked): MockResponse => {
    const id = idOfPath(parts.id);
    const stopLayer = stopLayerOfNode(query) || layers;
    const timeMs = momentOf(context, query);
    // also IDs from 2^63 up, unlike in a batch
    if (graph.layout.layerOf(Number(id >> 32n)) >= stopLayer) return json({ root_id: idOut(query)(id) });
    const { ids, unfound } = rootsAt(graph, BigUint64Array.of(id), { timeMs, stopLayer, strict: true });
    if (unfound > 0 || stopLayer > layers)
      throw new Crash(`Cannot find root id ${id}, ${stopLayer}, ${pythonTime(timeMs)}`);
    return json({ root_id: idOut(query)(ids[0]) });
  };

  /** Nodes that have no successor before a moment: it excludes the moment, where all else includes it. */
  const isLatest = (id: bigint, timeMs: number): boolean => {
    const node = graph.nodes.findId(id);
    return (
      node >= graph.supervoxels &&
      isBefore(graph.nodes.createdMs(node), timeMs) &&
      !isBefore(graph.lineage.replacedMs(node), timeMs)
    );
  };
  const isBefore = (ms: number, timeMs: number): boolean => (strict ? ms <= timeMs : ms < timeMs);

  const created = (ids: BigUint64Array): number[] => {
    const nodes = Array.from(ids, (id) => graph.nodes.findId(id)).map((node) =>
      node >= graph.supervoxels ? node : -1,
    );
    if (nodes.every((node) => node < 0)) return [];
    const unknown = nodes.indexOf(-1);
    if (unknown >= 0) throw new Crash(String(ids[unknown]));
    return nodes.map((node) => graph.nodes.createdMs(node) / 1000);
  };

  /** For those that are latest the moment itself; for the others, in their order, when they were replaced. */
  const latest = (ids: BigUint64Array, query: URLSearchParams): number[] => {
    const timeMs = momentOf(context, query);
    const timeS = query.has('timestamp')
      ? pythonTimestampUs(query.get('timestamp')!, 'timestamp') / 1e6
      : timeMs / 1000;
    const replaced = Array.from(ids, (id) => graph.lineage.replacedMs(graph.nodes.findId(id))).filter((ms) =>
      isBefore(ms, timeMs),
    );
    return Array.from(ids, (id) => {
      if (isLatest(id, timeMs)) return timeS;
      const ms = replaced.shift();
      if (ms === undefined) throw new Crash('pop from an empty deque');
      return ms / 1000;
    });
  };

  /** IDs with anything written about them in a window. */
  const valid = (ids: BigUint64Array, fromMs = -Infinity, toMs = Infinity): bigint[] =>
    [...new Set(ids)].filter((id) => {
      const node = graph.nodes.findId(id);
      if (node < 0) return false;
      const written = [
        ...graph.nodes.parentTimesMs(node),
        graph.lineage.replacedMs(node),
        ...(node >= graph.supervoxels ? [graph.nodes.createdMs(node)] : []),
      ];
      return written.some((ms) => Number.isFinite(ms) && ms >= fromMs && ms < toMs);
    });

  return [
    {
      method: 'POST',
      path: at('roots_binary'),
      need: 'view',
      answer: ({ query, body }) => {
        const ids = idsOfBody(body, { isBinary: true });
        return { ...binary(context, roots(query, ids)), ids: ids.length };
      },
    },
    {
      method: 'POST',
      path: at('roots'),
      need: 'view',
      answer: ({ query, body }) => {
        const found = roots(query, idsOfBody(body));
        return query.get('as_binary') === 'root_ids'
          ? binary(context, found)
          : json({ root_ids: idsOut(query, found) });
      },
    },
    { method: 'GET', path: at('node/(?<id>[^/]+)/root'), need: 'view', answer: rootOfNode },
    {
      method: 'POST',
      path: at('is_latest_roots'),
      need: 'view',
      answer: ({ query, body }) => {
        const ids = idsOfBody(body),
          timeMs = momentOf(context, query);
        return json({ is_latest: Array.from(ids, (id) => isLatest(id, timeMs)) });
      },
    },
    {
      method: 'POST',
      path: at('root_timestamps'),
      need: 'view',
      answer: ({ query, body }) => {
        const ids = idsOfBody(body, { isBinary: flag(query, 'is_binary') });
        momentOf(context, query); // read whether wanted or not
        return json({ timestamp: flag(query, 'latest') ? latest(ids, query) : created(ids) });
      },
    },
    {
      method: 'GET',
      path: at('valid_nodes'),
      need: 'view',
      answer: ({ query, body }) => {
        const ids = idsOfBody(body, { isBinary: flag(query, 'is_binary') });
        const toMs = optionalMoment(query, 'end_timestamp'),
          fromMs = optionalMoment(query, 'start_timestamp');
        return json({ valid_roots: idsOut(query, valid(ids, fromMs, toMs)) });
      },
    },
    {
      method: 'POST',
      path: at('roots_from_coords'),
      need: 'view',
      answer: () => {
        throw new Crash(
          "module 'pychunkedgraph.app.segmentation.common' has no attribute 'handle_roots_from_coord'",
        );
      },
    },
  ];
}

function stopLayerOfNode(query: URLSearchParams): number {
  const text = query.get('stop_layer');
  if (text === null) return 0;
  try {
    return Number(pythonInt(text));
  } catch (error) {
    throw new Refusal(`stop_layer is not an integer ${(error as Error).message}`);
  }
}
