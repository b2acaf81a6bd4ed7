import { describe, expect, test } from '@jest/globals';
import { bypassesProxy, isProxyConfigured, proxyFor, describeProxy } from '../../lib/http/proxy.ts';

const through = (url: string, env: Record<string, string>): string | undefined =>
  proxyFor(new URL(url), env)?.url.href;
const HTTPS = 'https://storage.googleapis.com/b',
  HTTP = 'http://data.example.org/v';

describe('the variable for a proxy', () => {
  test.each([
    ['https_proxy', HTTPS, true],
    ['HTTPS_PROXY', HTTPS, true],
    ['all_proxy', HTTPS, true],
    ['ALL_PROXY', HTTPS, true],
    ['http_proxy', HTTPS, false],
    ['HTTP_PROXY', HTTPS, false],
    ['http_proxy', HTTP, true],
    ['all_proxy', HTTP, true],
    ['ALL_PROXY', HTTP, true],
    ['HTTP_PROXY', HTTP, false],
    ['https_proxy', HTTP, false],
    ['HTTPS_PROXY', HTTP, false],
  ])('%s is used for %s: %s', (name, url, counts) => {
    expect(through(url, { [name]: 'http://proxy:3128' })).toBe(counts ? 'http://proxy:3128/' : undefined);
    expect(isProxyConfigured({ [name]: 'x' })).toBe(name !== 'HTTP_PROXY');
  });
  test('is used in lower case first, then in upper case, then as ALL_PROXY; an empty value counts as unset', () => {
    const env = {
      https_proxy: 'http://a:1',
      HTTPS_PROXY: 'http://b:1',
      all_proxy: 'http://c:1',
      ALL_PROXY: 'http://d:1',
    };
    const found = ['https_proxy', 'HTTPS_PROXY', 'all_proxy', 'ALL_PROXY'].map((name) => {
      const url = through(HTTPS, env);
      Object.assign(env, { [name]: '' });
      return url;
    });
    expect([...found, through(HTTPS, env)]).toEqual([
      'http://a:1/',
      'http://b:1/',
      'http://c:1/',
      'http://d:1/',
      undefined,
    ]);
  });
});

describe('the proxy', () => {
  test.each([
    ['proxy', 'http://proxy:1080/'],
    ['proxy:3128', 'http://proxy:3128/'],
    [' http://proxy:80/ ', 'http://proxy/'],
    ['http://proxy', 'http://proxy:1080/'],
    ['https://proxy', 'https://proxy/'],
    ['HTTPS://proxy:8443', 'https://proxy:8443/'],
    ['http://user:pass@[::1]:3128', 'http://user:pass@[::1]:3128/'],
    ['user:pass@proxy:3128', 'http://user:pass@proxy:3128/'],
  ])('%j is parsed as %s', (value, url) => expect(through(HTTPS, { https_proxy: value })).toBe(url));
  test.each([
    ['socks5://proxy:1080', 'UNSUPPORTED_SCHEME'],
    ['ftp://proxy', 'UNSUPPORTED_SCHEME'],
    ['http://', 'BAD_PATH'],
    ['http://a b', 'BAD_PATH'],
  ])('%j is refused', (value, code) => {
    expect(() => through(HTTPS, { https_proxy: value })).toThrow(
      expect.objectContaining({ name: 'PathError', code, message: expect.stringContaining('https_proxy') }),
    );
  });
  test('is shown without its credentials', () => {
    const proxy = proxyFor(new URL(HTTPS), { HTTPS_PROXY: 'http://user:proxy-password-1@proxy:3128' })!;
    expect(describeProxy(proxy)).toBe('http://proxy:3128 (HTTPS_PROXY)');
  });
});

describe('a proxy is bypassed', () => {
  test.each([
    'https://localhost/',
    'https://a.localhost:8443/',
    'https://127.0.0.1/',
    'https://127.8.9.1/',
    'https://[::1]/',
    'https://[::ffff:127.0.0.1]/',
    'https://169.254.169.254/',
    'https://169.254.170.2/',
    'https://[fe80::1]/',
    'https://[fd00:ec2::254]/',
    'https://metadata.google.internal/',
    'https://METADATA.google.internal./',
    'https://100.100.100.200/',
  ])('for %s', (url) => {
    expect(through(url, { https_proxy: 'http://proxy:1', all_proxy: 'http://proxy:1' })).toBeUndefined();
    expect(bypassesProxy(new URL(url), {})).toBe(true);
  });

  test.each([
    ['*', HTTPS, true],
    ['storage.googleapis.com', HTTPS, true],
    ['googleapis.com', HTTPS, true],
    ['.googleapis.com', HTTPS, true],
    ['*.googleapis.com', HTTPS, true],
    ['a.org, googleapis.com', HTTPS, true],
    ['a.org googleapis.com', HTTPS, true],
    ['GoogleAPIs.COM', HTTPS, true],
    ['googleapis.com:443', HTTPS, true],
    ['googleapis.com:8443', HTTPS, false],
    ['leapis.com', HTTPS, false],
    ['storage.googleapis.com.org', HTTPS, false],
    ['', HTTPS, false],
    ['10.1.2.3', 'https://10.1.2.3/', true],
    ['10.1.0.0/16', 'https://10.1.2.3/', true],
    ['10.2.0.0/16', 'https://10.1.2.3/', false],
    ['10.1.2', 'https://10.1.2.3/', false],
    ['2.3', 'https://10.1.2.3/', false],
    ['2001:db8::1', 'https://[2001:db8::1]/', true],
    ['[2001:db8::1]:443', 'https://[2001:db8::1]/', true],
    ['2001:db8::/32', 'https://[2001:db8::5]/', true],
    ['10.0.0.0/99', 'https://10.1.2.3/', false],
  ])('no_proxy %j for %s: %s', (list, url, straight) => {
    for (const name of ['no_proxy', 'NO_PROXY'])
      expect(through(url, { https_proxy: 'http://proxy:1', [name]: list }) === undefined).toBe(straight);
  });
  test('no_proxy in lower case takes precedence', () => {
    expect(through(HTTPS, { https_proxy: 'http://proxy:1', no_proxy: 'a.org', NO_PROXY: '*' })).toBe(
      'http://proxy:1/',
    );
  });
});
