import { describe, expect, test } from '@jest/globals';
import type { Endpoints } from '../../../lib/chunkedgraph/api/endpoints.ts';
import { suggestRoots, type Suggestion } from '../../../lib/chunkedgraph/api/successors.ts';

const OLD = 4n << 56n, NEW = OLD + 1n, OTHER = OLD + 2n;
const l2 = (k: number): bigint => (2n << 56n) + BigInt(k), sv = (k: number): bigint => (1n << 56n) + BigInt(k);

/** A vote over an old root of `parts`; only NEW and OTHER are current. */
async function vote(parts: bigint[], rootOf: (id: bigint) => bigint, below: Record<string, bigint[]> = {}, roots = [OLD]): Promise<Suggestion[]> {
  const api = { json: (_shape: unknown, { body }: { body: { node_ids: BigUint64Array } }) => Promise.resolve({ is_latest: Array.from(body.node_ids, (id) => id === NEW || id === OTHER) }) };
  const leavesMany = (nodes: BigUint64Array, stopLayer: number) => Promise.resolve(new Map(Array.from(new Set(nodes), (node) => [node, BigUint64Array.from(stopLayer === 2 ? parts : below[String(node)])])));
  const rootsOf = (ids: BigUint64Array) => Promise.resolve(ids.map(rootOf));
  return suggestRoots(api as unknown as Endpoints, BigUint64Array.from(roots), 0, 'level2', { leavesMany, rootsOf }, {});
}

const many = Array.from({ length: 49 }, (_value, k) => l2(k)); // 49 times 1/49 is less than 1

describe('suggestRoots', () => {
  test('divides counts: what all agree on is exactly 1', async () => {
    expect(await vote(many, () => NEW)).toEqual([{ root: OLD, changed: true, suggestions: [{ root: NEW, confidence: 1 }] }]);
    const [{ suggestions }] = await vote(many, (id) => (id < l2(36) ? NEW : OTHER));
    expect(suggestions).toEqual([{ root: NEW, confidence: 36 / 49 }, { root: OTHER, confidence: 13 / 49 }]);
  });

  test('gives the vote of a replaced node to its supervoxels', async () => {
    const below = { [String(l2(0))]: [sv(0), sv(1), sv(2), sv(3)], [String(l2(1))]: [sv(4), sv(5), sv(6)] };
    const rootOf = (id: bigint): bigint => (id === l2(0) ? OLD : id === l2(1) ? 0n : id === sv(0) ? OTHER : NEW);
    const [{ suggestions }] = await vote(many, rootOf, below);
    expect(suggestions).toEqual([{ root: NEW, confidence: 48.75 / 49 }, { root: OTHER, confidence: 0.25 / 49 }]);
  });

  test('counts parts without a root as votes for nobody; leaves what is current alone; answers repeats alike', async () => {
    const [old, current, again] = await vote([l2(0), l2(1)], (id) => (id === l2(0) ? NEW : 0n), { [String(l2(1))]: [sv(0)] }, [OLD, NEW, OLD]);
    expect(old).toEqual({ root: OLD, changed: true, suggestions: [{ root: NEW, confidence: 0.5 }] });
    expect(current).toEqual({ root: NEW, changed: false, suggestions: [{ root: NEW, confidence: 1 }] });
    expect(again).toEqual(old);
  });
});
