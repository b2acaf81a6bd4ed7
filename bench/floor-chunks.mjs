/**
 * Fetches chunks with node:http over kept connections and decompresses them with node:zlib into buffers of the
 * right size. The floor calls `fetchChunks` on the main thread, or runs this file in worker threads. All
 * threads take the next chunk from one shared counter.
 */
import http from 'node:http';
import { availableParallelism } from 'node:os';
import { gunzip, gunzipSync } from 'node:zlib';
import { isMainThread, parentPort, workerData } from 'node:worker_threads';

const agent = new http.Agent({ keepAlive: true, maxSockets: 32 });

/** Returns the body of the reply, as it was sent. */
export const get = (url) =>
  new Promise((resolve, reject) => {
    http
      .get(url, { agent, headers: { 'accept-encoding': 'gzip' } }, (response) => {
        const pieces = [];
        response.on('data', (piece) => pieces.push(piece));
        response.on('end', () => resolve(pieces.length === 1 ? pieces[0] : Buffer.concat(pieces)));
      })
      .on('error', reject);
  });

/** Closes the connections. */
export const close = () => agent.destroy();

let free = availableParallelism();
const waiters = [];
/**
 * Decompresses large chunks on the thread pool, one per core, and small chunks on the thread that calls. A
 * worker thread decompresses all chunks itself.
 */
async function inflate(stored) {
  const size = stored.readUInt32LE(stored.length - 4),
    options = { chunkSize: size + 64 };
  if (size < 1 << 19 || !isMainThread) return gunzipSync(stored, options);
  if (free === 0) await new Promise((resolve) => waiters.push(resolve));
  else free--;
  const inflated = await new Promise((resolve, reject) =>
    gunzip(stored, options, (error, output) => (error ? reject(error) : resolve(output))),
  );
  if (waiters.length > 0) waiters.shift()();
  else free++;
  return inflated;
}

/**
 * Fetches and decompresses chunks until `next`, a shared counter, has passed the last one.
 *
 * @param connections Most requests in flight.
 * @returns Stored bytes of the chunks that this thread took.
 */
export async function fetchChunks({ urls, next, connections }) {
  let stored = 0;
  await Promise.all(
    Array.from({ length: connections }, async () => {
      for (let at = Atomics.add(next, 0, 1); at < urls.length; at = Atomics.add(next, 0, 1)) {
        const chunk = await get(urls[at]);
        stored += chunk.length;
        await inflate(chunk);
      }
    }),
  );
  return stored;
}

if (!isMainThread && workerData?.floor)
  parentPort.on('message', async (job) => parentPort.postMessage(await fetchChunks(job)));
