import { describe, expect, test } from '@jest/globals';
import { InfoError, GraphError } from '../../lib/base/errors.ts';
import {
  registerGuestSecret,
  registerSecret,
  registerSecretsIn,
  safeText,
  redactSecrets,
  redactSecretsIn,
} from '../../lib/base/secret-redaction.ts';
import { longestRun, ownPart, readEscapes, spellingsOf, unicode } from '../support/secret-spellings.ts';

const SECRET = 'q7Zr+W4x/N0bV9tYhK2m=Lp_8-sD';
registerSecret(SECRET);

const SPELLINGS = spellingsOf(SECRET);

describe.each(Object.keys(SPELLINGS))('a secret %s', (name) => {
  const spelling = SPELLINGS[name],
    own = ownPart(name, spelling, SECRET);

  test('does not appear in a text, whole or cut at any position', () => {
    expect(longestRun(readEscapes(spelling), own)).toBe(own.length); // otherwise the checks below would prove nothing
    for (let cut = 0; cut <= spelling.length; cut++)
      for (const part of [spelling.slice(0, cut), spelling.slice(cut)]) {
        const shown = redactSecrets(`before ${part} after`);
        expect(longestRun(readEscapes(shown), own)).toBeLessThan(8);
        expect(shown.startsWith('before ') && shown.endsWith(' after')).toBe(true);
      }
  });
});

describe('redactSecrets', () => {
  test('leaves other texts and runs of seven characters unchanged', () => {
    for (const text of [
      '',
      'short',
      'a text with nothing in it: 100 % %zz \\u12 &#; \\',
      SECRET.slice(0, 7),
      `${SECRET.slice(3, 10)} ${SECRET.slice(10, 17)}`,
      '720575940621039145,720575940621039146',
    ])
      expect(redactSecrets(text)).toBe(text);
  });
  test('keeps the text around a secret, also around escapes', () => {
    expect(redactSecrets(`a%20b ${SECRET} c%20d "${unicode(SECRET)}" é`)).toBe('a%20b *** c%20d "***" é');
  });
  test('hides each part of a secret of several words', () => {
    registerSecretsIn('Bearer gR5-eXample-tOken');
    expect(redactSecrets('Bearer gR5-eXample-tOken')).toBe('Bearer ***');
    expect(redactSecrets('Bearer of news')).toBe('Bearer of news');
  });
  test('still hides the latest secrets after many have been registered', () => {
    for (let k = 0; k < 600; k++) registerSecret(`one-of-many-${k}-zzzz`);
    expect(redactSecrets('one-of-many-599-zzzz')).toBe('***');
    registerSecret(SECRET);
    expect(redactSecrets(SECRET)).toBe('***');
  });
  test('hides the tokens of others, which never push out the secrets of this process', () => {
    registerSecret(SECRET);
    registerGuestSecret('guest-first-zzzz');
    registerGuestSecret(SECRET); // a stranger who sends it does not make it a stranger's
    for (let k = 0; k < 99; k++) registerGuestSecret(`guest-${k}-zzzzzzzz`);
    expect(redactSecrets('guest-first-zzzz')).toBe('***');
    registerGuestSecret('guest-first-zzzz'); // used again
    for (let k = 99; k < 1000; k++) registerGuestSecret(`guest-${k}-zzzzzzzz`);
    expect(redactSecrets(SECRET)).toBe('***');
    expect(redactSecrets('guest-999-zzzzzzzz')).toBe('***');
    expect(redactSecrets('guest-901-zzzzzzzz')).toBe('***');
    expect(redactSecrets('guest-first-')).not.toBe('***');
    for (let k = 0; k < 600; k++) registerSecret(`one-more-${k}-zzzz`);
    expect(redactSecrets('guest-999-zzzzzzzz')).toBe('***');
    registerSecret(SECRET);
    expect(redactSecrets(SECRET)).toBe('***');
  });
  test('is fast for any text', () => {
    const text = '%25'.repeat(400_000) + '\\'.repeat(400_001) + '&#'.repeat(100_000);
    expect(redactSecrets(text)).toBe(text);
  });
  test('finds secrets in JSON at any depth, in names too', () => {
    const deep = JSON.parse(`${'['.repeat(5000)}"${SECRET}"${']'.repeat(5000)}`) as unknown;
    expect(redactSecretsIn({ [SECRET]: [{ a: `x ${SECRET}`, n: 1, b: null }] })).toEqual({
      '***': [{ a: 'x ***', n: 1, b: null }],
    });
    expect(JSON.stringify(redactSecretsIn(deep))).not.toContain(SECRET);
  });
});

describe('errors', () => {
  test('hold no secrets in messages, fields and stacks', () => {
    const error = new GraphError(
      'HTTP_STATUS',
      `said ${SECRET}`,
      `https://h/${encodeURIComponent(SECRET)}`,
      500,
      { serverMessage: SECRET, retryAfter: SECRET },
    );
    for (const text of [
      error.message,
      error.stack!,
      error.url,
      error.serverMessage!,
      error.retryAfter!,
      JSON.stringify(error),
    ])
      expect(longestRun(text, SECRET)).toBeLessThan(8);
  });
  test('have messages and fields of bounded length', () => {
    const error = new InfoError(
      'BAD_INFO',
      `info at ${'k'.repeat(4 << 20)}: what is wrong`,
      'k'.repeat(4 << 20),
    );
    expect(error.message.length).toBeLessThan(2100);
    expect(error.url!.length).toBeLessThan(2100);
    expect(error.message).toMatch(/^info at k+ … k+: what is wrong$/);
    expect(safeText('short')).toBe('short');
  });
});
