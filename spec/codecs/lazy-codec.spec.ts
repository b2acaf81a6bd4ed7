import { expect, jest, test } from '@jest/globals';
import { LazyCodec } from '../../lib/codecs/lazy-codec.ts';
import { rawCodec } from '../../lib/codecs/raw.ts';

test('a lazy codec says so if it is used before it is loaded, and is its codec after that', async () => {
  const load = jest.fn(() => Promise.resolve());
  const importCodec = jest.fn(() => Promise.resolve({ ...rawCodec, packageName: 'some-package', load }));
  const lazy = new LazyCodec('some', importCodec);
  expect(() => lazy.decodePoints).toThrow('the codec of some is used before it is loaded');
  expect([lazy.packageName, lazy.isPointwise]).toEqual([undefined, undefined]);

  await lazy.load();
  await lazy.load();
  expect([importCodec.mock.calls.length, load.mock.calls.length]).toEqual([1, 2]);
  expect([lazy.encoding, lazy.packageName]).toEqual(['some', 'some-package']);
  for (const [name, part] of Object.entries(rawCodec))
    if (name !== 'encoding') expect([name, Reflect.get(lazy, name)]).toEqual([name, part]);
});
