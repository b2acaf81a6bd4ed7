/** What endpoints read from requests and build answers of. */
import { bytesOf, idsFromBytes } from '../../lib/base/uint64.ts';
import type { Editor } from '../graph/operations.ts';
import type { TimedGraph } from '../graph/timed-graph.ts';
import type { GraphInfo } from '../graph/id-layout.ts';
import { reply, type MockRequest, type MockResponse } from '../message.ts';
import {
  Crash,
  member,
  parseJson,
  pythonInt,
  pythonTimestampMs,
  Refusal,
  toJson,
  uint64,
  uint64Array,
} from './python-values.ts';
import type { MockUser, Need } from './users.ts';

export const HTML = 'text/html; charset=utf-8';
export const JSON_TYPE = 'application/json';

export interface Asked extends MockRequest {
  /** Groups of the endpoint's path, decoded. */
  parts: Record<string, string>;
  user: MockUser;
}

export interface Endpoint {
  method: 'GET' | 'POST';
  /** The whole path; a group named `table` makes it an endpoint of a table, which wants the table to exist. */
  path: RegExp;
  need: Need;
  answer: (asked: Asked) => MockResponse | Promise<MockResponse>;
}

/** What the endpoints of a table are about. */
export interface TableContext {
  table: string;
  info: GraphInfo;
  graph: TimedGraph;
  editor: Editor;
  strict: boolean;
  /** Milliseconds since 1970. */
  now: () => number;
  /** The moment of an edit that is made now: after all others. */
  nextMs: () => number;
}

/** A path below the table's. */
export const at = (path: string): RegExp =>
  new RegExp(`^/segmentation/api/v1/table/(?<table>[^/]+)/${path}$`);

export const json = (value: unknown): MockResponse => reply(200, JSON_TYPE, toJson(value));

/** Raw little-endian uint64. The real server calls it HTML. */
export const binary = ({ strict }: TableContext, ids: BigUint64Array): MockResponse =>
  reply(200, strict ? 'application/octet-stream' : HTML, bytesOf(ids));

export const page = (status: number, title: string, headers: Record<string, string> = {}): MockResponse =>
  reply(
    status,
    HTML,
    `<!doctype html>\n<html lang=en>\n<title>${status} ${title}</title>\n<h1>${title}</h1>\n`,
    headers,
  );

/** `true`, `false`, `1`, `0` in any case; all else is the default. */
export function flag(query: URLSearchParams, name: string, fallback = false): boolean {
  const text = query.get(name)?.toLowerCase();
  return text === 'true' || text === '1' || (fallback && text !== 'false' && text !== '0');
}

/** IDs as JSON numbers, or as text when the request wants them so. */
export const idsOut = (query: URLSearchParams, ids: Iterable<bigint>): (bigint | string)[] =>
  Array.from(ids, idOut(query));
export const idOut = (query: URLSearchParams): ((id: bigint) => bigint | string) =>
  flag(query, 'int64_as_str') ? String : (id) => id;
/** The same for numpy's other 64-bit integers, which the server treats alike. */
export const intOut = (query: URLSearchParams): ((value: number) => number | string) =>
  flag(query, 'int64_as_str') ? String : (value) => value;

export function idsOfBody(body: Uint8Array, { isBinary = false, key = 'node_ids' } = {}): BigUint64Array {
  if (!isBinary) return uint64Array(member(parseJson(body), key));
  if (body.length % 8 !== 0) throw new Crash('buffer size must be a multiple of element size');
  return idsFromBytes(body);
}

/** An ID in the path, as Python's `np.uint64(text)`. */
export const idOfPath = (text: string): bigint => uint64(pythonInt(text));

/** The moment a request asks about, whole milliseconds; now without one. */
export const momentOf = ({ now }: TableContext, query: URLSearchParams, name = 'timestamp'): number =>
  query.has(name) ? pythonTimestampMs(query.get(name)!, name) : now();

/** A moment that need not be given. */
export const optionalMoment = (query: URLSearchParams, name: string): number | undefined =>
  query.has(name) ? pythonTimestampMs(query.get(name)!, name) : undefined;

/** A moment without which there is no answer. */
export function wantedMoment(query: URLSearchParams, name: string): number {
  if (!query.has(name)) throw new Refusal(`Timestamp parameter ${name} is mandatory`);
  return pythonTimestampMs(query.get(name)!, name);
}
