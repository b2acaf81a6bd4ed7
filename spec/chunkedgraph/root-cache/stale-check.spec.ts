/** Stale supervoxels are told apart, with one more request, and never enter the root cache. */
import { describe, expect, test } from '@jest/globals';
import { RootCache } from '../../../lib/chunkedgraph/root-cache/root-cache.ts';
import { StaleCheck } from '../../../lib/chunkedgraph/root-cache/stale-check.ts';
import { IdLayout } from '../../../lib/chunkedgraph/ids/id-layout.ts';
import {
  RootOutcome,
  type RootLookUpOptions,
  type RootsAnswer,
  type RootSource,
} from '../../../lib/chunkedgraph/roots/root-source.ts';

const { ok, noRoot, failed, notLookedUp, stale } = RootOutcome;
const IDS = new IdLayout({ layerBits: 8, spatialBits: new Map([[1, 8]]) }),
  N_LAYERS = 4,
  SETTLE_MS = 50,
  NOW_MS = 100_000;
const supervoxel = (n: number): bigint => (1n << 56n) | (5n << 40n) | BigInt(n);
const node = (n: number): bigint => (2n << 56n) | BigInt(n);
const root = (n: number): bigint => (4n << 56n) | (9n << 40n) | BigInt(n);

/** The old supervoxel, its parts, and another supervoxel of the object. The split is at 50_000. */
const OLD = supervoxel(1),
  PART = supervoxel(101),
  OTHER = supervoxel(2),
  UNKNOWN = supervoxel(77),
  SPLIT_MS = 50_000;
const R1 = root(1),
  R2 = root(2);

/** A server whose supervoxel was split: it keeps answering the old one with the replaced root. */
class SplitServer implements RootSource {
  nowMs = NOW_MS;
  /** The edit is visible in look-ups only after this many of them. */
  lookUpsBeforeEdit = 0;
  failsCheck = false;
  readonly log: string[] = [];

  now = (): number => this.nowMs;
  isSettled = (ms: number): boolean => ms <= this.nowMs - SETTLE_MS;

  async lookUp(
    ids: BigUint64Array,
    { timestampMs = this.nowMs, stopLayer = N_LAYERS, validate = false }: RootLookUpOptions = {},
  ): Promise<RootsAnswer> {
    await Promise.resolve();
    const rootIds = new BigUint64Array(ids.length),
      outcomes = new Uint8Array(ids.length).fill(ok),
      isCheck = ids.length > 0 && ids.every((id) => id >> 56n === 4n) && validate;
    this.log.push(
      `${isCheck ? 'check' : stopLayer === 2 ? 'nodes' : 'roots'} ${[...ids].map(nameOf).join()}`,
    );
    const after = timestampMs >= SPLIT_MS && (isCheck || this.lookUpsBeforeEdit-- <= 0);
    ids.forEach((id, i) => {
      if (id === 0n) outcomes[i] = RootOutcome.zero;
      else if (id >> 56n === 4n) {
        rootIds[i] = id;
        if (!validate) outcomes[i] = notLookedUp;
        else if (this.failsCheck) [outcomes[i], rootIds[i]] = [failed, 0n];
        else if ((id === R1) === after) [outcomes[i], rootIds[i]] = [noRoot, 0n];
      } else if (id === UNKNOWN) outcomes[i] = noRoot;
      else rootIds[i] = stopLayer === 2 ? node(Number(id & 255n)) : after && id !== OLD ? R2 : R1;
    });
    const failures = outcomes.includes(failed) ? [{ first: 0n, last: R2, error: new Error('no reply') }] : [];
    return {
      timestampMs,
      settled: this.isSettled(timestampMs),
      rootIds,
      outcomes,
      failures,
      distinct: ids.length,
      requests: 1,
    };
  }
}

const NAMES = new Map([
  [OLD, 'OLD'],
  [PART, 'PART'],
  [OTHER, 'OTHER'],
  [R1, 'R1'],
  [R2, 'R2'],
]);
const nameOf = (id: bigint): string => NAMES.get(id) ?? String(id);

function setUp({ supervoxelsSplit = true } = {}) {
  const server = new SplitServer(),
    parts = { source: server, ids: IDS, nLayers: N_LAYERS, windowClock: server, supervoxelsSplit };
  const check = new StaleCheck(parts);
  return { server, parts, check };
}
const answersOf = ({ rootIds, outcomes }: RootsAnswer) => [...rootIds].map((id, i) => [id, outcomes[i]]);

describe('the check for stale supervoxels', () => {
  test('gives the right root or stale, with one request for all distinct roots', async () => {
    const { server, check } = setUp(),
      ids = BigUint64Array.of(OLD, PART, OTHER, OLD, 0n, UNKNOWN, R2);
    const answer = await check.lookUp(ids, { timestampMs: SPLIT_MS });
    expect(answersOf(answer)).toEqual([
      [0n, stale],
      [R2, ok],
      [R2, ok],
      [0n, stale],
      [0n, RootOutcome.zero],
      [0n, noRoot],
      [R2, notLookedUp],
    ]);
    expect(server.log).toEqual([`roots OLD,PART,OTHER,OLD,0,${UNKNOWN},R2`, 'check R1,R2']);
    expect(answer.requests).toBe(2);
  });

  test('keeps the old supervoxel at timestamps before the split', async () => {
    const { check } = setUp(),
      answer = await check.lookUp(BigUint64Array.of(OLD, PART), { timestampMs: SPLIT_MS - 1 });
    expect(answersOf(answer)).toEqual([
      [R1, ok],
      [R1, ok],
    ]);
  });

  test('checks a root once at a settled timestamp, and between two of them', async () => {
    const { server, check } = setUp();
    await check.lookUp(BigUint64Array.of(PART), { timestampMs: 60_000 });
    await check.lookUp(BigUint64Array.of(PART), { timestampMs: 80_000 });
    server.log.length = 0;
    await check.lookUp(BigUint64Array.of(OTHER), { timestampMs: 70_000 });
    await check.lookUp(BigUint64Array.of(PART), { timestampMs: 80_000 });
    expect(server.log).toEqual(['roots OTHER', 'roots PART']);
  });

  test('checks every time at a timestamp that is not settled', async () => {
    const { server, check } = setUp();
    for (let k = 0; k < 2; k++) await check.lookUp(BigUint64Array.of(PART));
    expect(server.log).toEqual(['roots PART', 'check R2', 'roots PART', 'check R2']);
  });

  test('looks a stale supervoxel up once more while an edit may be under way', async () => {
    const { server, check } = setUp();
    server.lookUpsBeforeEdit = 1;
    const answer = await check.lookUp(BigUint64Array.of(OTHER, OLD, OTHER));
    expect(answersOf(answer)).toEqual([
      [R2, ok],
      [0n, stale],
      [R2, ok],
    ]);
    expect(server.log).toEqual(['roots OTHER,OLD,OTHER', 'check R1', 'roots OLD,OTHER', 'check R1,R2']);
  });

  test('judges nodes of a stop layer by the roots above them', async () => {
    const { server, check } = setUp(),
      ids = BigUint64Array.of(OLD, PART, 0n);
    const answer = await check.lookUp(ids, { timestampMs: 60_000, stopLayer: 2 });
    expect(answersOf(answer)).toEqual([
      [0n, stale],
      [node(101), ok],
      [0n, RootOutcome.zero],
    ]);
    expect(server.log).toEqual(['nodes OLD,PART,0', 'roots OLD,PART,0', 'check R1,R2']);
  });

  test('fails the supervoxels of roots that could not be checked, and names the reason', async () => {
    const { server, check } = setUp();
    server.failsCheck = true;
    const answer = await check.lookUp(BigUint64Array.of(PART, OLD), { timestampMs: 60_000 });
    expect(answersOf(answer)).toEqual([
      [0n, failed],
      [0n, failed],
    ]);
    expect(answer.failures).toEqual([{ first: OLD, last: PART, error: new Error('no reply') }]);
  });

  test('sends no request of its own on other graphs, unless a look-up has validate', async () => {
    const { server, check } = setUp({ supervoxelsSplit: false });
    expect(answersOf(await check.lookUp(BigUint64Array.of(OLD), { timestampMs: 60_000 }))).toEqual([
      [R1, ok],
    ]);
    expect(server.log).toEqual(['roots OLD']);
    const checked = await check.lookUp(BigUint64Array.of(OLD), { timestampMs: 60_000, validate: true });
    expect(answersOf(checked)).toEqual([[0n, stale]]);
  });
});

describe('a root cache behind the check', () => {
  test.each([60_000, NOW_MS])('stays right after a stale supervoxel was looked up at %d', async (lateMs) => {
    const { server, parts, check } = setUp();
    const cache = new RootCache({ ...parts, source: check, graph: 'g', history: historyOf(server) });
    await cache.lookUp(BigUint64Array.of(OLD, OTHER), { timestampMs: SPLIT_MS - 10 });
    await cache.lookUp(BigUint64Array.of(OLD), { timestampMs: lateMs });
    for (const ms of [SPLIT_MS - 11, SPLIT_MS - 1, SPLIT_MS, SPLIT_MS + 1, 59_999, 60_000, NOW_MS])
      for (const id of [OTHER, OLD, PART]) {
        const { rootIds, outcomes } = await cache.lookUp(BigUint64Array.of(id), { timestampMs: ms });
        const isStale = id === OLD && ms >= SPLIT_MS;
        expect([ms, nameOf(id), rootIds[0], outcomes[0]]).toEqual([
          ms,
          nameOf(id),
          isStale ? 0n : ms < SPLIT_MS ? R1 : R2,
          isStale ? stale : ok,
        ]);
      }
  });

  test('does not keep that a supervoxel has no root: its row may follow, at earlier timestamps', async () => {
    const { server, parts, check } = setUp();
    const cache = new RootCache({ ...parts, source: check, graph: 'g', history: historyOf(server) });
    for (let k = 0; k < 2; k++) await cache.lookUp(BigUint64Array.of(UNKNOWN), { timestampMs: 60_000 });
    expect(server.log).toEqual([`roots ${UNKNOWN}`, `roots ${UNKNOWN}`]);
  });
});

const historyOf = (server: SplitServer) => ({
  isLatest: async (roots: BigUint64Array, timestampMs: number) =>
    Array.from(
      (await server.lookUp(roots, { timestampMs, validate: true })).outcomes,
      (outcome) => outcome === ok,
    ),
  createdMs: async () => Promise.reject(new Error('not asked')),
});
