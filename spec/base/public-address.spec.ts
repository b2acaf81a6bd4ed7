import { describe, expect, test } from '@jest/globals';
import { isLoopbackHost, isPublicAddress } from '../../lib/base/public-address.ts';

describe('isPublicAddress', () => {
  test.each([
    '8.8.8.8',
    '1.1.1.1',
    '142.250.1.128',
    '172.15.255.255',
    '172.32.0.1',
    '100.63.255.255',
    '100.128.0.1',
    '169.253.1.1',
    '11.0.0.1',
    '223.255.255.254',
    '2607:f8b0:4004:c07::80',
    '2600::1',
    '::ffff:8.8.8.8',
    '64:ff9b::808:808',
  ])('accepts %s', (ip) => expect(isPublicAddress(ip)).toBe(true));

  test.each([
    ['loopback', '127.0.0.1'],
    ['loopback', '127.255.255.254'],
    ['loopback', '::1'],
    ['private', '10.0.0.1'],
    ['private', '172.16.0.1'],
    ['private', '172.31.255.255'],
    ['private', '192.168.1.1'],
    ['link-local', '169.254.169.254'],
    ['link-local', 'fe80::1'],
    ['link-local with a zone', 'fe80::1%eth0'],
    ['unique-local', 'fd00::1'],
    ['unique-local', 'fc00::1'],
    ['carrier-grade NAT', '100.64.0.1'],
    ['carrier-grade NAT', '100.127.255.255'],
    ['multicast', '224.0.0.1'],
    ['multicast', 'ff02::1'],
    ['broadcast', '255.255.255.255'],
    ['unspecified', '0.0.0.0'],
    ['unspecified', '::'],
    ['this network', '0.1.2.3'],
    ['documentation', '192.0.2.1'],
    ['documentation', '2001:db8::1'],
    ['reserved', '240.0.0.1'],
    ['IPv4-mapped', '::ffff:127.0.0.1'],
    ['IPv4-mapped', '::ffff:a00:1'],
    ['IPv4-compatible', '::127.0.0.1'],
    ['NAT64', '64:ff9b::a00:1'],
    ['a text that is not an address:', 'example.org'],
    ['a text that is not an address:', ''],
  ])('refuses %s %s', (_kind, ip) => expect(isPublicAddress(ip)).toBe(false));
});

describe('isLoopbackHost', () => {
  test.each([
    'localhost',
    'LOCALHOST',
    'localhost.',
    'graph.localhost',
    '127.0.0.1',
    '127.8.9.10',
    '::1',
    '[::1]',
    '[::ffff:127.0.0.1]',
  ])('accepts %s', (host) => expect(isLoopbackHost(host)).toBe(true));
  test.each(['localhost.example.org', 'notlocalhost', '10.0.0.1', '[::2]', '0.0.0.0', 'example.org', ''])(
    'refuses %s',
    (host) => expect(isLoopbackHost(host)).toBe(false),
  );
});
