/**
 * Fetches all chunks of a folder once with one HTTP client, in the main thread or in two worker threads, and prints
 * one JSON line. The clock includes the start of the threads and all handshakes. `http2.ts` runs it, in a fresh
 * process for each figure.
 *
 *   node bench/http2-fetch.mjs CASE REQUESTS_AT_ONCE PORT PATH FILE_OF_NAMES
 */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { isMainThread, parentPort, Worker } from 'node:worker_threads';

const HEADERS = { 'user-agent': 'bench', 'accept-encoding': 'gzip' };
/** Requests in one HTTP/2 connection, where several are opened. */
const STREAMS_PER_CONNECTION = 16;
const THREADS = 2;

const join = (pieces) => (pieces.length === 1 ? pieces[0] : Buffer.concat(pieces));

/** Makes a function of one of our senders, which `http2.ts` has built. */
const withSender = (send, base) => (path) =>
  new Promise((resolve, reject) => {
    const pieces = [];
    send(
      { url: new URL(path, base), method: 'GET', headers: HEADERS, body: undefined },
      {
        onSocket: () => undefined,
        onResponse: () => undefined,
        onData: (piece) => pieces.push(piece),
        onEnd: () => resolve(join(pieces)),
        onError: reject,
      },
    );
  });

async function agents() {
  const { Agent: HttpAgent } = await import('node:http'),
    { Agent: HttpsAgent } = await import('node:https');
  return { http: new HttpAgent(), https: new HttpsAgent({ keepAlive: true, maxSockets: 256 }) };
}

async function withNodeHttp2(base, connections) {
  const http2 = await import('node:http2');
  const settings = { enablePush: false, initialWindowSize: 4 << 20, maxFrameSize: 1 << 18 };
  const sessions = Array.from({ length: connections }, () => {
    const session = http2.connect(base, { settings });
    session.once('connect', () => session.setLocalWindowSize(32 << 20));
    return session;
  });
  let turn = 0;
  return (path) =>
    new Promise((resolve, reject) => {
      const request = sessions[turn++ % connections].request(
        { ':path': path, ...HEADERS },
        { endStream: true },
      );
      const pieces = [];
      request.on('data', (piece) => pieces.push(piece));
      request.on('end', () => resolve(join(pieces)));
      request.on('error', reject);
    });
}

const CLIENTS = {
  socket: async ({ base }) => {
    const { SocketSender } = await import('./.work/http2/send-over-socket.mjs');
    return withSender(new SocketSender().send, base);
  },
  node: async ({ base }) => {
    const { sendGet } = await import('./.work/http2/send-get.mjs');
    return withSender(sendGet(await agents()), base);
  },
  got: async ({ base }) => {
    const { sendWithGot } = await import('./.work/http2/send-with-got.mjs');
    return withSender(sendWithGot(await agents()), base);
  },
  http2: ({ base }) => withNodeHttp2(base, 1),
  http2s: ({ base, requests }) => withNodeHttp2(base, Math.ceil(requests / STREAMS_PER_CONNECTION)),
  frames: async ({ port }) => (await import('./http2-frames.mjs')).openFrames(port).get,
};

/** Fetches chunks until the shared counter has passed the last one. Returns their bytes. */
async function fetchChunks(job) {
  const { client, port, path, names, next, requests } = job;
  const get = await CLIENTS[client]({ ...job, base: `https://127.0.0.1:${port}` });
  let bytes = 0;
  await Promise.all(
    Array.from({ length: requests }, async () => {
      for (let at = Atomics.add(next, 0, 1); at < names.length; at = Atomics.add(next, 0, 1)) {
        const body = await get(`${path}/${names[at]}`);
        bytes += body.length;
      }
    }),
  );
  return bytes;
}

async function fetchInThreads(job) {
  const parts = Array.from({ length: THREADS }, async () => {
    const worker = new Worker(new URL(import.meta.url));
    worker.postMessage({ ...job, requests: job.requests / THREADS });
    return (await once(worker, 'message'))[0];
  });
  return (await Promise.all(parts)).reduce((sum, bytes) => sum + bytes, 0);
}

if (!isMainThread) parentPort.on('message', async (job) => parentPort.postMessage(await fetchChunks(job)));
else {
  const [where, client, requests, port, path, file] = process.argv.slice(2);
  const names = readFileSync(file, 'utf8').split('\n'),
    next = new Int32Array(new SharedArrayBuffer(4));
  const job = { client, requests: Number(requests), port: Number(port), path, names, next };
  const before = process.cpuUsage(),
    began = performance.now();
  const bytes = await (where === 'threads' ? fetchInThreads : fetchChunks)(job);
  const wall_s = (performance.now() - began) / 1000,
    { user, system } = process.cpuUsage(before),
    peak_mb = process.resourceUsage().maxRSS / 1024;
  console.log(JSON.stringify({ wall_s, cpu_s: (user + system) / 1e6, peak_mb, bytes }));
  process.exit(0);
}
