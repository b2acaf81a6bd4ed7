/** The table of supervoxels, compared with a Map: with evicted entries, roots that become too old, and reused rows. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { MemberTable } from '../../../lib/chunkedgraph/root-cache/member-table.ts';
import { RootTable } from '../../../lib/chunkedgraph/root-cache/root-table.ts';

const HIGH = 0x01000007;

function rootsOf(members: MemberTable, roots: RootTable, low: number): number[] {
  const found: number[] = [];
  for (let slot = members.first(low, HIGH); slot >= 0; slot = members.next(slot, low, HIGH))
    if (!roots.isForgotten(members.rootAt(slot))) found.push(roots.lowOf(members.rootAt(slot)));
  return found.sort((a, b) => a - b);
}

const setup = (maxEntries: number) => {
  const roots = new RootTable(),
    members = new MemberTable(roots, maxEntries);
  const add = (low: number, root: number, nowMs = 0): void =>
    members.add(low, HIGH, roots.findOrAdd(root, 4, nowMs));
  return { roots, members, add };
};

describe('MemberTable', () => {
  test('keeps all pairs while there is room, each once', () => {
    const { roots, members, add } = setup(50_000);
    for (let round = 0; round < 2; round++)
      for (let n = 0; n < 20_000; n++) for (const root of [1 + (n % 7), 100 + (n % 11)]) add(n, root);
    expect([members.size, roots.size, members.evicted]).toEqual([40_000, 18, 0]);
    for (let n = 0; n < 20_000; n++)
      if (rootsOf(members, roots, n).join() !== [1 + (n % 7), 100 + (n % 11)].join()) expect(n).toBe('right');
    expect(members.bytes / members.size).toBeLessThanOrEqual(23);
    expect(rootsOf(members, roots, 20_000)).toEqual([]);
  });

  test('uses 15 bytes per entry when full, and no more after further entries', () => {
    const { members, roots, add } = setup(10_000);
    for (let n = 0; n < 40_000; n++) add(n, 1 + (n % 5));
    // Eviction must not crowd the slots: a run without a free slot stays short.
    let run = 0,
      longest = 0;
    for (let slot = 0; slot < members.slots; slot++)
      longest = Math.max(longest, (run = members.rootAt(slot) < 0 ? 0 : run + 1));
    expect(longest).toBeLessThan(500);
    expect([members.size, members.evicted, roots.size]).toEqual([10_000, 30_000, 5]);
    expect(members.bytes).toBe(12 * (10_000 / 0.8 + 1));
  });

  test('never loses or mixes up entries: each is reachable, and none refers to a wrong root', () => {
    const steps = fc.array(
      fc.record({
        low: fc.nat(60),
        root: fc.integer({ min: 1, max: 12 }),
        touched: fc.boolean(),
        ageMs: fc.constantFrom(0, 0, 0, 40),
      }),
      { minLength: 100, maxLength: 600, size: 'max' },
    );
    fc.assert(
      fc.property(steps, fc.integer({ min: 1, max: 48 }), (all, maxEntries) => {
        const { members, roots, add } = setup(maxEntries);
        const pairs = new Set<string>();
        let nowMs = 0;
        for (const { low, root, touched, ageMs } of all) {
          roots.setNow((nowMs += ageMs), 100);
          add(low, root, nowMs);
          pairs.add(`${low}:${root}`);
          if (!rootsOf(members, roots, low).includes(root)) expect(root).toBe('found');
          if (touched) members.touch(members.first(low, HIGH));
          let reachable = 0;
          for (let slot = 0; slot < members.slots; slot++) {
            if (members.rootAt(slot) < 0) continue;
            for (
              let at = members.first(members.lowAt(slot), HIGH);
              at >= 0;
              at = members.next(at, members.lowAt(slot), HIGH)
            )
              if (at === slot) reachable++;
            if (
              !roots.isForgotten(members.rootAt(slot)) &&
              !pairs.has(`${members.lowAt(slot)}:${roots.lowOf(members.rootAt(slot))}`)
            )
              expect(slot).toBe('a slot of a pair that was added');
          }
          expect(reachable).toBe(members.size);
          expect(members.size).toBeLessThanOrEqual(maxEntries);
        }
      }),
      { seed: 9, numRuns: 20 },
    );
  });

  test('evicts unused entries before used ones', () => {
    const { members, roots, add } = setup(100);
    for (let n = 0; n < 100; n++) add(n, 1);
    for (let n = 0; n < 50; n++) members.touch(members.first(n, HIGH));
    for (let n = 100; n < 150; n++) add(n, 1);
    const held = Array.from({ length: 50 }, (_, n) => rootsOf(members, roots, n).length).reduce(
      (sum, n) => sum + n,
    );
    expect(held).toBeGreaterThanOrEqual(30); // without that rule, about 25 would be left
  });

  test('keeps at most 64 roots of one supervoxel, the latest among them', () => {
    const { members, roots, add } = setup(10_000);
    for (let root = 1; root <= 1000; root++) {
      add(5, root);
      expect(rootsOf(members, roots, 5)).toContain(root);
    }
    expect([members.size, roots.size]).toEqual([64, 64]);
  });

  test('releases roots that are too old when it meets them', () => {
    const { members, roots, add } = setup(1000);
    for (let n = 0; n < 500; n++) add(n, 1 + (n % 10));
    roots.setNow(200, 100);
    expect([members.size, rootsOf(members, roots, 3)]).toEqual([500, []]);
    for (let n = 0; n < 500; n++) add(n, 1 + (n % 10), 200);
    expect([members.size, roots.size, rootsOf(members, roots, 3)]).toEqual([500, 10, [4]]);
  });
});
