/** Relative links in the texts that ship with the package, or that a contributor reads, name files and headings that exist. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

const pages = (folder: string): string[] =>
  readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.md') && !file.includes('node_modules'))
    .map((file) => `${folder}/${file}`);
const PAGES = [
  ...['README.md', 'CHANGELOG.md', 'CONTRIBUTING.md', 'SECURITY.md'],
  ...['bench/README.md', 'demo/README.md', 'interop/README.md'],
  ...pages('docs'),
  ...pages('examples'),
].filter((page) => existsSync(join(ROOT, page)));

/** Without fenced blocks and inline code, in which `[x](y)` is not a link. */
const prose = (markdown: string): string =>
  markdown.replace(/^(```+).*?^\1/gms, '').replace(/(`+)(?:(?!\1).)+\1/g, '');

/** Files and folders of the repository that inline code names; not those with a placeholder. */
const pathsIn = (markdown: string): string[] =>
  Array.from(
    markdown
      .replace(/^(```+).*?^\1/gms, '')
      .matchAll(/`((?:lib|mocks|spec|bench|interop|testing|release)\/[a-z\d/._-]*)`/g),
    ([, path]) => path,
  );

/** Targets of links and pictures, as they are written. */
const linksIn = (markdown: string): string[] => [
  ...Array.from(prose(markdown).matchAll(/\]\(<?([^)\s>]+)>?(?:\s+"[^"]*")?\)/g), ([, target]) => target),
  ...Array.from(prose(markdown).matchAll(/^\[[^\]]+\]:\s+(\S+)/gm), ([, target]) => target),
  ...Array.from(prose(markdown).matchAll(/\s(?:src|href)="([^"]+)"/g), ([, target]) => target),
];

/** The name of a heading in a link, as GitHub makes it. */
const anchorOf = (heading: string): string =>
  heading
    .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .trim()
    .replace(/\s/g, '-');

function anchorsIn(markdown: string): Set<string> {
  const anchors = new Set<string>();
  const counts = new Map<string, number>();
  for (const [, heading] of markdown.replace(/^(```+).*?^\1/gms, '').matchAll(/^#{1,6}\s+(.+?)\s*#*$/gm)) {
    const anchor = anchorOf(heading);
    const before = counts.get(anchor) ?? 0;
    counts.set(anchor, before + 1);
    anchors.add(before === 0 ? anchor : `${anchor}-${before}`);
  }
  return anchors;
}

/** `files` of package.json, and what npm always packs. */
const PACKED = [
  ...(JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { files: string[] }).files,
  ...['README.md', 'LICENSE', 'package.json'],
]
  .filter((pattern) => !pattern.startsWith('!'))
  .map((pattern) => {
    const source = pattern
      .replaceAll('.', '\\.')
      .replace(/\{(.*?)\}/g, (_, names: string) => `(?:${names.replaceAll(',', '|')})`)
      .replace(/\*\*\/|\*/g, (star) => (star === '*' ? '[^/]*' : '(?:.*/)?'));
    return new RegExp(`^${source}(?:/|$)`);
  });
const isPacked = (file: string): boolean => PACKED.some((pattern) => pattern.test(file));

/** @returns why a link leads nowhere; undefined where it does not. */
function complaint(page: string, link: string): string | undefined {
  if (/^[a-z][a-z\d+.-]*:/i.test(link)) return undefined; // another site
  const [path, anchor] = link.split('#');
  const target = path === '' ? join(ROOT, page) : join(ROOT, dirname(page), decodeURIComponent(path));
  const name = relative(ROOT, target);
  if (name.startsWith('..')) return `${link} leaves the repository`;
  if (!existsSync(target)) return `${link}: there is no ${name}`;
  if (isPacked(page) && !isPacked(name)) return `${link}: ${name} is not in the package, and ${page} is`;
  if (anchor === undefined || statSync(target).isDirectory()) return undefined;
  return anchorsIn(readFileSync(target, 'utf8')).has(anchor)
    ? undefined
    : `${link}: ${name} has no heading #${anchor}`;
}

test.each(PAGES.filter((page) => page !== 'CHANGELOG.md'))('%s names files that exist', (page) =>
  expect(
    pathsIn(readFileSync(join(ROOT, page), 'utf8')).filter((path) => !existsSync(join(ROOT, path))),
  ).toEqual([]),
);

describe('relative links', () => {
  test.each(PAGES)('of %s lead to files and headings that exist', (page) => {
    const links = linksIn(readFileSync(join(ROOT, page), 'utf8'));
    expect(links.map((link) => complaint(page, link)).filter((text) => text !== undefined)).toEqual([]);
  });

  test('are found, and those that lead nowhere are reported', () => {
    const markdown =
      '[a](missing.md) `[b](no-link.md)`\n```\n[c](no-link.md)\n```\n![d](docs/picture.svg)\n[e](README.md#nowhere)';
    expect(linksIn(markdown)).toEqual(['missing.md', 'docs/picture.svg', 'README.md#nowhere']);
    expect(linksIn(markdown).map((link) => complaint('README.md', link))).toEqual([
      'missing.md: there is no missing.md',
      undefined,
      'README.md#nowhere: README.md has no heading #nowhere',
    ]);
  });

  test.each([
    ['docs/check/README.md', true],
    ['docs/check/main.ts', false],
    ['bench/results/points.md', true],
    ['bench/results/points.json', false],
    ['examples/jest-nock/package.json', true],
    ['READMEXmd', false],
  ])('know whether %s is in the package: %p', (file, packed) => expect(isPacked(file)).toBe(packed));

  test.each([
    ['Check what works: `doctor`', 'check-what-works-doctor'],
    ['A store of your own', 'a-store-of-your-own'],
    ['`snap`', 'snap'],
    ['1. Open a dataset', '1-open-a-dataset'],
  ])('name the heading %j as #%s', (heading, anchor) => expect(anchorOf(heading)).toBe(anchor));
});

test('README.md has at most 150 lines', () =>
  expect(readFileSync(join(ROOT, 'README.md'), 'utf8').trimEnd().split('\n').length).toBeLessThanOrEqual(
    150,
  ));
