/** The connections of the main thread that carry no request, while other threads open their own. */
import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { createHttpClient } from '../../lib/failures/http-client.ts';
import type { ExchangeResult } from '../../lib/http/exchange.ts';

const open = new Set<Socket>();
let server: Server, url: URL, held: (() => void)[];
/** How many connections were open in other threads each time when the idle ones were closed there. */
const idleCloses: number[] = [];
let leftElsewhere: number;

beforeEach(async () => {
  held = [];
  idleCloses.length = 0;
  leftElsewhere = 240;
  server = createServer((_request, response) => {
    held.push(() => response.end('x'));
  });
  server.on('connection', (socket: Socket) => {
    open.add(socket);
    socket.once('close', () => {
      open.delete(socket);
      server.emit('left');
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
});

afterEach(() => {
  server.closeAllConnections();
  server.close();
});

const reply: ExchangeResult = {
  reply: { status: 200, headers: {}, body: new Uint8Array(1), url: '', serverAddress: undefined },
};

/**
 * Opens 40 connections with requests of the main thread, and makes one request in another thread: after them, or
 * before.
 */
async function openAndMove(mostFetching: number, isBefore = false): Promise<() => void> {
  let elsewhere = mostFetching;
  const client = createHttpClient({
    maxSockets: 300,
    remote: {
      get mostFetching() {
        return elsewhere;
      },
      closeIdle() {
        idleCloses.push(elsewhere);
        elsewhere = leftElsewhere;
      },
      exchange: (_options, _work, _cancellation, { onResult }) => {
        queueMicrotask(() => onResult(reply));
        return true;
      },
    },
  });
  if (isBefore) await client.request({ url, bodyWork: {} });
  const requests = Array.from({ length: 40 }, () => client.request({ url }));
  while (held.length < requests.length) await once(server, 'request');
  for (const answer of held) answer();
  await Promise.all(requests);
  if (!isBefore) await client.request({ url, bodyWork: {} });
  return () => client.close();
}

test.each([
  { mostFetching: 240, kept: 8 },
  { mostFetching: 228, kept: 20 },
])('at most 256 connections are open with $mostFetching in other threads', async ({ mostFetching, kept }) => {
  const close = await openAndMove(mostFetching);
  while (open.size > kept) await once(server, 'left');
  expect(open.size).toBe(kept);
  close();
});

test('connections of the main thread are closed when its requests end, not with the next of other threads', async () => {
  const close = await openAndMove(240, true);
  while (open.size > 8) await once(server, 'left');
  expect(open.size).toBe(8);
  close();
});

test('idle connections of other threads are closed once before there are more than 256', async () => {
  leftElsewhere = 100;
  const close = await openAndMove(230);
  expect(idleCloses).toEqual([230]);
  expect(open.size).toBe(40);
  close();
});

test('no connection is closed while there are few', async () => {
  const close = await openAndMove(100);
  expect(open.size).toBe(40);
  expect(idleCloses).toEqual([]);
  close();
});
