import { describe, expect, test } from '@jest/globals';
import { AccessError } from '../../../lib/base/errors.ts';
import { parseAuthority, parseOrigin } from '../../../lib/serve/access/authority.ts';
import {
  HostRules,
  type HostRulesOptions,
  type RequestSource,
} from '../../../lib/serve/access/host-rules.ts';

const LOOPBACK: HostRulesOptions = {
  onLoopback: true,
  host: '127.0.0.1',
  allowHosts: [],
  corsOrigins: [],
  tlsByProxy: false,
};
const codeOf = (
  headers: Record<string, string | undefined>,
  options: Partial<HostRulesOptions> = {},
  { method = 'POST', localPort = 8080, scheme = 'http' }: Partial<Omit<RequestSource, 'headers'>> = {},
): string => {
  try {
    new HostRules({ ...LOOPBACK, ...options }).check({ method, headers, localPort, scheme });
    return 'accepted';
  } catch (error) {
    if (error instanceof AccessError) return error.code;
    throw error;
  }
};

describe('Host on loopback', () => {
  test.each([
    'localhost:8080',
    'LOCALHOST:8080',
    'localhost.:8080',
    '127.0.0.1:8080',
    '[::1]:8080',
    '[0:0:0:0:0:0:0:1]:8080',
  ])('%s is answered', (host) => expect(codeOf({ host })).toBe('accepted'));

  test.each([
    'evil.example.org',
    'evil.example.org:8080',
    'localhost.evil.example.org:8080',
    '127.0.0.1.nip.io:8080',
    'evil.localhost:8080',
    'localhost',
    'localhost:80',
    'localhost:8081',
    '127.0.0.2:8080',
    '127.1:8080',
    '0x7f000001:8080',
    '2130706433:8080',
    '0.0.0.0:8080',
    '[::]:8080',
    '[::ffff:127.0.0.1]:8080',
    '192.168.1.5:8080',
  ])('%s is foreign', (host) => expect(codeOf({ host })).toBe('FOREIGN_HOST'));

  test.each([
    undefined,
    '',
    ' ',
    'localhost:',
    'localhost:0',
    'localhost:99999',
    'localhost:8080:8080',
    'localhost:8080, evil.example.org',
    'user@localhost:8080',
    'localhost:8080/',
    'localhost:8080#',
    'http://localhost:8080',
    '[::1',
    '::1:8080',
    '[::1%eth0]:8080',
    'local host:8080',
    'localhost\u0000:8080',
    '.localhost:8080',
    'a..b:8080',
  ])('%j is no host', (host) => expect(codeOf({ host })).toBe('BAD_REQUEST'));

  test('without a port means the default port of the scheme', () => {
    expect(codeOf({ host: 'localhost' }, {}, { localPort: 80 })).toBe('accepted');
    expect(codeOf({ host: 'localhost' }, {}, { localPort: 443 })).toBe('FOREIGN_HOST');
    expect(codeOf({ host: 'localhost' }, {}, { localPort: 443, scheme: 'https' })).toBe('accepted');
  });

  test('is answered if it is the address that the service listens on', () => {
    expect(codeOf({ host: '127.0.0.2:8080' }, { host: '127.0.0.2' })).toBe('accepted');
    expect(codeOf({ host: '[::1]:8080' }, { host: '::1' })).toBe('accepted');
  });

  test('is answered if it is allowed by name: at every port, or at one', () => {
    const allowHosts = ['points.example.org', 'localhost:9000'];
    expect(codeOf({ host: 'Points.Example.org' }, { allowHosts })).toBe('accepted');
    expect(codeOf({ host: 'points.example.org:444' }, { allowHosts })).toBe('accepted');
    expect(codeOf({ host: 'localhost:9000' }, { allowHosts })).toBe('accepted');
    expect(codeOf({ host: 'localhost:9001' }, { allowHosts })).toBe('FOREIGN_HOST');
    expect(codeOf({ host: 'example.org' }, { allowHosts })).toBe('FOREIGN_HOST');
  });
});

describe('Host on other addresses', () => {
  const everywhere = { onLoopback: false, host: '0.0.0.0' };
  test('is any host, unless some are named', () => {
    expect(codeOf({ host: 'points.example.org' }, everywhere)).toBe('accepted');
    expect(codeOf({ host: 'points.example.org/' }, everywhere)).toBe('BAD_REQUEST');
    const named = { ...everywhere, allowHosts: ['points.example.org'] };
    expect(codeOf({ host: 'points.example.org:8080' }, named)).toBe('accepted');
    expect(codeOf({ host: 'localhost:8080' }, named)).toBe('FOREIGN_HOST');
  });
});

describe('Origin', () => {
  const host = 'localhost:8080';
  test('is the one of the page that the service serves, or absent', () => {
    expect(codeOf({ host })).toBe('accepted');
    expect(codeOf({ host, origin: 'http://localhost:8080', 'sec-fetch-site': 'same-origin' })).toBe(
      'accepted',
    );
    expect(codeOf({ host: '[::1]:8080', origin: 'http://[::1]:8080' })).toBe('accepted');
  });

  test.each([
    'null',
    '',
    'http://localhost',
    'http://localhost:3000',
    'https://localhost:8080',
    'http://127.0.0.1:8080',
    'http://evil.example.org',
    'http://evil.example.org:8080',
    'http://localhost:8080.evil.example.org',
    'http://localhost:8080/',
    'http://localhost:8080 http://evil.example.org',
    'chrome-extension://abcdef',
    'file://',
  ])('%j is foreign', (origin) => expect(codeOf({ host, origin })).toBe('FOREIGN_ORIGIN'));

  test('is foreign also for GET, and for pages of another host that the service answers for', () => {
    expect(codeOf({ host, origin: 'http://evil.example.org' }, {}, { method: 'GET' })).toBe('FOREIGN_ORIGIN');
    const allowHosts = ['points.example.org'];
    expect(codeOf({ host, origin: 'http://points.example.org' }, { allowHosts })).toBe('FOREIGN_ORIGIN');
    expect(codeOf({ host: 'points.example.org', origin: 'http://points.example.org' }, { allowHosts })).toBe(
      'accepted',
    );
  });

  test('may be another one if it is named, in any spelling', () => {
    const corsOrigins = ['https://Viewer.example.org:443'];
    expect(codeOf({ host, origin: 'https://viewer.example.org' }, { corsOrigins })).toBe('accepted');
    expect(codeOf({ host, origin: 'http://viewer.example.org' }, { corsOrigins })).toBe('FOREIGN_ORIGIN');
    expect(codeOf({ host, origin: 'https://viewer.example.org:444' }, { corsOrigins })).toBe(
      'FOREIGN_ORIGIN',
    );
  });

  test('is https behind a proxy that terminates TLS, and http for this machine', () => {
    const behind = { tlsByProxy: true, allowHosts: ['points.example.org'] };
    expect(codeOf({ host: 'points.example.org', origin: 'https://points.example.org' }, behind)).toBe(
      'accepted',
    );
    expect(codeOf({ host: 'points.example.org', origin: 'http://points.example.org' }, behind)).toBe(
      'FOREIGN_ORIGIN',
    );
    expect(codeOf({ host, origin: 'http://localhost:8080' }, behind)).toBe('accepted');
  });

  test('is not needed to refuse a page of another site, unless somebody follows a link', () => {
    expect(codeOf({ host, 'sec-fetch-site': 'cross-site' }, {}, { method: 'GET' })).toBe('FOREIGN_ORIGIN');
    expect(codeOf({ host, 'sec-fetch-site': 'same-site' })).toBe('FOREIGN_ORIGIN');
    const link = { host, 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' };
    expect(codeOf(link, {}, { method: 'GET' })).toBe('accepted');
    expect(codeOf(link, {}, { method: 'POST' })).toBe('FOREIGN_ORIGIN');
    expect(codeOf({ host, 'sec-fetch-site': 'none' })).toBe('accepted');
  });
});

describe('the options', () => {
  test.each(['', 'a b', 'http://points.example.org', 'h:0', '*'])('refuse the host %j', (text) =>
    expect(() => new HostRules({ ...LOOPBACK, allowHosts: [text] })).toThrow(RangeError),
  );
  test.each(['', '*', 'null', 'viewer.example.org', 'https://viewer.example.org/', 'ftp://h'])(
    'refuse the origin %j',
    (text) => expect(() => new HostRules({ ...LOOPBACK, corsOrigins: [text] })).toThrow(RangeError),
  );
  test('are read in their normal form', () => {
    expect(parseAuthority('[FE80::0:1]:7')).toEqual({ name: '[fe80::1]', port: 7 });
    expect(parseOrigin('HTTPS://H.example:443')).toBe('https://h.example');
  });
});
