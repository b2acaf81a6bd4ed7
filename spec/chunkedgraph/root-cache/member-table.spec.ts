/** The table of supervoxels, compared with a Map: with evicted entries, roots that become too old, and reused rows. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { MemberTable } from '../../../lib/chunkedgraph/root-cache/member-table.ts';
import { RootTable } from '../../../lib/chunkedgraph/root-cache/root-table.ts';
import { seeded } from '../../../testing/random.ts';
import { rounds } from '../../support/rounds.ts';

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
      { seed: 9, numRuns: rounds(8) },
    );
  });

  test('grows in steps, while entries are added, replaced, evicted and forgotten between the steps', () => {
    const random = seeded(41);
    let completed = 0,
      pauses = 0;
    for (let turn = 0; turn < rounds(6); turn++) {
      const { members, roots, add } = setup(turn % 3 === 2 ? 70_000 : 1_000_000);
      const pairs = new Map<number, Set<number>>();
      let nowMs = 0;
      const addSome = (count: number): void => {
        for (let k = 0; k < count; k++) {
          const low = random.below(100_000),
            root = 1 + random.below(500);
          add(low, root, nowMs);
          pairs.set(low, (pairs.get(low) ?? new Set<number>()).add(root));
        }
      };
      roots.setNow(0, 100);
      addSome(40_000);
      for (let call = 0; call < 3; call++) {
        const growing = members.makeRoom(30_000 + random.below(90_000));
        for (let step = growing.next(); !step.done; step = growing.next()) {
          pauses++;
          if (turn % 2 === 1) roots.setNow((nowMs += random.below(30)), 100);
          addSome(random.below(3000));
        }
        completed++;
      }
      let reachable = 0;
      const entries = new Map<number, number>();
      for (let slot = 0; slot < members.slots; slot++) {
        const root = members.rootAt(slot);
        if (root < 0) continue;
        entries.set(root, (entries.get(root) ?? 0) + 1);
        for (let at = members.first(members.lowAt(slot), HIGH); at >= 0;) {
          if (at === slot) reachable++;
          at = members.next(at, members.lowAt(slot), HIGH);
        }
        if (!roots.isForgotten(root) && !pairs.get(members.lowAt(slot))!.has(roots.lowOf(root)))
          throw new Error(`turn ${turn}: a pair that was not added`);
      }
      expect(reachable).toBe(members.size);
      // Without forgotten roots and evictions, nothing is lost.
      if (nowMs === 0 && members.evicted === 0)
        expect(members.size).toBe([...pairs.values()].reduce((sum, { size }) => sum + size, 0));
      // Each row counts its entries, so that it is free after the last one.
      for (const [root, count] of entries) for (let k = 0; k < count; k++) roots.release(root);
      expect(roots.size).toBe(0);
    }
    expect([completed, pauses > 3 * rounds(6)]).toEqual([3 * rounds(6), true]);
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
