import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { matches, readSteps, sourceOf, type Program } from '../../docs/check/blocks.ts';

const DOCS = new URL('../../docs/', import.meta.url);
/** Pages that have nothing to run. */
const WITHOUT = ['glossary.md'];

const programsOf = (markdown: string): Program[] =>
  readSteps('page.md', markdown).flatMap((step) => ('program' in step ? [step.program] : []));

test('every page in docs/ has an example that is run', () => {
  const pages = readdirSync(DOCS).filter((file) => file.endsWith('.md') && !WITHOUT.includes(file));
  const missing = pages.filter((page) => programsOf(readFileSync(new URL(page, DOCS), 'utf8')).length === 0);
  expect(missing).toEqual([]);
});

describe('the blocks of a page', () => {
  const page = [
    'Words.',
    '<!-- run -->',
    '```ts',
    'const a = 1;',
    '```',
    '<!-- run continue -->',
    '```ts',
    'console.log(a);',
    '```',
    '<!-- output -->',
    '```text',
    '1',
    '```',
    '<!-- run exit 2 -->',
    '```sh',
    'exit 2',
    '```',
    '```ts',
    'not run',
    '```',
  ].join('\n');

  test('are read with their languages, exit codes and outputs', () =>
    expect(programsOf(page)).toEqual([
      {
        language: 'ts',
        withPackages: false,
        exitCode: 0,
        blocks: [
          { line: 4, code: 'const a = 1;' },
          { line: 8, code: 'console.log(a);', output: { line: 12, text: '1' } },
        ],
      },
      { language: 'sh', withPackages: false, exitCode: 2, blocks: [{ line: 16, code: 'exit 2' }] },
    ]));

  test('keep their lines in the source of a program', () => {
    const lines = sourceOf(programsOf(page)[0]).split('\n');
    expect([lines[3], lines[7]]).toEqual(['const a = 1;', 'console.log(a);']);
  });

  test.each([
    ['<!-- run -->\n```json\n{}\n```', 'page.md:1: <!-- run -->: a fence of language json is not run'],
    [
      '<!-- run twice -->\n```sh\n:\n```',
      'page.md:1: <!-- run twice -->: write run, run continue, run pandas or run exit CODE',
    ],
    ['<!-- output -->\n```text\n1\n```', 'page.md:1: <!-- output -->: there is no run block before it'],
    [
      '<!-- run continue -->\n```ts\n1\n```',
      'page.md:1: <!-- run continue -->: no run block before it is in ts',
    ],
    ['<!-- run -->\nwords', 'page.md:1: <!-- run -->: the next line does not begin a fence that ends'],
  ])('refuse %j', (markdown, message) => expect(() => readSteps('page.md', markdown)).toThrow(message));
});

describe('an output', () => {
  test.each([
    ['a b', 'a b\n', true],
    ['a b', 'a c', false],
    ['a … c', 'a 12.5 c', true],
    ['a … c', 'a\nc', false],
    ['a\n…\nd', 'a\nb\nc\nd', true],
    ['a\n…', 'a', true],
    ['a\n…\nd', 'a\nb', false],
    ['a.c', 'abc', false],
  ])('%j and what was printed, %j: %p', (expected, actual, equal) =>
    expect(matches(expected, actual)).toBe(equal),
  );
});
