/** Requests to a real PyChunkedGraph without the SDK, and a counter of checks. */
import { readFileSync } from 'node:fs';
import { inspect, isDeepStrictEqual } from 'node:util';
import type { GraphPoint } from '../lib/index.ts';

/** The JSON that the server prints when it is ready. */
export interface Ready {
  url: string;
  table: string;
  supervoxels: string[];
  grid: [number, number, number][];
  epochs: { ts?: number; timestamp?: number }[];
  resolution: [number, number, number];
  supervoxel_size: [number, number, number];
}

/** Returns distinct IDs in ascending order. */
export const sorted = (list: Iterable<bigint>): bigint[] => [...BigUint64Array.from(new Set(list)).sort()];

export class PcgServer {
  readonly ready: Ready;
  readonly path: string;
  readonly supervoxels: readonly bigint[];
  /** The index of each supervoxel in every list of roots. */
  readonly indexes: ReadonlyMap<bigint, number>;
  readonly #api: string;

  constructor(readyFile: string) {
    this.ready = JSON.parse(readFileSync(readyFile, 'utf8').split('\n')[0]) as Ready;
    const { url, table, supervoxels } = this.ready;
    this.path = `graphene://${url}/segmentation/table/${table}`;
    this.#api = `${url}/segmentation/api/v1/table/${table}`;
    this.supervoxels = supervoxels.map(BigInt);
    this.indexes = new Map(this.supervoxels.map((id, k) => [id, k]));
  }

  /**
   * When the graph was made, then when each edit was made that the server started with; milliseconds since
   * 1970.
   */
  get initialTimesMs(): number[] {
    return this.ready.epochs.map(({ ts, timestamp }) => Math.round((ts ?? timestamp!) * 1000));
  }

  /** Returns the middle of a supervoxel, with its ID. */
  pointIn(id: bigint): GraphPoint {
    const { grid, supervoxel_size: size, resolution } = this.ready;
    return {
      id,
      nm: grid[this.indexes.get(id)!].map((at, axis) => (at + 0.5) * size[axis] * resolution[axis]),
    };
  }

  /**
   * Requests the ancestors of all supervoxels at a layer, by default their roots; edits of that millisecond
   * count.
   */
  async ancestors(ms: number, layer?: number): Promise<bigint[]> {
    const stop = layer === undefined ? '' : `&stop_layer=${layer}`;
    const reply = await this.#post(
      `roots_binary?timestamp=${(ms / 1000).toFixed(3)}${stop}`,
      'application/octet-stream',
      new Uint8Array(BigUint64Array.from(this.supervoxels).buffer),
    );
    return [...new BigUint64Array(await reply.arrayBuffer())];
  }

  /** Requests when roots were created, in milliseconds since 1970. */
  async createdMs(roots: Iterable<bigint>): Promise<number[]> {
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

/** Counts checked answers, and prints the first wrong answers. */
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
