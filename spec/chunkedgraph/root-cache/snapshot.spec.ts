/** Snapshots: a load restores what was saved. Any other file is refused with a typed error and changes nothing. */
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { pack } from 'msgpackr';
import { SnapshotError } from '../../../lib/base/errors.ts';
import { RootCache, type RootCacheOptions } from '../../../lib/chunkedgraph/root-cache/root-cache.ts';
import { seeded } from '../../../testing/random.ts';
import {
  BASE_MS,
  IDS,
  N_LAYERS,
  SETTLE_MS,
  SimulatedGraph,
  SimulatedServer,
  supervoxel,
  unknownSupervoxel,
} from './simulated-graph.ts';

let folder: string, file: string;
beforeAll(async () => void (folder = await mkdtemp(join(tmpdir(), 'root-cache-'))));
afterAll(() => rm(folder, { recursive: true }));
beforeEach(() => void (file = join(folder, 'roots')));

const graph = new SimulatedGraph(40, 1),
  server = new SimulatedServer(graph);
graph.edit('merge', 0, 1);
graph.nowMs += 10 * SETTLE_MS;
const IDS_ASKED = BigUint64Array.from([
  ...Array.from({ length: 40 }, (_, n) => supervoxel(n)),
  unknownSupervoxel(1),
]);
const TIMESTAMPS = [BASE_MS, BASE_MS + 100, graph.nowMs - SETTLE_MS];

const open = (options?: RootCacheOptions, of = 'https://host/table/t', nLayers = N_LAYERS): RootCache =>
  new RootCache(
    { source: server, history: server, graph: of, ids: IDS, nLayers, windowClock: server },
    options,
  );

async function filled(): Promise<RootCache> {
  const cache = open();
  for (const timestampMs of TIMESTAMPS) await cache.lookUp(IDS_ASKED, { timestampMs });
  await cache.lookUp(IDS_ASKED); // unsettled
  return cache;
}

const FIRST_FRAME = 8;
type Field = 'version' | 'graph' | 'nLayers';

/** The frames of a file as bytes, without their headers. */
function framesOf(bytes: Buffer): Buffer[] {
  const frames: Buffer[] = [];
  for (let at = FIRST_FRAME; at < bytes.length; at += 8 + frames.at(-1)!.length)
    frames.push(bytes.subarray(at + 8, at + 8 + bytes.readUInt32LE(at)));
  return frames;
}

/** A file of frames with correct checksums. */
function fileOf(frames: readonly Uint8Array[]): Buffer {
  const heads = frames.map((frame) => {
    const head = Buffer.alloc(8);
    head.writeUInt32LE(frame.length, 0);
    head.writeUInt32LE(crc32(frame), 4);
    return head;
  });
  return Buffer.concat([Buffer.from('GPROOTS\n'), ...frames.flatMap((frame, k) => [heads[k], frame])]);
}

async function loadError(bytes: Uint8Array): Promise<string> {
  await writeFile(file, bytes);
  const cache = open(),
    before = cache.stats;
  const code = await cache.load(file).then(
    () => 'loaded',
    (error: unknown) => (error instanceof SnapshotError ? error.code : String(error)),
  );
  if (code !== 'loaded') expect(cache.stats).toEqual(before);
  return code;
}

const header = (changed: Partial<Record<Field, unknown>> = {}): unknown => ({
  kind: 'header',
  version: 1,
  graph: 'https://host/table/t',
  nLayers: N_LAYERS,
  savedMs: graph.nowMs,
  ...changed,
});
const ROOT = {
  id: (4n << 56n) | 5n,
  fromMs: BASE_MS,
  toMs: BASE_MS + 5,
  notCurrentFromMs: Infinity,
  learntMs: graph.nowMs,
  flags: 0,
};
function rootRow(changed: Partial<typeof ROOT> = {}): Uint8Array {
  const { id, ...numbers } = { ...ROOT, ...changed },
    row = new Float64Array([
      0,
      numbers.fromMs,
      numbers.toMs,
      numbers.notCurrentFromMs,
      numbers.learntMs,
      numbers.flags,
    ]);
  new BigUint64Array(row.buffer)[0] = id;
  return new Uint8Array(row.buffer);
}
const pair = (id: bigint, row: number): Uint8Array => {
  const words = new Uint32Array(3);
  words.set([Number(id & 0xffffffffn), Number(id >> 32n), row]);
  return new Uint8Array(words.buffer);
};
const made = (
  rows: Uint8Array,
  pairs: Uint8Array,
  end = { roots: rows.length / 48, pairs: pairs.length / 12 },
): Buffer =>
  fileOf(
    [header(), { kind: 'roots', rows }, { kind: 'pairs', pairs }, { kind: 'end', ...end }].map((frame) =>
      pack(frame),
    ),
  );

describe('a snapshot', () => {
  test('restores all facts: no request is sent again, at any settled timestamp', async () => {
    const cache = await filled();
    await cache.save(file);
    const loaded = open();
    expect(await loaded.load(file)).toBe(cache.stats.entries);
    expect(loaded.stats).toMatchObject({ entries: cache.stats.entries, roots: cache.stats.roots });
    server.requested.length = server.requestedLatest.length = 0;
    for (const timestampMs of [...TIMESTAMPS, BASE_MS + 50]) {
      const known = IDS_ASKED.subarray(0, 40),
        expected = await cache.lookUp(known, { timestampMs });
      expect((await loaded.lookUp(known, { timestampMs })).rootIds).toEqual(expected.rootIds);
    }
    for (const timestampMs of TIMESTAMPS)
      expect((await loaded.lookUp(IDS_ASKED, { timestampMs })).cached).toBe(41);
    expect([server.requested, server.requestedLatest]).toEqual([[], []]);
  });

  test('is complete, alone in its folder, and readable by its owner only, after several writers', async () => {
    const cache = await filled(),
      other = await filled();
    await Promise.all([cache.save(file), cache.save(file), other.save(file)]);
    expect(await readdir(folder)).toEqual(['roots']);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(await open().load(file)).toBe(cache.stats.entries);
  });

  test('is added to the known facts, up to maxEntries', async () => {
    const cache = await filled();
    await cache.save(file);
    const some = open();
    await some.lookUp(IDS_ASKED.subarray(0, 10), { timestampMs: BASE_MS + 7 });
    await some.load(file);
    expect(some.stats).toMatchObject({ entries: cache.stats.entries, roots: cache.stats.roots });
    const small = open({ maxEntries: 5 });
    expect(await small.load(file)).toBe(5);
    expect(small.stats).toMatchObject({ entries: 5, evicted: 0 });
    expect(small.stats.roots).toBeLessThanOrEqual(5);
  });

  test('is ignored when it is too old', async () => {
    const cache = await filled();
    await cache.save(file);
    const aged = open({ maxAgeMs: 1 });
    graph.nowMs += 1;
    expect(await aged.load(file)).toBe(0);
    expect(aged.stats).toMatchObject({ entries: 0, roots: 0 });
  });

  test.each<[what: string, code: string, cache: () => RootCache]>([
    ['another table', 'FOREIGN', () => open({}, 'https://host/table/u')],
    ['other layers', 'FOREIGN', () => open({}, 'https://host/table/t', 5)],
  ])('of %s is %s', async (_, code, reader) => {
    await (await filled()).save(file);
    await expect(reader().load(file)).rejects.toMatchObject({ name: 'SnapshotError', code });
  });

  test('is NOT_FOUND if the file does not exist, and IO if it cannot be read or written', async () => {
    await expect(open().load(join(folder, 'none'))).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(open().load(folder)).rejects.toMatchObject({ code: 'IO' });
    await expect(open().save(join(folder, 'none', 'roots'))).rejects.toMatchObject({ code: 'IO' });
    await expect(open().save(folder)).rejects.toMatchObject({ code: 'IO' });
    expect((await readdir(folder)).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  });

  const LAYER_2 = (2n << 56n) | 1n,
    ONE = supervoxel(1);
  test.each<[what: string, code: string, bytes: () => Uint8Array]>([
    ['made by hand, but right', 'loaded', () => made(rootRow(), pair(ONE, 0))],
    ['without roots and pairs', 'loaded', () => made(new Uint8Array(0), new Uint8Array(0))],
    [
      'of a later format version',
      'UNSUPPORTED',
      () => fileOf([pack({ kind: 'header', version: 2, shape: 'unknown' })]),
    ],
    ['without bytes', 'DAMAGED', () => new Uint8Array(0)],
    ['of text', 'DAMAGED', () => Buffer.from('{"roots": []}')],
    ['without a header', 'DAMAGED', () => fileOf([pack({ kind: 'roots', rows: rootRow() })])],
    ['without an end', 'DAMAGED', () => fileOf([pack(header())])],
    [
      'with frames after its end',
      'DAMAGED',
      () => Buffer.concat([made(rootRow(), pair(ONE, 0)), made(rootRow(), pair(ONE, 0)).subarray(8)]),
    ],
    ['with other totals', 'DAMAGED', () => made(rootRow(), pair(ONE, 0), { roots: 1, pairs: 2 })],
    ['with a pair whose root is missing', 'DAMAGED', () => made(rootRow(), pair(ONE, 1))],
    ['with a pair of layer 2', 'DAMAGED', () => made(rootRow(), pair(LAYER_2, 0))],
    ['with half a pair', 'DAMAGED', () => made(rootRow(), pair(ONE, 0).subarray(0, 11))],
    ['with a root of layer 2', 'DAMAGED', () => made(rootRow({ id: LAYER_2 }), pair(ONE, 0))],
    ['with a span that ends after the save', 'DAMAGED', () => made(rootRow({ toMs: 9e15 }), pair(ONE, 0))],
    ['with a span backwards', 'DAMAGED', () => made(rootRow({ fromMs: BASE_MS + 6 }), pair(ONE, 0))],
    ['with NaN', 'DAMAGED', () => made(rootRow({ fromMs: NaN }), pair(ONE, 0))],
    [
      'with an end before its span',
      'DAMAGED',
      () => made(rootRow({ notCurrentFromMs: BASE_MS }), pair(ONE, 0)),
    ],
    ['with an unknown flag', 'DAMAGED', () => made(rootRow({ flags: 2 }), pair(ONE, 0))],
    [
      'with a no-root row at a wrong timestamp',
      'DAMAGED',
      () => made(rootRow({ id: 77n, toMs: BASE_MS, flags: 1 }), pair(ONE, 0)),
    ],
    [
      'with a frame of 4 GiB',
      'DAMAGED',
      () => Buffer.concat([Buffer.from('GPROOTS\n'), Buffer.alloc(8, 0xff)]),
    ],
    ['with an array of 4 billion', 'DAMAGED', () => fileOf([Buffer.of(0xdd, 0xff, 0xff, 0xff, 0xff)])],
    ['with bytes of 4 GiB', 'DAMAGED', () => fileOf([Buffer.of(0xc6, 0xff, 0xff, 0xff, 0xff)])],
    ['with a map of 4 billion', 'DAMAGED', () => fileOf([Buffer.of(0xdf, 0xff, 0xff, 0xff, 0xff)])],
    ['with a million nested arrays', 'DAMAGED', () => fileOf([Buffer.alloc(1_000_000, 0x91)])],
    ['with a frame that is not MessagePack', 'DAMAGED', () => fileOf([Buffer.of(0xc1)])],
  ])('%s: %s', async (_, code, bytes) => expect(await loadError(bytes())).toBe(code));

  test('is damaged if it is cut anywhere', async () => {
    await (await filled()).save(file);
    const bytes = await readFile(file),
      codes = new Set<string>();
    for (let length = 0; length < bytes.length; length += 1 + (length >> 5))
      codes.add(await loadError(bytes.subarray(0, length)));
    expect([...codes]).toEqual(['DAMAGED']);
  });

  test('is damaged if it is altered anywhere', async () => {
    await (await filled()).save(file);
    const bytes = await readFile(file),
      random = seeded(3),
      codes = new Set<string>();
    for (let k = 0; k < 300; k++) {
      const altered = Buffer.from(bytes);
      altered[random.below(bytes.length)] ^= 1 << random.below(8);
      codes.add(await loadError(altered));
    }
    expect([...codes]).toEqual(['DAMAGED']);
  });

  test('is refused, or has only possible values, if it is altered with correct checksums', async () => {
    await (await filled()).save(file);
    const frames = framesOf(await readFile(file)),
      random = seeded(4),
      codes = new Map<string, number>();
    for (let k = 0; k < 600; k++) {
      const altered = frames.map((frame) => Buffer.from(frame)),
        frame = random.pick(altered);
      for (let n = random.below(3); n >= 0; n--)
        frame[random.below(Math.min(frame.length, random.pick([16, 100_000])))] = random.below(256);
      const code = await loadError(fileOf(altered));
      codes.set(code, (codes.get(code) ?? 0) + 1);
    }
    expect(
      [...codes.keys()].filter((code) => !['loaded', 'DAMAGED', 'FOREIGN', 'UNSUPPORTED'].includes(code)),
    ).toEqual([]);
    expect(codes.get('DAMAGED')).toBeGreaterThan(200);
  });
});
