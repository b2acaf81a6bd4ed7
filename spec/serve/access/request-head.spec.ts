import { describe, expect, test } from '@jest/globals';
import { AccessError } from '../../../lib/base/errors.ts';
import { checkRequestHead } from '../../../lib/serve/access/request-head.ts';

const codeOf = (url: string, rawHeaders: readonly string[] = ['Host', 'localhost']): string => {
  try {
    checkRequestHead({ url, rawHeaders });
    return 'accepted';
  } catch (error) {
    if (error instanceof AccessError) return error.code;
    throw error;
  }
};

describe('the head of a request', () => {
  test.each([
    '/',
    '/v1',
    '/v1/flywire/points',
    '/v1/flywire/points?timestamp=2024-01-01T00:00:00Z&x=../..',
    '/v1/a%20b/info',
    '/v1/%E2%82%AC/info',
    '/docs/',
    '/v1/...',
    '/v1/%252e%252e/info',
    `/${'a'.repeat(2047)}`,
  ])('with the path %s is accepted', (url) => expect(codeOf(url)).toBe('accepted'));

  test.each([
    '',
    '*',
    'v1',
    'http://evil.example.org/v1',
    'evil.example.org:80',
    '//evil.example.org/v1',
    '/v1//points',
    '/v1/flywire//',
    '/..',
    '/v1/../metrics',
    '/v1/.',
    '/v1/%2e%2E/metrics',
    '/v1/.%2e/metrics',
    '/v1/a%2fb',
    '/v1/a%2Fpoints',
    '/v1/a%5cb',
    '/v1/a\\b',
    '/v1/a%00',
    '/v1/a%0d%0aX-Y:z',
    '/v1/a%7f',
    '/v1/\u00e9',
    '/v1/%zz',
    '/v1/%E2%82',
    '/v1/%',
    `/${'a'.repeat(2048)}`,
  ])('with the path %s is refused', (url) => expect(codeOf(url)).toBe('BAD_REQUEST'));

  test.each([
    ['Host', 'host'],
    ['Authorization', 'authorization'],
    ['Origin', 'ORIGIN'],
    ['Content-Length', 'content-length'],
    ['Content-Type', 'Content-Type'],
    ['Transfer-Encoding', 'transfer-encoding'],
    ['Content-Encoding', 'content-encoding'],
  ])('with two headers %s is refused, even if they are equal', (one, other) => {
    expect(codeOf('/', [one, 'a', 'Accept', 'b', other, 'a'])).toBe('BAD_REQUEST');
    expect(codeOf('/', [one, 'a', 'Accept', 'b', 'Accept', 'c'])).toBe('accepted');
  });
});
