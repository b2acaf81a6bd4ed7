/** Builds the replies of endpoints: JSON, binary IDs, HTML pages. */
import { bytesOf } from '../../lib/base/uint64.ts';
import { reply, type MockResponse } from '../message.ts';
import type { TableContext } from './endpoint.ts';
import { flag } from './parameters.ts';
import { toJson } from './python-values.ts';

export const HTML_TYPE = 'text/html; charset=utf-8';
export const JSON_TYPE = 'application/json';

export const jsonReply = (value: unknown): MockResponse => reply(200, JSON_TYPE, toJson(value));

/** IDs as raw little-endian uint64. The content type is HTML, as on the real server, unless `strict`. */
export const binaryReply = ({ strict }: TableContext, ids: BigUint64Array): MockResponse =>
  reply(200, strict ? 'application/octet-stream' : HTML_TYPE, bytesOf(ids));

export const htmlPage = (status: number, title: string, headers: Record<string, string> = {}): MockResponse =>
  reply(
    status,
    HTML_TYPE,
    `<!doctype html>\n<html lang=en>\n<title>${status} ${title}</title>\n<h1>${title}</h1>\n`,
    headers,
  );

/** IDs as JSON numbers, or as text when the request has `int64_as_str`. */
export const idsToJson = (query: URLSearchParams, ids: Iterable<bigint>): (bigint | string)[] =>
  Array.from(ids, idToJson(query));
export const idToJson = (query: URLSearchParams): ((id: bigint) => bigint | string) =>
  flag(query, 'int64_as_str') ? String : (id) => id;
/** The same for other 64-bit integers of numpy. */
export const intToJson = (query: URLSearchParams): ((value: number) => number | string) =>
  flag(query, 'int64_as_str') ? String : (value) => value;

/** The IDs of nodes, as {@link idsToJson} writes them. */
export const nodesToJson = (
  { graph }: TableContext,
  query: URLSearchParams,
  nodes: readonly number[] | Int32Array,
): (bigint | string)[] => idsToJson(query, graph.nodes.idsOf(nodes));
