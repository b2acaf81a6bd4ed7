import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { PAGES } from '../../docs/pages.ts';

describe('pages that come from tables in the code', () => {
  test.each(Object.entries(PAGES))('docs/%s is what `npm run docs` writes', (file, page) =>
    expect(readFileSync(new URL(`../../docs/${file}`, import.meta.url), 'utf8')).toBe(page()),
  );
});
