/**
 * Compares ten thousand random merges and splits with a simple model without chunks, layers or nodes: a set
 * of edges and a flood fill. The mock is `strict`, so that exactly the edited edges are active.
 */
import { beforeAll, describe, expect, test } from '@jest/globals';
import { bytesOf, idsFromBytes } from '../../lib/base/uint64.ts';
import { createMockChunkedGraph, mockRequest, type MockChunkedGraph } from '../../mocks/index.ts';

const EDITS = 10_000,
  SIDE = 4,
  PER_CHUNK = 6;
const info = {
  graph: {
    chunk_size: [64, 64, 64],
    n_layers: 5,
    n_bits_for_layer_id: 8,
    spatial_bit_masks: { 1: 10, 2: 10, 3: 9, 4: 8, 5: 7 },
  },
};
const ids = BigUint64Array.from({ length: SIDE ** 3 * PER_CHUNK }, (_, k) => {
  const chunk = Math.floor(k / PER_CHUNK),
    xyz = [chunk % SIDE, Math.floor(chunk / SIDE) % SIDE, Math.floor(chunk / SIDE ** 2)];
  return (
    (1n << 56n) |
    (BigInt(xyz[0]) << 46n) |
    (BigInt(xyz[1]) << 36n) |
    (BigInt(xyz[2]) << 26n) |
    BigInt(1 + (k % PER_CHUNK))
  );
});

let seed = 20240605;
const random = (below: number): number =>
  Math.floor((((seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0) >>> 8) / 2 ** 24) * below);

/** An edit and its result. */
interface Done {
  timeMs: number;
  old: bigint[];
  made: bigint[];
}

class Oracle {
  readonly #links = ids.reduce((links, _, k) => links.set(k, new Set()), new Map<number, Set<number>>());

  component(start: number): Set<number> {
    const reached = new Set([start]);
    for (const node of reached) for (const other of this.#links.get(node)!) reached.add(other);
    return reached;
  }

  link(a: number, b: number): void {
    this.#links.get(a)!.add(b);
    this.#links.get(b)!.add(a);
  }

  cut(a: number, b: number): void {
    this.#links.get(a)!.delete(b);
    this.#links.get(b)!.delete(a);
  }

  /** For each supervoxel the smallest supervoxel of its object. */
  partition(): Int32Array {
    const smallest = new Int32Array(ids.length).fill(-1);
    for (let k = 0; k < ids.length; k++)
      if (smallest[k] < 0) for (const member of this.component(k)) smallest[member] = k;
    return smallest;
  }
}

/** For each supervoxel the first one with the same root. */
function asPartition(roots: BigUint64Array): Int32Array {
  const first = new Map<bigint, number>();
  return Int32Array.from(roots, (root, k) => {
    if (!first.has(root)) first.set(root, k);
    return first.get(root)!;
  });
}

describe('an edit storm', () => {
  const graph: MockChunkedGraph = createMockChunkedGraph({
    info,
    strict: true,
    supervoxels: ids,
    edges: [],
    clock: () => 4e12,
  });
  const history: Done[] = [];
  const snapshots = new Map<number, Int32Array>();
  const wrongRoots: number[] = [];

  const post = async (path: string, body: Uint8Array | string): Promise<Uint8Array> =>
    (await graph.handle(mockRequest('POST', `/segmentation/api/v1/table/mock/${path}`, { body }))).body;
  const rootsAt = async (timeMs: number): Promise<BigUint64Array> =>
    idsFromBytes(await post(`roots_binary?timestamp=${timeMs / 1000}`, bytesOf(ids)));

  beforeAll(() => {
    const oracle = new Oracle();
    const standing: [number, number][] = [];
    for (let timeMs = 1000; history.length < EDITS; timeMs++) {
      // Merges and splits are equally likely, so that objects of all sizes occur.
      if (standing.length === 0 || random(2) === 0) {
        const a = random(ids.length),
          b = random(3) === 0 ? random(ids.length) : (a + 1 + random(2 * PER_CHUNK)) % ids.length;
        if (oracle.component(a).has(b)) continue;
        const { oldRootIds, newRootIds } = graph.merge([ids[a], ids[b]], { at: timeMs / 1000 });
        oracle.link(a, b);
        standing.push([a, b]);
        history.push({ timeMs, old: oldRootIds, made: newRootIds });
        if (newRootIds.length !== 1 || oldRootIds.length !== 2) wrongRoots.push(timeMs);
      } else {
        const [[a, b]] = standing.splice(random(standing.length), 1);
        const { oldRootIds, newRootIds } = graph.split({ edges: [[ids[a], ids[b]]] }, { at: timeMs / 1000 });
        oracle.cut(a, b);
        history.push({ timeMs, old: oldRootIds, made: newRootIds });
        // There are no rings, because a merge joins two objects. So a cut always separates.
        if (newRootIds.length !== 2 || oldRootIds.length !== 1) wrongRoots.push(timeMs);
      }
      if (history.length % 250 === 0 || history.length === EDITS) snapshots.set(timeMs, oracle.partition());
    }
  });

  test('merges two roots into one and splits one into two', () => expect(wrongRoots).toEqual([]));

  test('gives every supervoxel the root of its component, at every timestamp', async () => {
    expect(snapshots.size).toBe(EDITS / 250);
    for (const [timeMs, partition] of snapshots) {
      const roots = await rootsAt(timeMs);
      expect(roots.every((root) => root >> 56n === 5n)).toBe(true);
      expect(asPartition(roots)).toEqual(partition);
    }
  });

  test('keeps a root and its supervoxels from its creation to its replacement', async () => {
    const replacedAt = new Map(
      history.flatMap(({ timeMs, old }) => old.map((root) => [root, timeMs] as const)),
    );
    const sample = history.filter((_, k) => k % 97 === 0);
    for (const { timeMs, made } of sample) {
      const endMs = Math.min(...made.map((root) => replacedAt.get(root) ?? Infinity)) - 1;
      const [first, last] = [await rootsAt(timeMs), await rootsAt(Math.min(endMs, 3e12))];
      for (const root of made) {
        const members = ids.filter((_, k) => first[k] === root);
        expect(members.length).toBeGreaterThan(0);
        expect(ids.filter((_, k) => last[k] === root)).toEqual(members);
      }
    }
  });

  test('answers delta_roots with the roots made and replaced in a time range', async () => {
    for (let k = 0; k < 50; k++) {
      const from = random(EDITS),
        to = Math.min(EDITS - 1, from + random(300));
      const within = history.slice(from, to + 1);
      const query = `timestamp_past=${within[0].timeMs / 1000}&timestamp_future=${within[within.length - 1].timeMs / 1000}&int64_as_str=1`;
      const { body } = await graph.handle(
        mockRequest('GET', `/segmentation/api/v1/table/mock/delta_roots?${query}`),
      );
      const { old_roots: old, new_roots: fresh } = JSON.parse(Buffer.from(body).toString()) as Record<
        string,
        string[]
      >;
      expect(fresh).toEqual(within.flatMap(({ made }) => made.map(String)));
      expect(new Set(old)).toEqual(new Set(within.flatMap(({ old }) => old.map(String))));
    }
  });

  test('answers the lineage that the edits made', async () => {
    const makers = new Map(history.flatMap((edit) => edit.made.map((root) => [root, edit] as const)));
    for (const { made } of [history[40], history[200], history[700]]) {
      const expected = new Set<string>();
      const pending = [...made.slice(0, 1)],
        seen = new Set(pending);
      for (const root of pending)
        for (const former of makers.get(root)?.old ?? []) {
          expected.add(`${former}-${root}`);
          if (!seen.has(former)) pending.push(former);
          seen.add(former);
        }
      const bytes = await post(
        'lineage_graph_multiple?timestamp_future=0&int64_as_str=1',
        `{"root_ids":[${made[0]}]}`,
      );
      const { links, nodes } = JSON.parse(Buffer.from(bytes).toString()) as {
        links: { source: string; target: string }[];
        nodes: { id: string }[];
      };
      expect(new Set(links.map(({ source, target }) => `${source}-${target}`))).toEqual(expected);
      expect(new Set(nodes.map(({ id }) => id))).toEqual(new Set([...seen].map(String)));
    }
  });

  test('logs every operation', () =>
    expect([
      graph.operations.length,
      graph.operations[EDITS - 1].id,
      graph.operations.every(({ status }) => status === 0),
    ]).toEqual([EDITS, EDITS, true]));
});
