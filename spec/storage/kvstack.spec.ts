/** TensorStore read the same keys through the same layers: spec/fixtures/storage/make-kvstack.py. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { openKvStore } from '../../lib/graphene/resolve/open-kvstore.ts';
import { parseKvStore } from '../../lib/graphene/resolve/kvstore-spec.ts';
import { KvStackStore } from '../../lib/storage/kvstack.ts';
import { memoryBucket, MemoryStore } from '../../lib/storage/memory-store.ts';
import type { Store } from '../../lib/storage/store.ts';

interface Case {
  layers: Record<string, unknown>[];
  /** The content of each file that a key leads to. */
  found?: Record<string, string>;
  error?: true;
}

const CASES = JSON.parse(
  readFileSync(join(import.meta.dirname, '..', 'fixtures', 'storage', 'kvstack.json'), 'utf8'),
) as Case[];
const NAMES = [
  'a',
  'ab',
  'abc',
  'b',
  'ba',
  'bc',
  'c',
  'manifest.ocdbt',
  'd/x',
  'd/y',
  'x',
  'y',
  'data.x',
  'b.d',
  'é',
];
const KEYS = [...NAMES, 'tta.x', 'ta.x', 'zz', 'tx', 'abd', 'bb', 'bbb'];

const bucket = memoryBucket('kvstack');
for (const folder of ['one', 'two', 'three'])
  for (const name of NAMES) bucket.put(`${folder}/${name}`, new TextEncoder().encode(`${folder}/${name}`));

const openLayers = (layers: Case['layers']): Promise<Store> =>
  openKvStore(
    parseKvStore({
      driver: 'kvstack',
      layers: layers.map(({ base, ...range }) => ({ ...range, base: `mem://kvstack/${String(base)}` })),
    }),
    { open: (path) => Promise.resolve(new MemoryStore('kvstack', path.slice('mem://kvstack/'.length))) },
  );

describe('kvstack', () => {
  test.each(CASES.filter(({ found }) => found))(
    'reads $layers as TensorStore does',
    async ({ layers, found }) => {
      const store = await openLayers(layers),
        read: Record<string, string> = {};
      for (const key of KEYS) {
        // A layer may map a key to no name at all, which is an error here.
        const object = await store.read(key).catch((error: { code: string }) => {
          expect(error.code).toBe('BAD_PATH');
          return undefined;
        });
        if (object) read[key] = Buffer.from(object.bytes).toString();
      }
      const expected = { ...found };
      delete expected['']; // a store of ours has no empty key
      expect(read).toEqual(expected);
    },
  );

  test.each(CASES.filter(({ error }) => error))('refuses $layers', async ({ layers }) => {
    await expect(openLayers(layers)).rejects.toMatchObject({ name: 'PathError', code: 'BAD_PATH' });
  });

  test('lists the keys of the layers that hold them', async () => {
    const one = new MemoryStore('kvstack', 'one'),
      two = new MemoryStore('kvstack', 'two');
    const store = new KvStackStore([
      { store: one },
      { store: two, prefix: 'b', stripPrefix: 0 },
      { store: two, exact: 'x', base: 'y' },
    ]);
    expect((await store.list!('b')).sort()).toEqual(['b', 'b.d', 'ba', 'bc']);
    expect(await store.list!('x')).toEqual(['x']);
    expect((await store.list!('')).sort()).toEqual([...NAMES].sort());
  });

  test('has no list if a layer cannot list', () => {
    const layer: Store = { url: 'own://x', read: () => Promise.resolve(undefined) };
    expect(
      new KvStackStore([{ store: new MemoryStore('kvstack', 'one') }, { store: layer }]).list,
    ).toBeUndefined();
  });
});
