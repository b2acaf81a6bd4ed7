import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { cut, nextVersion, sectionOf, stepOf, unreleased } from '../../release/changelog.ts';

const HEAD = '# Changelog\n\nNewest first.\n\n';
const OLD = '## 0.1.0 - 2026-01-02\n\n### Added\n\n- The first.\n';

describe('the changelog', () => {
  test('moves the waiting lines into a section of their own, above the older ones', () => {
    const text = `${HEAD}## Unreleased\n\n### Fixed\n\n- A bug.\n\n${OLD}`;
    expect(cut(text, '0.1.1', '2026-02-03')).toBe(
      `${HEAD}## Unreleased\n\n## 0.1.1 - 2026-02-03\n\n### Fixed\n\n- A bug.\n\n${OLD}`,
    );
  });

  test('is cut for the first time', () => {
    const first = cut(`${HEAD}## Unreleased\n\n### Added\n\n- The first.\n`, '0.1.0', '2026-01-02');
    expect(first).toBe(`${HEAD}## Unreleased\n\n${OLD}`);
    expect(unreleased(first)).toBe('');
    expect(sectionOf(first, '0.1.0')).toBe('### Added\n\n- The first.');
  });

  test('is not cut twice, nor when nothing waits', () => {
    expect(() => cut(`${HEAD}## Unreleased\n\n${OLD}`, '0.2.0', '2026-02-03')).toThrow(
      /nothing under "Unreleased"/,
    );
    expect(() => cut(`${HEAD}## Unreleased\n\n- A line.\n\n${OLD}`, '0.1.0', '2026-02-03')).toThrow(
      /a section for 0\.1\.0 already/,
    );
  });

  test.each([
    ['### Fixed\n\n- A bug.', 'patch'],
    ['### Added\n\n- A call.\n\n### Fixed\n\n- A bug.', 'minor'],
    ['### Changed\n\n- A default.', 'minor'],
  ])('chooses the right step: %j', (lines, step) => {
    expect(stepOf(`${HEAD}## Unreleased\n\n${lines}\n\n${OLD}`)).toBe(step);
  });

  test('counts versions', () => {
    expect(nextVersion('0.9.3', 'minor')).toBe('0.10.0');
    expect(nextVersion('0.9.9', 'patch')).toBe('0.9.10');
    expect(() => nextVersion('0.9', 'patch')).toThrow(/not a version/);
  });

  test('of this package has a place for new lines, and a section for its version', () => {
    const text = readFileSync(new URL('../../CHANGELOG.md', import.meta.url), 'utf8');
    const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
      version: string;
    };
    expect(sectionOf(text, 'Unreleased')).toBeDefined();
    expect(sectionOf(text, version)).toMatch(/^### /m);
    const groups = [...text.matchAll(/^### (.+)$/gm)].map(([, group]) => group);
    expect(
      groups.filter((group) => !['Added', 'Changed', 'Deprecated', 'Removed', 'Fixed'].includes(group)),
    ).toEqual([]);
  });
});
