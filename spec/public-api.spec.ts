/** Pins the names and types of the package's entries: a change that users see is made on purpose, or not at all. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { ENTRIES, publicApi, publicNames } from '../testing/public-api.ts';

const read = (file: string): string => readFileSync(new URL(file, import.meta.url), 'utf8');

describe('the public API', () => {
  test('has the entries that package.json exports', () => {
    const { exports } = JSON.parse(read('../package.json')) as {
      exports: Record<string, { types?: string }>;
    };
    const exported = Object.entries(exports).flatMap(([path, { types }]) =>
      types
        ? [[`graphene-points${path.slice(1)}`, types.replace('./dist/', '').replace('.d.ts', '.ts')]]
        : [],
    );
    expect(exported).toEqual(Object.entries(ENTRIES));
  });

  test('is what spec/public-api.txt says; after a change on purpose, run `npm run api`', () => {
    expect(publicApi()).toBe(read('public-api.txt'));
  });

  test('has an example for each class', () => {
    const classes = Object.values(ENTRIES)
      .flatMap(publicNames)
      .filter(({ text }) => /^(abstract )?class /.test(text));
    expect(classes.length).toBeGreaterThan(15);
    expect(classes.filter(({ hasExample }) => !hasExample).map(({ name }) => name)).toEqual([]);
  });

  test('has no name that means two things, deprecated names apart', () => {
    const names = Object.values(ENTRIES).flatMap(publicNames);
    const shapes = new Map<string, Set<string>>();
    for (const { name, text, isDeprecated } of names)
      if (!isDeprecated) shapes.set(name, (shapes.get(name) ?? new Set()).add(text));
    expect([...shapes].filter(([, texts]) => texts.size > 1).map(([name]) => name)).toEqual([]);
  });
});
