import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';

describe('the workflows', () => {
  const folder = new URL('../../.github/workflows/', import.meta.url);
  const texts = readdirSync(folder).map((file) => readFileSync(new URL(file, folder), 'utf8'));

  test('run the gate', () => expect(texts.join('')).toContain('run: .ci/run\n'));

  test('pin each action to a commit, and name its release', () => {
    const uses = texts.join('').match(/uses: .+/g)!;
    expect(uses.length).toBeGreaterThan(3);
    expect(uses.filter((use) => !/@[0-9a-f]{40} # v\d+\.\d+\.\d+$/.test(use))).toEqual([]);
  });
});
