/** Requests over plain sockets to servers that send bytes of their own, and next to node:http. */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import type { LookupFunction, Socket } from 'node:net';
import tls from 'node:tls';
import { restrictedLookup } from '../../lib/http/address.ts';
import { Cancellation } from '../../lib/http/cancellation.ts';
import {
  exchange,
  type ExchangeOptions,
  type ExchangeResult,
  type RequestSender,
} from '../../lib/http/exchange.ts';
import { SocketSender } from '../../lib/http/send-over-socket.ts';
import { seeded } from '../../testing/random.ts';
import { serveRaw, type RawAnswer, type RawServer } from '../support/raw-server.ts';
import { changeReply, cutReply, REPLIES } from '../support/reply-bytes.ts';

let server: RawServer, sender: SocketSender;
beforeEach(() => void (sender = new SocketSender()));
afterEach(async () => {
  sender.close();
  await server?.close();
});

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const until = async (isDone: () => boolean): Promise<void> => {
  while (!isDone()) await turn();
};
/** The server has seen that all connections were closed. */
const untilAllClosed = (): Promise<void> => until(() => server.open.size === 0);

function get(
  path = '/',
  more: Partial<ExchangeOptions> = {},
  cancellation = new Cancellation(),
): Promise<ExchangeResult> {
  const options: ExchangeOptions = {
    url: new URL(path, server.origin),
    method: 'GET',
    headers: {},
    body: undefined,
    maxBytes: 1 << 20,
    connectTimeoutMs: 5000,
    idleTimeoutMs: 5000,
    allowAddress: 'any',
    proxyName: undefined,
    meter: undefined,
    ...more,
  };
  return exchange(sender.send, options, cancellation);
}
/** Makes memory for bodies, and keeps it. */
const memoryOf = (most = 100): { made: Uint8Array[]; memoryFor: ExchangeOptions['memoryFor'] } => {
  const made: Uint8Array[] = [];
  return {
    made,
    memoryFor: (bytes) => (bytes <= most ? made[made.push(new Uint8Array(bytes)) - 1] : undefined),
  };
};
const bodyOf = (result: ExchangeResult): string =>
  'reply' in result ? Buffer.from(result.reply.body).toString('latin1') : result.error.message;
const reply = (body: string, headers = ''): string =>
  `HTTP/1.1 200 OK\r\n${headers}Content-Length: ${body.length}\r\n\r\n${body}`;
const answering =
  (headers = ''): RawAnswer =>
  (socket, _request, earlier) =>
    void socket.write(reply(`reply ${earlier}`, headers));

describe('a request', () => {
  beforeEach(async () => void (server = await serveRaw(answering())));

  test('leaves one connection open for the next, unless idle ones are closed', async () => {
    await get();
    await get();
    expect(server.open.size).toBe(1);
    sender.closeIdle();
    await untilAllClosed();
    expect(bodyOf(await get())).toMatch(/^reply/);
  });

  test('keeps no more connections than it may', async () => {
    sender = new SocketSender(undefined, 2);
    await Promise.all(Array.from({ length: 5 }, () => get()));
    await until(() => server.open.size === 2);
    sender.close();
  });

  test('has a host, its headers and its query, and nothing else', async () => {
    await get('/a%20b/c?d=%0d%0a&e#f', { headers: { 'x-a': 'b\xe9', range: 'bytes=0-4' } });
    expect(server.requests).toEqual([
      `GET /a%20b/c?d=%0d%0a&e HTTP/1.1\r\nhost: 127.0.0.1:${server.port}\r\nconnection: keep-alive\r\nx-a: b\xe9\r\nrange: bytes=0-4\r\n\r\n`,
    ]);
  });
  test('may have another host and connection', async () => {
    await get('/', { headers: { host: 'h', connection: 'close' } });
    expect(server.requests).toEqual(['GET / HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n']);
  });
  test.each([
    ['user:pa%3Ass%C3%A9', 'user:pa:ssé'],
    ['user', 'user:'],
    [':p', ':p'],
  ])('shows who sends it, as node:http does: %s@', async (userInfo, decoded) => {
    const url = new URL(server.origin.replace('//', `//${userInfo}@`));
    await get('/', { url });
    await new Promise((resolve) => http.get(url, { agent: false }, resolve));
    const [ours, theirs] = server.requests.map((text) => /^authorization: (.*)$/im.exec(text)?.[1]);
    expect(ours).toBe(`Basic ${Buffer.from(decoded).toString('base64')}`);
    expect(ours).toBe(theirs);
  });
  test('prefers the credentials of its headers', async () => {
    await get('/', {
      url: new URL(server.origin.replace('//', '//u:p@')),
      headers: { authorization: 'Bearer t' },
    });
    expect(server.requests[0].match(/authorization: .*/g)).toEqual(['authorization: Bearer t']);
  });
  test.each<[string, string]>([
    ['x', 'a\r\nb: c'],
    ['x', 'a\nb'],
    ['x', 'a\rb'],
    ['x', 'a\0b'],
    ['x', '\x7f'],
    ['x', '\u010d\u010a'],
    ['x: y\r\nz', 'a'],
    ['x ', 'a'],
    ['', 'a'],
  ])('with the header %j: %j is refused', async (name, value) => {
    await expect(get('/', { headers: { [name]: value } })).rejects.toThrow(TypeError);
    expect(() => http.get(server.origin, { headers: { [name]: value } })).toThrow(/^(Invalid|Header name)/);
    expect(server.connections).toHaveLength(0);
  });
  test('reports the address of the server, and calls nobody before it returns', async () => {
    expect(await get()).toMatchObject({ reply: { status: 200, serverAddress: '127.0.0.1' } });
    let calls = 0;
    const called = (): void => void calls++;
    const options = { url: new URL(server.origin), method: 'GET' as const, headers: {}, body: undefined };
    await new Promise<void>((resolve) => {
      sender.send(options, {
        onSocket: called,
        onResponse: called,
        onData: called,
        onEnd: resolve,
        onError: called,
      });
      expect(calls).toBe(0);
    });
    expect(calls).toBe(3);
  });
});

describe('a connection', () => {
  test('is used again, the one that was used last first', async () => {
    server = await serveRaw(answering());
    await Promise.all([get('/a'), get('/b'), get('/c')]);
    expect(server.connections).toHaveLength(3);
    const used: Socket[] = [];
    server.connections.forEach((socket) => socket.on('data', () => used.push(socket)));
    for (let k = 3; k < 8; k++) expect(bodyOf(await get())).toBe(`reply ${k}`);
    expect(server.connections).toHaveLength(3);
    expect(new Set(used).size).toBe(1);
  });
  test('to another origin is another one', async () => {
    server = await serveRaw(answering());
    const other = await serveRaw(answering());
    await get();
    await get('/', { url: new URL(other.origin) });
    await get('/', { url: new URL(`http://localhost:${server.port}`) });
    expect([server.connections.length, other.connections.length]).toEqual([2, 1]);
    await other.close();
  });
  test.each([
    ['Connection: close\r\n', 2],
    ['Keep-Alive: timeout=1\r\n', 2],
    ['Keep-Alive: timeout=0\r\n', 2],
    ['Keep-Alive: timeout=60, max=100\r\n', 1],
    ['Keep-Alive: max=100\r\n', 1],
  ])('is used again as long as the server says: %j', async (header, count) => {
    server = await serveRaw(answering(header));
    await get();
    await get();
    expect(server.connections).toHaveLength(count);
    if (count === 2) await untilAllClosed();
  });
  test('that the server has closed meanwhile is not used, and not remembered', async () => {
    server = await serveRaw((socket, _request, earlier) => void socket.end(reply(`reply ${earlier}`)));
    for (let k = 0; k < 3; k++) {
      expect(bodyOf(await get())).toBe(`reply ${k}`);
      await untilAllClosed();
      await turn();
    }
    expect(server.connections).toHaveLength(3);
  });
  test('that the server closes at the next request is stale, so that a retry follows at once', async () => {
    server = await serveRaw((socket, _request, earlier) => {
      if (earlier === 1) socket.destroy();
      else if (earlier === 2) socket.resetAndDestroy();
      else socket.write(reply('x'));
    });
    await Promise.all([get(), turn()]);
    expect(await get()).toMatchObject({ error: { code: 'CONNECTION', broken: 'stale' } });
    expect(await get()).toMatchObject({ error: { code: 'CONNECTION', broken: 'cut' } });
    expect(await get()).toHaveProperty('reply');
  });
  test.each<[string, (socket: Socket) => void]>([
    ['a reply', (socket) => void socket.write(reply('unasked'))],
    ['408', (socket) => void socket.end('HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n')],
    ['an empty line', (socket) => void socket.write('\r\n')],
    ['one byte', (socket) => void socket.write('\0')],
  ])('on which the server speaks unasked is closed: %s', async (_what, speak) => {
    server = await serveRaw(answering());
    await get();
    speak(server.connections[0]);
    await untilAllClosed();
    expect(bodyOf(await get())).toBe('reply 1');
    expect(server.connections).toHaveLength(2);
  });
  test('is not used after bytes behind a reply', async () => {
    server = await serveRaw((socket) => void socket.write(`${reply('x')}\r\n`));
    expect(bodyOf(await get())).toBe('x');
    await untilAllClosed();
  });
  test('on which the server speaks first fails unless it speaks HTTP', async () => {
    server = await serveRaw(() => undefined, { onConnection: (socket) => void socket.write('220 smtp\r\n') });
    expect(bodyOf(await get())).toContain('HPE_INVALID_CONSTANT');
    await untilAllClosed();
  });
  test.each<[string, string, string]>([
    ['before the head', '', 'ECONNRESET'],
    ['within the head', 'HTTP/1.1 200 OK\r\nX', 'ECONNRESET'],
    [
      'within the body',
      'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell',
      'the body ended early (ECONNRESET)',
    ],
    [
      'within a chunk',
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhell',
      'the body ended early',
    ],
    ['with garbage', 'garbage', 'HPE_INVALID_CONSTANT'],
    [
      'with a change of protocol',
      'HTTP/1.1 101 S\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n',
      'ECONNRESET',
    ],
  ])('that ends %s is an error, and closed', async (_when, text, message) => {
    server = await serveRaw((socket) => void socket.end(text));
    expect(bodyOf(await get())).toContain(message);
    await untilAllClosed();
  });
  test('that the server half closes ends a body without a length', async () => {
    server = await serveRaw((socket) => void socket.end('HTTP/1.1 200 OK\r\n\r\nall of it'));
    expect(bodyOf(await get())).toBe('all of it');
    await untilAllClosed();
  });
  test('that is reset is not the end of a body without a length', async () => {
    server = await serveRaw((socket) => void socket.write('HTTP/1.1 200 OK\r\n\r\na part'));
    const meter = { requests: 0, bytes: 0 },
      result = get('/', { meter });
    await until(() => meter.bytes > 0);
    // resetAndDestroy() would close it in order before.
    (server.connections[0] as unknown as { _handle: { reset(): void } })._handle.reset();
    expect(bodyOf(await result)).toContain('the body ended early (ECONNRESET)');
  });
  test('that is refused says so', async () => {
    server = await serveRaw(answering());
    await server.close();
    expect(await get()).toMatchObject({ error: { broken: 'unreachable' } });
    expect(bodyOf(await get())).toContain('ECONNREFUSED');
  });
  test('without a request does not keep the process alive, one with a request does', async () => {
    const sockets = (): number =>
      process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap').length;
    let during = 0;
    server = await serveRaw(
      (socket) => {
        during = sockets();
        socket.write(reply('x'));
      },
      { onConnection: (socket) => void socket.unref() },
    );
    await until(() => sockets() === 0);
    for (let k = 0; k < 2; k++) {
      await get();
      expect([during, sockets()]).toEqual([1, 0]);
    }
    expect(server.open.size).toBe(1);
  });
  test('is closed by close(), with and without a request', async () => {
    server = await serveRaw(
      (socket, request) => void (request.includes('/never') || socket.write(reply('x'))),
    );
    const unanswered = get('/never');
    await get();
    await until(() => server.requests.length === 2);
    sender.close();
    expect(await unanswered).toMatchObject({ error: { code: 'CONNECTION' } });
    await untilAllClosed();
    expect(await get()).toHaveProperty('reply');
  });
  test('without a request is one of at most 256', async () => {
    server = await serveRaw(() => undefined);
    const replies = Array.from({ length: 260 }, () => get());
    await until(() => server.requests.length === 260);
    for (const socket of server.open) socket.write(reply('x'));
    await Promise.all(replies);
    await until(() => server.open.size === 256);
  });
});

describe('a request that is left', () => {
  const never: RawAnswer = () => undefined;
  const leaving: Record<string, (cancellation: Cancellation) => Promise<void>> = {
    'at once': async (cancellation) => cancellation.cancel('left'),
    'before it is connected': async (cancellation) => {
      await Promise.resolve();
      cancellation.cancel('left');
    },
    'before the head': async (cancellation) => {
      await until(() => server.requests.length > 0);
      cancellation.cancel('left');
    },
  };
  test.each(Object.keys(leaving))('%s closes its connection', async (when) => {
    server = await serveRaw(never);
    const cancellation = new Cancellation(),
      result = get('/', {}, cancellation);
    result.catch(() => undefined);
    await leaving[when](cancellation);
    await expect(result).rejects.toBe('left');
    await untilAllClosed();
    expect(server.requests.length).toBe(when === 'before the head' ? 1 : 0);
  });
  test('within the body closes its connection', async () => {
    server = await serveRaw((socket) => void socket.write('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe'));
    const cancellation = new Cancellation(),
      meter = { requests: 0, bytes: 0 },
      result = get('/', { meter }, cancellation);
    result.catch(() => undefined);
    await until(() => meter.bytes > 0);
    cancellation.cancel('left');
    await expect(result).rejects.toBe('left');
    await untilAllClosed();
  });
  test('because its body is too long closes its connection', async () => {
    server = await serveRaw(answering());
    expect(await get('/', { maxBytes: 3 })).toMatchObject({ error: { code: 'TOO_LARGE' } });
    await untilAllClosed();
  });
  test('after its end leaves the connection to the next one', async () => {
    server = await serveRaw(answering());
    const options = { url: new URL(server.origin), method: 'GET' as const, headers: {}, body: undefined };
    const ended = await new Promise<{ destroy: () => unknown }>((resolve) => {
      const none = (): void => undefined;
      const sending = sender.send(options, {
        onSocket: none,
        onResponse: none,
        onData: none,
        onError: none,
        onEnd: () => resolve(sending),
      });
    });
    const next = get();
    ended.destroy();
    await until(() => server.requests.length === 2);
    ended.destroy();
    expect(bodyOf(await next)).toBe('reply 1');
    expect(server.connections).toHaveLength(1);
  });
  test('hundreds of times leaves no connection open', async () => {
    server = await serveRaw((socket, _request, earlier) => {
      if (earlier % 3 === 0) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhe');
      if (earlier % 3 === 1) socket.write(reply('done'));
    });
    const random = seeded(7);
    for (let round = 0; round < 10; round++) {
      const all = Array.from({ length: 40 }, () => {
        const cancellation = new Cancellation(),
          result = get('/', {}, cancellation).then(bodyOf, String);
        return { cancellation, result, turns: random.below(12) };
      });
      for (let k = 0; k < 12; k++) {
        for (const { cancellation, turns } of all) if (turns === k) cancellation.cancel('left');
        await turn();
      }
      for (const { result } of all) expect(['left', 'done']).toContain(await result);
    }
    sender.close();
    await untilAllClosed();
    expect(server.requests.length).toBeGreaterThan(100);
  });
});

describe('a body', () => {
  test.each([
    ['of a known length is written to given memory', reply('0123456789'), ['0123456789']],
    ['of a failed reply has no given memory', reply('x'.repeat(9)).replace('200 OK', '404 No'), []],
    ['that is longer than expected has no given memory', reply('x'.repeat(101)), []],
    [
      'of an unknown length has no given memory',
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n',
      [],
    ],
  ])('%s', async (_, sent, written) => {
    server = await serveRaw((socket) => {
      socket.write(sent.slice(0, -4));
      setImmediate(() => socket.write(sent.slice(-4)));
    });
    const { made, memoryFor } = memoryOf(),
      result = await get('/', { memoryFor });
    expect(made.map((bytes) => Buffer.from(bytes).toString())).toEqual(written);
    if (made.length > 0) expect(result).toMatchObject({ reply: { body: made[0] } });
    else expect(bodyOf(result)).toMatch(/^(abc|x+)$/);
  });
  test('in thousands of pieces is whole', async () => {
    const body = Array.from({ length: 5000 }, (_, k) => String.fromCharCode(k % 251)).join('');
    server = await serveRaw(() => undefined);
    sender = Object.assign(new SocketSender(), { send: sendPieces(body) });
    expect(bodyOf(await get())).toBe(body);
  });
  /** Sends a body as pieces of one byte. */
  const sendPieces =
    (body: string): RequestSender =>
    (_outgoing, handlers) => {
      setImmediate(() => {
        handlers.onResponse({ statusCode: 200, headers: {} }, undefined);
        for (const byte of Buffer.from(body, 'latin1')) handlers.onData(Uint8Array.of(byte));
        handlers.onEnd();
      });
      return { destroy: () => undefined };
    };
});

describe('addresses', () => {
  test.each(['public', 'notMetadata'] as const)('are checked: %s', async (allowAddress) => {
    server = await serveRaw(answering());
    sender = new SocketSender(restrictedLookup(allowAddress));
    const result = await get('/', { url: new URL(`http://localhost:${server.port}`), allowAddress });
    if (allowAddress === 'public') {
      expect(result).toMatchObject({ error: { code: 'FORBIDDEN_ADDRESS' } });
      expect(server.connections).toHaveLength(0);
    } else expect(result).toHaveProperty('reply');
  });
});

describe('https://', () => {
  const fixture = (name: string): string =>
    readFileSync(new URL(`../fixtures/http/example.${name}`, import.meta.url), 'utf8');
  const [key, cert] = ['key', 'crt'].map(fixture);
  const loopback: LookupFunction = (_host, { all }, found) =>
    all ? found(null, [{ address: '127.0.0.1', family: 4 }]) : found(null, '127.0.0.1', 4);
  const { connect, createSecureContext } = tls;
  let given: tls.ConnectionOptions[], resumed: boolean[];
  /** Trusts the certificate from now on. */
  const trust = (more: tls.ConnectionOptions = {}): void => {
    tls.createSecureContext = (options) => createSecureContext({ ...options, ca: cert });
    tls.connect = ((options: tls.ConnectionOptions) => {
      given.push(options);
      return connect({ ...options, ...more });
    }) as typeof tls.connect;
  };
  afterEach(() => void Object.assign(tls, { connect, createSecureContext }));
  beforeEach(async () => {
    given = [];
    resumed = [];
    sender = new SocketSender(loopback);
    server = await serveRaw(
      (socket, request) =>
        void socket.write(reply('secure', request.includes('/close') ? 'Connection: close\r\n' : '')),
      {
        server: tls.createServer({ key, cert, ALPNProtocols: ['h2', 'http/1.1'] }),
        onConnection: (socket) => void resumed.push((socket as tls.TLSSocket).isSessionReused()),
      },
    );
  });
  const at = (host: string, path = '/'): Partial<ExchangeOptions> => ({
    url: new URL(`https://${host}:${server.port}${path}`),
  });

  test('is kept alive, and a session is used again', async () => {
    trust();
    const host = `data.example.org`;
    for (const path of ['/', '/', '/close', '/close', '/'])
      expect(bodyOf(await get('', at(host, path)))).toBe('secure');
    expect(resumed).toEqual([false, true, true]);
    expect(given.map(({ servername }) => servername)).toEqual([host, host, host]);
    expect(given[0].ALPNProtocols).toEqual(['http/1.1']);
    expect(given[0].secureContext).toBeDefined();
    expect(new Set(given.map(({ secureContext }) => secureContext)).size).toBe(1);
    expect(server.requests[0]).toContain(`\r\nhost: ${host}:${server.port}\r\n`);
  });
  test.each([
    ['a name', 'example.org', 'example.org', 'example.org'],
    ['an IPv4 address', '127.0.0.1', '127.0.0.1', undefined],
    ['an IPv6 address', '[::1]', '::1', undefined],
  ])('of %s connects to it, and names only a name', async (_what, host, address, servername) => {
    trust({ host: '127.0.0.1', checkServerIdentity: () => undefined });
    expect(bodyOf(await get('', at(host)))).toBe('secure');
    expect(given).toMatchObject([{ host: address }]);
    expect(given[0].servername).toBe(servername);
    expect(server.requests[0]).toContain(`\r\nhost: ${host}:${server.port}\r\n`);
  });
  const codeOfNode = (url: URL): Promise<string | undefined> =>
    new Promise((resolve) =>
      https
        .get(url, { agent: false, lookup: loopback, ...(given.length > 0 && { ca: cert }) })
        .on('error', ({ code }: NodeJS.ErrnoException) => resolve(code)),
    );
  test('with a certificate of its own fails as node:https does', async () => {
    const message = bodyOf(await get('', at('example.org'))),
      code = await codeOfNode(at('example.org').url!);
    expect(code).toBe('DEPTH_ZERO_SELF_SIGNED_CERT');
    expect(message).toContain(`(${code})`);
    expect(server.requests).toEqual([]);
    await untilAllClosed();
  });
  test('with the certificate of another host fails each time, as node:https does', async () => {
    trust();
    for (let k = 0; k < 2; k++)
      expect(bodyOf(await get('', at('other.test')))).toContain('(ERR_TLS_CERT_ALTNAME_INVALID)');
    expect(await codeOfNode(at('other.test').url!)).toBe('ERR_TLS_CERT_ALTNAME_INVALID');
    expect([server.requests, resumed.includes(true)]).toEqual([[], false]);
    await untilAllClosed();
  });
  test('to a server without TLS fails, and closes the connection', async () => {
    await server.close();
    server = await serveRaw(() => undefined, {
      onConnection: (socket) => void socket.write('HTTP/1.1 400\r\n\r\n'),
    });
    const code = await codeOfNode(at('example.org').url!);
    expect(code).toBe('EPROTO');
    expect(bodyOf(await get('', at('example.org')))).toContain(`(${code})`);
    await untilAllClosed();
  });
});

describe('next to node:http', () => {
  test('gives the same reply of changed bytes, or refuses them', async () => {
    const random = seeded(113);
    const texts = Array.from({ length: 200 }, (_, k) =>
      k < REPLIES.length ? REPLIES[k] : changeReply(random.pick(REPLIES), random),
    );
    server = await serveRaw((socket, request) => {
      const text = texts[Number(/\/(\d+)/.exec(request)?.[1])];
      // Without a pause, the pieces may come as one.
      const pieces = cutReply(text, random);
      const next = (): void => {
        const piece = pieces.shift();
        if (piece) socket.write(piece, () => setImmediate(next));
        else socket.end();
      };
      next();
    });
    const agent = new http.Agent({ keepAlive: true });
    const theirs = (url: URL): Promise<string> =>
      new Promise((resolve) => {
        const fail = (): void => resolve('error');
        http
          .get(url, { agent }, (response) => {
            let text = `${response.statusCode} ${JSON.stringify(response.headers)} `;
            response.setEncoding('latin1');
            response.on('data', (piece: string) => (text += piece));
            response.on('end', () => resolve(text));
            response.on('error', fail);
          })
          .on('error', fail)
          .on('close', fail);
      });
    let same = 0;
    for (const [k, text] of texts.entries()) {
      const result = await get(`/${k}`);
      const ours =
        'reply' in result
          ? `${result.reply.status} ${JSON.stringify(result.reply.headers)} ${bodyOf(result)}`
          : 'error';
      if (ours === 'error' && k >= REPLIES.length) continue; // the spec of the parser says when
      same++;
      expect({ text, outcome: ours }).toEqual({
        text,
        outcome: await theirs(new URL(`/${k}`, server.origin)),
      });
    }
    expect(same).toBeGreaterThan(40);
    agent.destroy();
  });
});
