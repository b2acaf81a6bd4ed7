import { describe, expect, test } from '@jest/globals';
import { checkHost, lookupAllowed } from '../../lib/http/address.ts';

describe('checkHost', () => {
  test.each(['localhost', 'a.localhost', '127.0.0.1', '[::1]', '[::ffff:10.0.0.1]', '169.254.169.254'])('refuses %s', (host) =>
    expect(() => checkHost(host, 'public')).toThrow(expect.objectContaining({ code: 'FORBIDDEN_ADDRESS' })));
  test.each(['example.org', '8.8.8.8', '[2600::1]'])('lets %s pass', (host) => expect(checkHost(host, 'public')).toBeUndefined());
});

test.each([true, false])('lookupPublic refuses a name of this machine (all: %s)', async (all) => {
  const error = await new Promise((resolve) => lookupAllowed('public')('localhost', { all }, resolve));
  expect(error).toMatchObject({ name: 'PathError', code: 'FORBIDDEN_ADDRESS' });
});
test.each([true, false])('lookupPublic gives what dns gives (all: %s)', async (all) => {
  const answer = await new Promise((resolve) => lookupAllowed('public')('8.8.8.8', { all }, (_error: unknown, address: unknown) => resolve(address)));
  expect(answer).toEqual(all ? [{ address: '8.8.8.8', family: 4 }] : '8.8.8.8');
});
