import { describe, expect, test } from '@jest/globals';
import { redirectTarget } from '../../lib/http/redirect.ts';

const headers = {
  authorization: 'Bearer t',
  cookie: 'c=1',
  'x-key': 'k',
  range: 'bytes=0-1',
  'accept-encoding': 'gzip',
  'if-none-match': '"v"',
};
const harmless = { range: 'bytes=0-1', 'accept-encoding': 'gzip', 'if-none-match': '"v"' };
const go = (from: string, location: string) => {
  const { url, headers: sent } = redirectTarget(new URL(from), location, headers);
  return { url: url.href, sent };
};

describe('redirectTarget', () => {
  test.each([
    ['another path', 'https://a.org/x', '/y?z=1', 'https://a.org/y?z=1', headers],
    ['a relative path, user info kept', 'https://u:p@a.org/x/k', 'l', 'https://u:p@a.org/x/l', headers],
    ['another host', 'https://u:p@a.org/x', 'https://b.org/x', 'https://b.org/x', harmless],
    ['another port', 'https://a.org/x', 'https://a.org:8443/x', 'https://a.org:8443/x', harmless],
    ['a secure scheme', 'http://a.org/x', 'https://a.org/x', 'https://a.org/x', harmless],
    ['loopback', 'https://a.org/x', 'http://127.0.0.1:80/x', 'http://127.0.0.1/x', harmless],
    ['user info in the target', 'https://a.org/x', 'https://v:q@b.org/', 'https://b.org/', harmless],
  ])('follows a redirect to %s', (_name, from, location, url, sent) =>
    expect(go(from, location)).toEqual({ url, sent }),
  );

  test.each([
    ['from TLS to plain', 'https://a.org/', 'http://a.org/x?sig=secret'],
    ['to a file', 'http://a.org/', 'file:///etc/passwd'],
    ['to a URL without a host', 'http://a.org/', 'http://'],
  ])('refuses a redirect %s', (_name, from, location) => {
    expect(() => go(from, location)).toThrow(
      expect.objectContaining({ code: 'REDIRECT', message: expect.not.stringContaining('secret') }),
    );
  });
});
