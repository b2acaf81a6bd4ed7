/** A real PyChunkedGraph, as the line says that it prints when it is ready, and what is asked of it past the SDK. */
import { readFileSync } from 'node:fs';
import { inspect, isDeepStrictEqual } from 'node:util';
import type { GraphPoint } from '../lib/index.ts';

export interface Ready {
  url: string;
  table: string;
  supervoxels: string[];
  grid: [number, number, number][];
  epochs: { ts?: number; timestamp?: number }[];
  resolution: [number, number, number];
  supervoxel_size: [number, number, number];
}

/** Ascending, each once. */
export const sorted = (list: Iterable<bigint>): bigint[] => [...BigUint64Array.from(new Set(list)).sort()];

export class PcgServer {
  readonly ready: Ready;
  readonly path: string;
  readonly supervoxels: readonly bigint[];
  /** Index of each supervoxel in all lists of roots. */
  readonly place: ReadonlyMap<bigint, number>;
  readonly #api: string;

  constructor(readyFile: string) {
    this.ready = JSON.parse(readFileSync(readyFile, 'utf8').split('\n')[0]) as Ready;
    const { url, table, supervoxels } = this.ready;
    this.path = `graphene://${url}/segmentation/table/${table}`;
    this.#api = `${url}/segmentation/api/v1/table/${table}`;
    this.supervoxels = supervoxels.map(BigInt);
    this.place = new Map(this.supervoxels.map((id, k) => [id, k]));
  }

  /** When the edits were made that the server began with; the first is when the graph was. */
  get firstMoments(): number[] {
    return this.ready.epochs.map(({ ts, timestamp }) => Math.round((ts ?? timestamp!) * 1000));
  }

  /** A point inside a supervoxel. */
  middle(id: bigint): GraphPoint {
    const { grid, supervoxel_size: size, resolution } = this.ready;
    return {
      id,
      nm: grid[this.place.get(id)!].map((at, axis) => (at + 0.5) * size[axis] * resolution[axis]),
    };
  }

  /** What all supervoxels are part of; an edit of that very millisecond is included. */
  async ancestors(ms: number, layer?: number): Promise<bigint[]> {
    const stop = layer === undefined ? '' : `&stop_layer=${layer}`;
    const reply = await this.#post(
      `roots_binary?timestamp=${(ms / 1000).toFixed(3)}${stop}`,
      'application/octet-stream',
      new Uint8Array(BigUint64Array.from(this.supervoxels).buffer),
    );
    return [...new BigUint64Array(await reply.arrayBuffer())];
  }

  /** When roots were made. */
  async madeAt(roots: Iterable<bigint>): Promise<number[]> {
    const body = JSON.stringify({ node_ids: Array.from(roots, String) });
    const reply = await this.#post('root_timestamps', 'application/json', body);
    const { timestamp } = (await reply.json()) as { timestamp: number[] };
    return timestamp.map((seconds) => Math.round(seconds * 1000));
  }

  async #post(call: string, type: string, body: string | Uint8Array<ArrayBuffer>): Promise<Response> {
    const headers = { 'x-requested-with': 'x', 'content-type': type };
    const reply = await fetch(`${this.#api}/${call}`, { method: 'POST', headers, body });
    if (!reply.ok) throw new Error(`${call} answered ${reply.status}: ${await reply.text()}`);
    return reply;
  }
}

const SHOWN = 20;

/** Counts answers, and shows the first that are wrong. */
export class Checks {
  count = 0;
  wrong = 0;

  check(what: string, actual: unknown, expected: unknown): void {
    this.count++;
    if (isDeepStrictEqual(actual, expected)) return;
    if (++this.wrong > SHOWN) return;
    const show = (value: unknown): string => inspect(value, { breakLength: 200, maxArrayLength: 12 });
    console.log(`WRONG ${what}\n  got      ${show(actual)}\n  expected ${show(expected)}`);
  }
}
