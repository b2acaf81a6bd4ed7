/**
 * A chunkedgraph server: answers computed from a graph with edits in time, with the manners of the real one.
 * Observed on PyChunkedGraph 2.21.1: what looks odd here (echoed unknown IDs, times that include or exclude their moment, 500 for
 * bad input) is what clients meet.
 */
import { bytesOf, idsFromBytes } from '../lib/base/uint64.ts';
import type { Fault } from './faults.ts';
import { flaskApp, HTML, JSON_TYPE, type Endpoint } from './flask-app.ts';
import { buildGraph, type GraphDescription } from './graph-input.ts';
import { leavesOf } from './leaves.ts';
import { DEFAULT_ORIGIN, reply, type MockRequest, type MockResponse } from './message.ts';
import { Crash, NumberText, parseJson, pythonInt, pythonTimestampMs, Refusal, toJson, uint64, uint64Array } from './python-values.ts';
import { rootsAt } from './roots-at.ts';
import { mockServer, type MockServer } from './server.ts';
import type { TimedGraph } from './timed-graph.ts';

export interface MockChunkedGraphOptions extends GraphDescription {
  /** Name in the URLs. @default 'mock' */
  table?: string;
  /** In place of `{DATA_DIR}` in the info's `data_dir`; `{HOST}` in either stands for the origin the request came to. */
  dataDir?: string;
  /** Wanted of every request for the table. @default none is asked for */
  token?: string;
  /** Milliseconds since 1970: the server's now. @default Date.now */
  clock?: () => number;
  /** Unknown IDs get 0 whatever else is asked with them, instead of being echoed when nothing in the batch is known. @default false */
  strict?: boolean;
  faults?: Fault[];
}

export interface MockChunkedGraph extends MockServer {
  readonly table: string;
  readonly graph: TimedGraph;
}

const PCG_VERSION = '2.21.1';
const OPERATION_LEAD_MS = 500; // `oldest_timestamp` is that much before the first operation

/** @throws RangeError when the description does not fit together. */
export function createMockChunkedGraph(options: MockChunkedGraphOptions): MockChunkedGraph {
  const { table = 'mock', token, clock = Date.now, faults } = options;
  const { graph, editTimesMs } = buildGraph(options);
  const endpoints = [...serverEndpoints(options), ...tableEndpoints(graph, editTimesMs, options)];
  const server = mockServer(flaskApp(endpoints, { table, token, now: clock }), { faults, wholePath: true });
  return { ...server, table, graph };
}

const json = (value: unknown): MockResponse => reply(200, JSON_TYPE, toJson(value));

function serverEndpoints({ info, dataDir = '{DATA_DIR}' }: MockChunkedGraphOptions): Endpoint[] {
  const text = JSON.stringify(info).replaceAll('{DATA_DIR}', JSON.stringify(dataDir).slice(1, -1));
  return [
    { method: 'GET', path: /^\/segmentation\/table\/(?<table>[^/]+)\/info$/, answer: ({ origin = DEFAULT_ORIGIN }) => reply(200, JSON_TYPE, text.replaceAll('{HOST}', origin)) },
    { method: 'GET', path: /^\/segmentation\/api\/versions$/, answer: () => json([0, 1]) },
    { method: 'GET', path: /^\/segmentation\/api\/version$/, answer: () => json(PCG_VERSION) },
    { method: 'GET', path: /^\/segmentation\/api\/v1\/$/, answer: () => reply(200, HTML, `PyChunkedGraph Segmentation v${PCG_VERSION}`) },
  ];
}

function tableEndpoints(graph: TimedGraph, editTimesMs: readonly number[], options: MockChunkedGraphOptions): Endpoint[] {
  const { info, clock = Date.now, strict = false } = options;
  const { layers } = graph.layout;
  const at = (path: string): RegExp => new RegExp(`^/segmentation/api/v1/table/(?<table>[^/]+)/${path}$`);
  const momentOf = (query: URLSearchParams): number => (query.has('timestamp') ? pythonTimestampMs(query.get('timestamp')!, 'timestamp') : clock());
  const idsOut = (query: URLSearchParams, ids: BigUint64Array): (bigint | string)[] => Array.from(ids, (id) => idOut(query, id));

  const roots = (query: URLSearchParams, ids: BigUint64Array): BigUint64Array => {
    const stopLayer = query.has('stop_layer') ? Number(pythonInt(query.get('stop_layer')!)) || layers : layers;
    const answer = rootsAt(graph, ids, { timeMs: momentOf(query), stopLayer, strict });
    if (stopLayer > layers) throw new Crash('');
    if (answer.unknown > 0 && query.get('fail_to_zero') === '') throw new Crash('');
    if (answer.unknown > 0 && query.get('assert_roots')) throw new Crash('roots not found for some IDs');
    return answer.ids;
  };

  const rootOfNode = ({ query }: MockRequest, { id: text }: Record<string, string>): MockResponse => {
    const id = uint64(pythonInt(decodeURIComponent(text)));
    const stopLayer = stopLayerOfNode(query) || layers;
    const timeMs = momentOf(query);
    const high = Number(id >> 32n);
    if (graph.layout.layerOf(high) >= stopLayer) return json({ root_id: idOut(query, id) }); // also IDs from 2^63 up, unlike in a batch
    const { ids, unknown } = rootsAt(graph, BigUint64Array.of(id), { timeMs, stopLayer, strict: true });
    if (unknown > 0 || stopLayer > layers) throw new Crash(`Cannot find root id ${id}, ${stopLayer}, ${new Date(timeMs).toISOString()}`);
    return json({ root_id: idOut(query, ids[0]) });
  };

  const isLatest = ({ query, body }: MockRequest): MockResponse => {
    const timeMs = momentOf(query); // this endpoint alone looks before its moment, not at it
    return json({ is_latest: Array.from(nodeIds(body), (id) => isRootBefore(graph, id, timeMs)) });
  };

  const rootTimestamps = ({ query, body }: MockRequest): MockResponse => {
    const ids = query.get('is_binary') ? binaryIds(body) : nodeIds(body);
    const nodes = Array.from(ids, (id) => graph.nodes.findId(id)).map((node) => (node >= 0 && graph.layerOf(node) > 1 ? node : -1));
    if (nodes.every((node) => node < 0)) return json({ timestamp: [] });
    const unknown = nodes.indexOf(-1);
    if (unknown >= 0) throw new Crash(String(ids[unknown]));
    const timeMs = momentOf(query);
    const latest = query.get('latest')?.toLowerCase() === 'true';
    return json({ timestamp: nodes.map((node) => (latest ? Math.min(graph.nodes.replacedMs(node), timeMs) : graph.nodes.createdMs(node)) / 1000) });
  };

  const leaves = ({ query }: MockRequest, { id: text }: Record<string, string>): MockResponse => {
    const id = uint64(pythonInt(decodeURIComponent(text)));
    const stopLayer = Number(pythonInt(query.get('stop_layer') ?? '1'));
    return json({ leaf_ids: idsOut(query, leavesOf(graph, id, stopLayer, query.get('bounds') ?? undefined, info)) });
  };

  const oldest = ({ query }: MockRequest): MockResponse => {
    if (editTimesMs.length === 0) throw new Crash("'NoneType' object has no attribute 'isoformat'");
    const delimiter = query.get('delimiter') ?? ' ';
    if (delimiter.length !== 1) throw new Crash('isoformat() argument 1 must be a unicode character, not str');
    const iso = new Date(editTimesMs[0] - OPERATION_LEAD_MS).toISOString().replace('T', delimiter);
    return json({ iso: iso.replace(/(\.\d{3})Z$/, (_, fraction: string) => (fraction === '.000' ? '' : `${fraction}000`)) + '+00:00' });
  };

  return [
    {
      method: 'POST',
      path: at('roots_binary'),
      answer: ({ query, body }) => {
        const ids = binaryIds(body);
        return { ...reply(200, HTML, bytesOf(roots(query, ids))), ids: ids.length };
      },
    },
    {
      method: 'POST',
      path: at('roots'),
      answer: ({ query, body }) => {
        const found = roots(query, nodeIds(body));
        return query.get('as_binary') ? reply(200, HTML, bytesOf(found)) : json({ root_ids: idsOut(query, found) });
      },
    },
    { method: 'GET', path: at('node/(?<id>[^/]+)/root'), answer: rootOfNode },
    { method: 'GET', path: at('node/(?<id>[^/]+)/leaves'), answer: leaves },
    { method: 'POST', path: at('is_latest_roots'), answer: isLatest },
    { method: 'POST', path: at('root_timestamps'), answer: rootTimestamps },
    { method: 'GET', path: at('oldest_timestamp'), answer: oldest },
  ];
}

const idOut = (query: URLSearchParams, id: bigint): bigint | string => (['true', '1'].includes(query.get('int64_as_str')?.toLowerCase() ?? '') ? String(id) : id);

function binaryIds(body: Uint8Array): BigUint64Array {
  if (body.length % 8 !== 0) throw new Crash('buffer size must be a multiple of element size');
  return idsFromBytes(body);
}

function nodeIds(body: Uint8Array): BigUint64Array {
  const parsed = parseJson(body);
  if (typeof parsed !== 'object' || parsed === null || parsed instanceof NumberText || !('node_ids' in parsed)) throw new Crash("'node_ids'");
  return uint64Array(parsed.node_ids);
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

function isRootBefore(graph: TimedGraph, id: bigint, timeMs: number): boolean {
  const node = graph.nodes.findId(id);
  if (node < 0 || graph.layerOf(node) !== graph.layout.layers) return false;
  return graph.nodes.createdMs(node) < timeMs && !(graph.nodes.replacedMs(node) < timeMs);
}
