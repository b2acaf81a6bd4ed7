import { describe, expect, test } from '@jest/globals';
import { gzipSync } from 'node:zlib';
import { excerpt, isHtmlPage, redactUrl } from '../../lib/http/excerpt.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

describe('redactUrl', () => {
  test.each([
    ['https://user:pw@host:8443/a/b?sig=abc#x', 'https://host:8443/a/b'],
    ['http://host', 'http://host/'],
    ['https://user:pw@ho st/a?sig=abc', 'https://ho st/a'],
    ['a/b?token=1', 'a/b'],
  ])('%s becomes %s', (url, redacted) => expect(redactUrl(url)).toBe(redacted));
});

describe('excerpt', () => {
  test.each([
    ['plain text', 'no such key\n', {}, 'no such key'],
    ['terminal escapes', '\x1b[31mred\x07\x9b\u202eevil', {}, '[31mred evil'],
    [
      'a page with a title',
      '<!doctype html><html><title>502 Bad Gateway</title><h1>x</h1>',
      {},
      '502 Bad Gateway',
    ],
    [
      'a page without a title',
      '<p>Not\n<b>here</b></p><script>steal()</script>',
      { 'content-type': 'text/html; charset=utf-8' },
      'Not here',
    ],
    ['credentials', '{"got": "Bearer abc.def-1"}', {}, '{"got": "Bearer ***"}'],
    ['nothing', '', {}, ''],
  ])('shows %s', (_name, body, headers, text) => expect(excerpt(bytes(body), headers)).toBe(text));

  test('removes the secrets that were sent', () =>
    expect(excerpt(bytes('key s3cret is wrong: s3cret'), {}, ['s3cret'])).toBe('key *** is wrong: ***'));
  test('is cut at 200 characters, never inside a character', () =>
    expect(excerpt(bytes('\u{1f9e0}'.repeat(300)), {})).toBe('\u{1f9e0}'.repeat(199) + '…'));
  test('undoes gzip, even if it is cut', () => {
    const body = gzipSync(bytes('quota exceeded '.repeat(3)));
    expect(excerpt(body, {})).toBe('quota exceeded quota exceeded quota exceeded');
    expect(excerpt(body.subarray(0, body.length - 6), {})).toMatch(/^quota exceeded/);
    expect(excerpt(body.subarray(0, 5), {})).toBe('');
  });
  test('does not inflate a bomb', () => expect(excerpt(gzipSync(new Uint8Array(4 << 20)), {})).toBe(''));
  test('takes linear time on hostile pages', () =>
    expect(excerpt(bytes('<'.repeat(1 << 20)), { 'content-type': 'text/html' })).toHaveLength(200));
});

test.each([
  ['text/html', '  <html>', true],
  ['text/html', '\u0001\u0002', false],
  ['application/octet-stream', '<html>', false],
])('isHtmlPage: %s with %j is %s', (type, body, is) =>
  expect(isHtmlPage(bytes(body), { 'content-type': type })).toBe(is),
);
