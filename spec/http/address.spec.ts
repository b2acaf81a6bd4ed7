import { afterEach, describe, expect, test } from '@jest/globals';
import { checkHostAllowed, restrictedLookup } from '../../lib/http/address.ts';
import { createHttpClient } from '../../lib/failures/http-client.ts';
import { serve, type LoopbackServer } from '../support/http-server.ts';

describe('checkHostAllowed', () => {
  test.each(['localhost', 'a.localhost', '127.0.0.1', '[::1]', '[::ffff:10.0.0.1]', '169.254.169.254'])(
    'refuses %s',
    (host) =>
      expect(() => checkHostAllowed(host, 'public')).toThrow(
        expect.objectContaining({ code: 'FORBIDDEN_ADDRESS' }),
      ),
  );
  test.each(['example.org', '8.8.8.8', '[2600::1]'])('allows %s', (host) =>
    expect(checkHostAllowed(host, 'public')).toBeUndefined(),
  );
});

test.each([true, false])('restrictedLookup refuses a loopback name (all: %s)', async (all) => {
  const error = await new Promise((resolve) => restrictedLookup('public')('localhost', { all }, resolve));
  expect(error).toMatchObject({ name: 'PathError', code: 'FORBIDDEN_ADDRESS' });
});
test.each([true, false])('restrictedLookup returns the answer of dns (all: %s)', async (all) => {
  const answer = await new Promise((resolve) =>
    restrictedLookup('public')('8.8.8.8', { all }, (_error: unknown, address: unknown) => resolve(address)),
  );
  expect(answer).toEqual(all ? [{ address: '8.8.8.8', family: 4 }] : '8.8.8.8');
});

const METADATA = [
  '169.254.169.254',
  '169.254.170.2',
  '[fe80::1]',
  '[::ffff:169.254.169.254]',
  '[::a9fe:a9fe]',
  '[64:ff9b::a9fe:a9fe]',
  '[fd00:ec2::254]',
  '100.100.100.200',
  'metadata.google.internal',
  'Metadata.Google.Internal.',
  'metadata',
];

describe("a link-local address or a cloud's metadata server", () => {
  test.each(METADATA)('recognizes %s', (host) =>
    expect(() => checkHostAllowed(host, 'notMetadata')).toThrow(
      expect.objectContaining({ code: 'FORBIDDEN_ADDRESS', message: expect.stringContaining('link-local') }),
    ),
  );
  test.each(['127.0.0.1', '10.0.0.1', 'localhost', '[fd00::1]', '8.8.8.8', 'metadata.example.org'])(
    'does not include %s',
    (host) => expect(checkHostAllowed(host, 'notMetadata')).toBeUndefined(),
  );
  test('is refused if a name resolves to it', async () => {
    expect(
      await new Promise((resolve) =>
        restrictedLookup('notMetadata')('169.254.169.254', { all: true }, resolve),
      ),
    ).toMatchObject({ code: 'FORBIDDEN_ADDRESS' });
    expect(
      await new Promise((resolve) => restrictedLookup('notMetadata')('localhost', { all: true }, resolve)),
    ).toBeNull();
  });
});

describe('a redirect from a server that the user named', () => {
  const http = createHttpClient({ retries: 0 });
  let server: LoopbackServer | undefined;
  afterEach(() => server?.close());

  test.each(METADATA)('to %s is refused', async (host) => {
    server = await serve(
      (_request, response) =>
        void response.writeHead(302, { location: `http://${host}/latest/meta-data` }).end(),
    );
    await expect(http.request({ url: `${server.origin}/v/info` })).rejects.toMatchObject({
      name: 'PathError',
      code: 'FORBIDDEN_ADDRESS',
    });
  });
  test('to another port of the same host, or of loopback, is followed', async () => {
    server = await serve(
      (request, response) =>
        void (request.url === '/a'
          ? response.writeHead(302, { location: `http://localhost:${server!.port}/b` }).end()
          : response.end('b')),
    );
    expect(String(Buffer.from((await http.request({ url: `${server.origin}/a` })).body))).toBe('b');
  });
});
