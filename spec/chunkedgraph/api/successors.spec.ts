import { describe, expect, test } from '@jest/globals';
import { suggestRoots, type Suggestion } from '../../../lib/chunkedgraph/api/successors.ts';

const OLD = 4n << 56n,
  NEW = OLD + 1n,
  OTHER = OLD + 2n;
const l2 = (k: number): bigint => (2n << 56n) + BigInt(k),
  sv = (k: number): bigint => (1n << 56n) + BigInt(k);

/** The only supervoxel of a current layer-2 node, and the reverse. */
const ONLY = sv(1000) - l2(0);
const nodeOf = (id: bigint): bigint => (id >= sv(1000) ? id - ONLY : id);

/** Holds a vote about an old root with `parts`. Only NEW and OTHER are current. Layer-2 nodes in `below` were replaced. */
async function vote(
  parts: bigint[],
  rootOf: (id: bigint) => bigint,
  below: Record<string, bigint[]> = {},
  ids = [OLD],
  votingLayer: 1 | 2 = 2,
  foreign: bigint[] = [],
): Promise<Suggestion[]> {
  return suggestRoots(BigUint64Array.from(ids), votingLayer, {
    isLatest: async (requested) => Array.from(requested, (id) => id === NEW || id === OTHER),
    layerOf: (id) => Number(id >> 56n),
    leavesMany: async (nodes, stopLayer) =>
      new Map(
        Array.from(new Set(nodes), (node) => [
          node,
          BigUint64Array.from(stopLayer === 2 ? parts : (below[String(node)] ?? [node + ONLY])),
        ]),
      ),
    removeForeign: async (all) =>
      new Map([...all].map(([id, list]) => [id, list.filter((part) => !foreign.includes(part))])),
    rootsAt: async (requested, layer) =>
      requested.map((id) =>
        layer === undefined ? rootOf(nodeOf(id)) : id >= sv(1000) ? nodeOf(id) : l2(999),
      ),
  });
}

const many = Array.from({ length: 49 }, (_value, k) => l2(k)); // 49 times 1/49 is less than 1

describe('suggestRoots', () => {
  test('divides counts, so that a unanimous vote is exactly 1', async () => {
    expect(await vote(many, () => NEW)).toEqual([
      { root: OLD, changed: true, suggestions: [{ root: NEW, confidence: 1 }] },
    ]);
    const [{ suggestions }] = await vote(many, (id) => (id < l2(36) ? NEW : OTHER));
    expect(suggestions).toEqual([
      { root: NEW, confidence: 36 / 49 },
      { root: OTHER, confidence: 13 / 49 },
    ]);
  });

  test('gives no vote to foreign parts', async () => {
    const parts = [l2(0), l2(1), l2(2), l2(3)],
      rootOf = (id: bigint): bigint => (id === l2(3) || id === l2(2) ? OTHER : NEW);
    const suggestions = async (foreign: bigint[]) =>
      (await vote(parts, rootOf, {}, [OLD], 2, foreign))[0].suggestions;
    expect(await suggestions([])).toEqual([
      { root: NEW, confidence: 0.5 },
      { root: OTHER, confidence: 0.5 },
    ]);
    expect(await suggestions([l2(3)])).toEqual([
      { root: NEW, confidence: 2 / 3 },
      { root: OTHER, confidence: 1 / 3 },
    ]);
    expect(await suggestions([l2(2), l2(3)])).toEqual([{ root: NEW, confidence: 1 }]);
  });

  test('gives the vote of a replaced node to its supervoxels', async () => {
    const below = { [String(l2(0))]: [sv(0), sv(1), sv(2), sv(3)], [String(l2(1))]: [sv(4), sv(5), sv(6)] };
    const rootOf = (id: bigint): bigint => (id === l2(0) || id === l2(1) ? 0n : id === sv(0) ? OTHER : NEW);
    const [{ suggestions }] = await vote(many, rootOf, below);
    expect(suggestions).toEqual([
      { root: NEW, confidence: 48.75 / 49 },
      { root: OTHER, confidence: 0.25 / 49 },
    ]);
  });

  test('counts parts without a root as votes for no root, keeps current roots, and answers duplicates alike', async () => {
    const [old, current, again] = await vote(
      [l2(0), l2(1)],
      (id) => (id === l2(0) ? NEW : 0n),
      { [String(l2(1))]: [sv(0)] },
      [OLD, NEW, OLD],
    );
    expect(old).toEqual({ root: OLD, changed: true, suggestions: [{ root: NEW, confidence: 0.5 }] });
    expect(current).toEqual({ root: NEW, changed: false, suggestions: [{ root: NEW, confidence: 1 }] });
    expect(again).toEqual(old);
  });

  test('lets an ID below the root layer vote for its own root, and never suggests the ID', async () => {
    const below = { [String(l2(1))]: [sv(1), sv(2)] },
      rootOf = (id: bigint): bigint => (id === l2(1) || id === sv(9) ? 0n : id === sv(2) ? OTHER : NEW);
    const answers = await vote([], rootOf, below, [sv(1), l2(0), l2(1), sv(9), NEW]);
    expect(
      answers.map(({ root, changed, suggestions }) => [
        root,
        changed,
        suggestions.map(({ root, confidence }) => [root, confidence]),
      ]),
    ).toEqual([
      [sv(1), true, [[NEW, 1]]],
      [l2(0), true, [[NEW, 1]]],
      [
        l2(1),
        true,
        [
          [NEW, 0.5],
          [OTHER, 0.5],
        ],
      ],
      [sv(9), true, []],
      [NEW, false, [[NEW, 1]]],
    ]);
    expect((await vote([], rootOf, below, [l2(1)], 1))[0].suggestions).toEqual([
      { root: NEW, confidence: 0.5 },
      { root: OTHER, confidence: 0.5 },
    ]);
  });
});
