/** Reads the parameters of requests: flags, numbers, bounds, IDs, timestamps. */
import { idsFromBytes } from '../../lib/base/uint64.ts';
import { chunkBox, type ChunkBox } from '../graph/chunk-grid.ts';
import type { TableContext } from './endpoint.ts';
import {
  ServerCrash,
  requiredMember,
  parsePythonJson,
  pythonInt,
  pythonTimestampMs,
  RefusedRequest,
  uint64,
  uint64Array,
} from './python-values.ts';

/** A boolean: `true`, `false`, `1` or `0` in any case. Any other text is the default. */
export function flag(query: URLSearchParams, name: string, fallback = false): boolean {
  const text = query.get(name)?.toLowerCase();
  return text === 'true' || text === '1' || (fallback && text !== 'false' && text !== '0');
}

/** A whole number. Any other text is the default. */
export function wholeNumber(query: URLSearchParams, name: string, fallback: number): number {
  const text = query.get(name)?.trim() ?? '';
  return /^[+-]?\d+$/.test(text) ? Number(text) : fallback;
}

export const stopLayerOf = (query: URLSearchParams, fallback: number): number =>
  query.has('stop_layer') ? Number(pythonInt(query.get('stop_layer')!)) : fallback;

/** The graph chunks of the parameter `bounds`, which is in voxels: `0-512_0-512_0-64`. */
export function boundsOf({ info }: TableContext, query: URLSearchParams): ChunkBox | undefined {
  const bounds = query.get('bounds');
  if (bounds === null) return undefined;
  const axes = bounds.split('_').map((range) => range.split('-').map((text) => Number(pythonInt(text))));
  if (axes.length !== 3 || axes.some((range) => range.length !== 2))
    throw new ServerCrash('not enough values to unpack');
  const [min, max] = [0, 1].map((side) => axes.map((range) => range[side]));
  return chunkBox(info, min, max);
}

/** An ID in the path, parsed as Python's `np.uint64(text)` does. */
export const idOfPath = (text: string): bigint => uint64(pythonInt(text));

/** The IDs of a body: a member of a JSON object, or raw little-endian uint64. */
export function idsOfBody(body: Uint8Array, { isBinary = false, key = 'node_ids' } = {}): BigUint64Array {
  if (!isBinary) return uint64Array(requiredMember(parsePythonJson(body), key));
  if (body.length % 8 !== 0) throw new ServerCrash('buffer size must be a multiple of element size');
  return idsFromBytes(body);
}

/** The timestamp of a request in whole milliseconds since 1970; now if it names none. */
export const timestampMs = ({ now }: TableContext, query: URLSearchParams, name = 'timestamp'): number =>
  optionalMs(query, name) ?? now();

/** A timestamp in whole milliseconds since 1970; undefined if the request names none. */
export const optionalMs = (query: URLSearchParams, name: string): number | undefined =>
  query.has(name) ? pythonTimestampMs(query.get(name)!, name) : undefined;

/** A timestamp in whole milliseconds since 1970. @throws RefusedRequest if the request names none. */
export function requiredMs(query: URLSearchParams, name: string): number {
  const ms = optionalMs(query, name);
  if (ms === undefined) throw new RefusedRequest(`Timestamp parameter ${name} is mandatory`);
  return ms;
}
