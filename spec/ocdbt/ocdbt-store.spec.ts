/** The databases were written and read by TensorStore: spec/fixtures/ocdbt/README.md. */
import { describe, expect, test } from '@jest/globals';
import { openOcdbt } from '../../lib/ocdbt/open-ocdbt.ts';
import type { OcdbtStore } from '../../lib/ocdbt/ocdbt-store.ts';
import { DATABASES, expectedDatabase, storesOf } from '../../testing/ocdbt-fixtures.ts';

const readAll = async (store: OcdbtStore, keys: readonly string[]): Promise<Record<string, string>> => {
  const found: Record<string, string> = {};
  for (const key of keys) {
    const object = await store.read(key);
    if (object) found[key] = Buffer.from(object.bytes).toString('base64');
  }
  return found;
};

/** Keys with "/" are read as they are; OCDBT allows others that no store of ours does. */
const keysOf = (name: (typeof DATABASES)[number]): string[] => {
  const { versions } = expectedDatabase(name);
  return [...new Set(versions.flatMap(({ values }) => Object.keys(values)))];
};

describe('a database', () => {
  test.each(DATABASES)('%s is read as TensorStore reads it, at every version', async (name) => {
    const { data, manifest } = storesOf(name),
      { versions } = expectedDatabase(name),
      keys = [...keysOf(name), 'absent', 'zzzz', '!', 'k', '8_8_40/0-32_0-32_0-1'];
    let checked = 0;
    for (const { generation, commitTimeNs, values } of versions) {
      const store = await openOcdbt(data, { manifest, version: generation });
      expect(String(store.commitTimeNs)).toBe(commitTimeNs);
      expect(await readAll(store, keys)).toEqual(values);
      checked += Object.keys(values).length;
    }
    expect(checked).toBeGreaterThan(2);
    const latest = await openOcdbt(data, { manifest });
    expect(latest.generation).toBe(versions.at(-1)!.generation);
    expect(await readAll(latest, keys)).toEqual(expectedDatabase(name).latest);
  });
});
