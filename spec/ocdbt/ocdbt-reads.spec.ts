/** How a database is read: which requests, which ranges, and what happens to broken databases. */
import { beforeAll, describe, expect, test } from '@jest/globals';
import { DecodeError } from '../../lib/base/errors.ts';
import { decodeBtreeNode } from '../../lib/ocdbt/format/btree-node.ts';
import { unwrapStructure } from '../../lib/ocdbt/decode-structure.ts';
import { openOcdbt } from '../../lib/ocdbt/open-ocdbt.ts';
import type { OcdbtValues } from '../../lib/ocdbt/ocdbt-source.ts';
import type { OcdbtStore } from '../../lib/ocdbt/ocdbt-store.ts';
import { newMeter } from '../../lib/storage/store.ts';
import { encodeInterior, encodeLeaf, encodeManifest } from '../../mocks/ocdbt/ocdbt-encoding.ts';
import { expectedDatabase, filesOf } from '../../testing/ocdbt-fixtures.ts';
import { findStructures, sealStructure } from '../support/ocdbt-structures.ts';
import { StubStore } from '../support/stub-store.ts';

const files = (folder: string): Map<string, Uint8Array> =>
  new Map([...filesOf(folder)].map(([path, bytes]) => [path.slice(folder.length + 1), bytes]));

/** A store of files that honours ranges. */
const storeOf = (content: Map<string, Uint8Array>): StubStore =>
  new StubStore((key, { range }) => {
    const bytes = content.get(key);
    if (!bytes || !range) return bytes;
    const part = bytes.slice(range.start, range.end);
    return {
      bytes: part,
      contentEncoding: undefined,
      range: { start: range.start, end: range.start + part.length },
    };
  });

const deep = expectedDatabase('deep').versions[17],
  deepKeys = Object.keys(deep.values);

describe('reads', () => {
  test('a whole call in few requests, and none of them twice', async () => {
    const store = storeOf(files('deep')),
      opened = await openOcdbt(store, { version: deep.generation }),
      reads = store.reads.length;
    const found = await opened.locate(deepKeys, {});
    const nodes = store.reads.slice(reads).map(({ key, range }) => ({ key, ...range! }));
    expect(found.every((located) => 'value' in located && located.value !== undefined)).toBe(true);
    const content = files('deep'),
      structures = nodes.flatMap(({ key, start, end }) =>
        findStructures(content.get(key)!.slice(start, end)),
      );
    expect(nodes.length).toBeLessThan(0.6 * structures.length);
    const distinct = new Set(nodes.map(({ key, start, end }) => `${key} ${start} ${end}`));
    expect(distinct.size).toBe(nodes.length);
    await opened.locate(deepKeys, {});
    expect(store.reads.length).toBe(reads + nodes.length);
  });

  test('each node once for calls at the same time', async () => {
    const alone = storeOf(files('deep')),
      together = storeOf(files('deep'));
    await (await openOcdbt(alone, { version: deep.generation })).locate(deepKeys, {});
    const opened = await openOcdbt(together, { version: deep.generation });
    await Promise.all([1, 2, 3].map(() => opened.locate(deepKeys, {})));
    expect(together.reads.length).toBe(alone.reads.length);
  });

  test('go on for the others when one call is aborted', async () => {
    const store = storeOf(files('deep')),
      opened = await openOcdbt(store, { version: deep.generation }),
      controller = new AbortController();
    const aborted = opened.locate(deepKeys, { signal: controller.signal }),
      other = opened.locate(deepKeys, {});
    controller.abort(new Error('enough'));
    await expect(aborted).rejects.toThrow('enough');
    expect((await other).every((located) => 'value' in located)).toBe(true);
    await expect(opened.locate(deepKeys, { signal: controller.signal })).rejects.toThrow('enough');
  });

  test('nodes of another version only if they are not cached', async () => {
    const store = storeOf(files('plain')),
      opened = await openOcdbt(store),
      keys = Object.keys(expectedDatabase('plain').latest);
    await opened.locate(keys, {});
    const before = store.keys.length,
      same = await opened.at();
    expect(same).toBe(opened);
    expect(store.keys.slice(before)).toEqual(['manifest.ocdbt']);
    const older = await opened.at(4);
    expect(older).not.toBe(opened);
    expect([older.generation, older.latestGeneration]).toEqual([4, 5]);
    expect(older.url).not.toBe(opened.url);
  });
});

describe('one value', () => {
  let store: OcdbtStore & OcdbtValues;
  const indirect = deepKeys.find((key) => Buffer.from(deep.values[key], 'base64').length === 40)!,
    inline = deepKeys.find((key) => Buffer.from(deep.values[key], 'base64').length === 5)!;
  beforeAll(async () => void (store = await openOcdbt(storeOf(files('deep')), { version: deep.generation })));

  test.each([['in a data file'], ['in a node']])('%s has ranges like any object', async (where) => {
    const key = where === 'in a node' ? inline : indirect,
      whole = Buffer.from(deep.values[key], 'base64');
    const { bytes, range, validator, contentEncoding } = (await store.read(key))!;
    expect([Buffer.from(bytes), range, contentEncoding]).toEqual([whole, undefined, undefined]);
    for (const [start, end] of [
      [0, 1],
      [1, 4],
      [2, 1000],
    ]) {
      const part = (await store.read(key, { range: { start, end } }))!;
      expect(Buffer.from(part.bytes)).toEqual(whole.subarray(start, end));
      expect([part.range, part.totalBytes]).toEqual([
        { start, end: Math.min(end, whole.length) },
        whole.length,
      ]);
      expect(part.validator).toBe(validator);
    }
    await expect(
      store.read(key, { range: { start: whole.length, end: whole.length + 1 } }),
    ).rejects.toMatchObject({ code: 'BAD_RESPONSE' });
    await expect(store.read(key, { maxBytes: 3 })).rejects.toMatchObject({ code: 'TOO_LARGE' });
    expect(await store.read(key, { ifNoneMatch: validator })).toMatchObject({ notModified: true });
    expect((await store.read(key, { ifNoneMatch: 'ocdbt 1 2 d/other' }))!.notModified).toBeUndefined();
  });

  test('that is not stored is undefined, and a bad key a PathError', async () => {
    const meter = newMeter();
    expect(await store.read('8_8_40/none', { meter })).toBeUndefined();
    await expect(store.read('../x')).rejects.toMatchObject({ name: 'PathError' });
    await expect(store.read(inline, { signal: AbortSignal.abort(new Error('no')) })).rejects.toThrow('no');
  });
});

describe('a broken database', () => {
  test('without a data file fails for the keys in it, and is never empty', async () => {
    const content = files('deep'),
      [name] = [...content.keys()].filter((key) => key.startsWith('d/'));
    const outcomes = new Set<string>();
    for (const missing of [...content.keys()].filter((key) => key.startsWith('d/'))) {
      const left = new Map(content);
      left.delete(missing);
      for (const key of deepKeys.slice(0, 4)) {
        const opening = openOcdbt(storeOf(left), { version: deep.generation });
        const read = opening.then((store) => store.read(key));
        outcomes.add(
          await read.then(
            (object) => (object ? 'value' : 'absent'),
            (error: { code: string }) => error.code,
          ),
        );
      }
    }
    expect(name).toBeDefined();
    expect([...outcomes].sort()).toEqual(['DATA_MISSING', 'value']);
  });

  test('with a data file that is cut is an error', async () => {
    const content = files('plain');
    for (const [key, bytes] of content)
      if (key.startsWith('d/')) content.set(key, bytes.slice(0, bytes.length / 2));
    const opened = await openOcdbt(storeOf(content)),
      found = await opened.locate(Object.keys(expectedDatabase('plain').latest), {});
    const codes = found.map((located) =>
      'value' in located ? 'value' : (located.error as DecodeError).code,
    );
    expect(codes).toContain('TRUNCATED');
  });

  const config = {
    uuid: new Uint8Array(16),
    maxInlineValueBytes: 100,
    maxDecodedNodeBytes: 1000,
    versionTreeArityLog2: 4,
    compression: 'none',
  } as const;
  const counts = { keys: 1, treeBytes: 0, valueBytes: 0 };

  /** A database whose root is the node at the beginning of `d/x`. */
  const withRoot = (node: Uint8Array, height: number, more: Uint8Array[] = []): StubStore => {
    const root = {
      path: 'd/x',
      offset: 0,
      length: node.length,
      ...counts,
      generation: 1,
      height,
      commitMs: 1,
    };
    return storeOf(
      new Map([
        ['manifest.ocdbt', encodeManifest(config, [root], [])],
        ['d/x', Buffer.concat([node, ...more])],
      ]),
    );
  };

  test.each([1, 7, 255])('whose root of height %i is its own child ends', async (height) => {
    const encode = (length: number): Uint8Array =>
      encodeInterior(
        [{ path: 'd/x', offset: 0, length, ...counts, firstKey: 'a', prefix: '' }],
        { prefix: '', height },
        'none',
      );
    const node = encode(encode(64).length),
      store = withRoot(node, height);
    await expect(openOcdbt(store).then((opened) => opened.read('b'))).rejects.toMatchObject({
      name: 'DecodeError',
      code: 'BAD_HEADER',
      message: expect.stringContaining(`has the height ${height}, not ${height - 1}`),
    });
    expect(store.reads.length).toBe(2);
  });

  test('whose child begins below its range is an error', async () => {
    const leaf = encodeLeaf([{ key: 'a', value: Uint8Array.of(1) }], '', 'none');
    const encode = (offset: number): Uint8Array =>
      encodeInterior(
        [{ path: 'd/x', offset, length: leaf.length, ...counts, firstKey: 'b', prefix: '' }],
        { prefix: '', height: 1 },
        'none',
      );
    const store = withRoot(encode(encode(64).length), 1, [leaf]);
    await expect(openOcdbt(store).then((opened) => opened.read('b'))).rejects.toMatchObject({
      message: expect.stringContaining('below the range'),
    });
  });

  test.each([['manifest', [...files('deep').entries()].find(([key]) => key === 'manifest.ocdbt')!]])(
    'cut anywhere in its %s is a typed error',
    async (_name, [key, bytes]) => {
      for (let length = 0; length < bytes.length; length += 3) {
        const store = storeOf(new Map([[key, bytes.slice(0, length)]]));
        await expect(openOcdbt(store)).rejects.toMatchObject({ name: 'InfoError', code: 'BAD_INFO' });
      }
    },
  );
});

describe('a hostile structure', () => {
  test('does not make its keys larger than the limit', () => {
    // One key of 60,000 bytes, and 1,000 keys that share all of them and one byte more.
    const varint = (value: number): number[] =>
      value < 128 ? [value] : [(value & 127) | 128, ...varint(value >>> 7)];
    const count = 200,
      prefixes = Array.from({ length: count - 1 }, () => varint(60_000)).flat(),
      suffixes = [...varint(60_000), ...Array.from({ length: count - 1 }, () => 1)];
    const keys = [...new Uint8Array(60_000), ...Array.from({ length: count - 1 }, (_, k) => k + 1)],
      values = [...new Uint8Array(2 * count)];
    const content = Uint8Array.from([0, 0, ...varint(count), ...prefixes, ...suffixes, ...keys, ...values]);
    expect(decodeBtreeNode(content, '', 2 ** 24).keys.bytes.length).toBe(200 * 60_000 + 199);
    expect(() => decodeBtreeNode(content, '', 2 ** 20)).toThrow(
      expect.objectContaining({ code: 'TOO_LARGE' }),
    );
  });

  test('does not decompress to more than the limit', async () => {
    // A zstd frame whose blocks repeat one byte: 20 bytes for 4 MiB.
    const block = (last: number): number[] => {
      const header = (131_072 << 3) | (1 << 1) | last;
      return [header & 255, (header >> 8) & 255, (header >> 16) & 255, 0];
    };
    const frame = [
      0x28,
      0xb5,
      0x2f,
      0xfd,
      0x00,
      0x58,
      ...Array.from({ length: 31 }, () => block(0)).flat(),
      ...block(1),
    ];
    const sealed = sealStructure('B+tree node', Uint8Array.from(frame), 1);
    expect((await unwrapStructure(sealed, 'B+tree node', 2 ** 22)).length).toBe(2 ** 22);
    await expect(unwrapStructure(sealed, 'B+tree node', 2 ** 20)).rejects.toMatchObject({
      code: 'TOO_LARGE',
    });
  });

  test('of a later version, or with another compression, is UNSUPPORTED', async () => {
    const file = files('plain').get('manifest.ocdbt')!,
      [{ start, end }] = findStructures(file),
      content = file.slice(start + 14, end - 4);
    await expect(
      unwrapStructure(sealStructure('manifest', content, 2 as 1), 'manifest', 2 ** 20),
    ).rejects.toMatchObject({ code: 'UNSUPPORTED' });
    await expect(
      unwrapStructure(sealStructure('manifest', content), 'B+tree node', 2 ** 20),
    ).rejects.toMatchObject({ code: 'BAD_HEADER' });
  });
});
