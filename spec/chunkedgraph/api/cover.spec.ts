/** Covers in the recorded graph at each of its epochs. The supervoxels of all nodes tell what is right. */
import { describe, expect, test } from '@jest/globals';
import { findCover } from '../../../lib/chunkedgraph/api/cover.ts';
import { epochs, supervoxels, type Epoch } from '../../../testing/pcg-graph.ts';
import { seeded } from '../../../testing/random.ts';

const layerOf = (id: bigint): number => Number(id >> 56n),
  sorted = (ids: Iterable<bigint>): bigint[] => [...BigUint64Array.from(new Set(ids)).sort()];

/** One epoch: the nodes above each supervoxel, lowest first, and the supervoxels of each node. */
class EpochGraph {
  readonly members = new Map<bigint, Set<bigint>>();
  readonly #chains = new Map<bigint, bigint[]>();

  constructor({ l2, l3, root }: Epoch) {
    supervoxels.forEach((id, k) => {
      const chain = [...new Set([id, BigInt(l2[k]), BigInt(l3[k]), BigInt(root[k])])];
      this.#chains.set(id, chain);
      for (const node of chain) this.members.set(node, (this.members.get(node) ?? new Set()).add(id));
    });
  }

  rootOf = (node: bigint): bigint => this.ancestorOf(node, 4);

  ancestorOf(node: bigint, layer: number): bigint {
    if (layerOf(node) >= layer) return node;
    const [member] = this.members.get(node) ?? [];
    return this.#chains.get(member)?.find((id) => layerOf(id) >= layer) ?? 0n;
  }

  /** Nodes that have only given supervoxels, without nodes below other such nodes. */
  truth(given: readonly bigint[]): bigint[] {
    const wanted = new Set(given.flatMap((node) => [...this.members.get(node)!])),
      full = [...this.members].filter(([, held]) => [...held].every((id) => wanted.has(id)));
    const isBelow = (a: bigint, b: bigint): boolean =>
      layerOf(a) < layerOf(b) && [...this.members.get(a)!].every((id) => this.members.get(b)!.has(id));
    return sorted(full.map(([node]) => node).filter((node) => !full.some(([other]) => isBelow(node, other))));
  }

  cover(given: readonly bigint[], foreign: readonly bigint[] = []) {
    const objects = sorted(given.map(this.rootOf));
    return findCover(BigUint64Array.from(given), BigUint64Array.from(objects), {
      layerOf,
      nLayers: 4,
      leavesOf: async (roots, stopLayer) =>
        Array.from(roots, (root) =>
          BigUint64Array.from([
            ...sorted(Array.from(this.members.get(root)!, (id) => this.ancestorOf(id, stopLayer))),
            ...foreign,
          ]),
        ),
      ancestorsOf: async (ids, layer) => ids.map((id) => this.ancestorOf(id, layer)),
    });
  }
}

describe('findCover', () => {
  const states = epochs.map((epoch) => new EpochGraph(epoch));
  const random = seeded(13);

  test.each([...states.keys()])(
    'finds the fewest nodes in epoch %d, for parts and whole objects',
    async (k) => {
      expect.assertions(60);
      const state = states[k],
        nodes = [...state.members.keys()];
      for (let n = 0; n < 60; n++) {
        const lowest = n % 3 === 0 ? 2 : 1,
          object = [...state.members.get(state.rootOf(random.pick(nodes)))!];
        const part = object.filter(() => random.below(5) > 0).map((id) => state.ancestorOf(id, lowest));
        const given = sorted([...part, ...Array.from({ length: random.below(4) }, () => random.pick(nodes))]);
        if (given.length === 0) given.push(random.pick(nodes));
        expect([...(await state.cover(given)).nodes]).toEqual(state.truth(given));
      }
    },
  );

  test('leaves out listed supervoxels of another object', async () => {
    const [state] = states,
      [root, other] = sorted(Array.from(supervoxels, state.rootOf));
    const own = [...state.members.get(root)!],
      foreign = [...state.members.get(other)!].slice(0, 2);
    expect(await state.cover(own, foreign)).toEqual({ nodes: BigUint64Array.of(root), stranger: undefined });
  });

  test('names a node that is not part of the objects', async () => {
    const [state] = states,
      stranger = (2n << 56n) + 60_000n;
    const objects = BigUint64Array.of(state.rootOf(supervoxels[0]));
    const { unrelated: found } = await findCover(BigUint64Array.of(supervoxels[0], stranger), objects, {
      layerOf,
      nLayers: 4,
      leavesOf: async () => [supervoxels.subarray(0, 1)],
      ancestorsOf: async (ids, layer) => ids.map((id) => state.ancestorOf(id, layer)),
    });
    expect(found).toBe(stranger);
  });
});
