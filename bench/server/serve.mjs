/**
 * Replaces main.go if Go is not installed: the same paths and counters, at about twice the CPU time.
 *
 *   node bench/server/serve.mjs DIR
 */
import { createReadStream, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { join, normalize } from 'node:path';

const [root] = process.argv.slice(2);
let requests = 0,
  bytes = 0,
  latencyMs = 0;

/** Finds the file for a path, with its size and its content encoding, or returns undefined. */
function find(name) {
  for (const [suffix, encoding] of [
    ['', undefined],
    ['.gz', 'gzip'],
    ['.br', 'br'],
    ['.zst', 'zstd'],
  ]) {
    const found = statSync(name + suffix, { throwIfNoEntry: false });
    if (found?.isFile()) return { file: name + suffix, size: found.size, encoding };
  }
  return undefined;
}

function answer(request, response) {
  const found = find(join(root, normalize(decodeURIComponent(request.url.split('?')[0]))));
  if (!found) return response.writeHead(404).end();
  const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '') ?? [];
  const start = Number(first ?? 0),
    end = Math.min(found.size, Number(last ?? found.size - 1) + 1);
  const headers = {
    'content-type': 'application/octet-stream',
    'content-length': end - start,
    ...(found.encoding && { 'content-encoding': found.encoding }),
  };
  response.writeHead(first === undefined ? 200 : 206, {
    ...headers,
    ...(first !== undefined && { 'content-range': `bytes ${start}-${end - 1}/${found.size}` }),
  });
  if (request.method === 'HEAD') return response.end();
  bytes += end - start;
  return createReadStream(found.file, { start, end: end - 1, highWaterMark: 1 << 20 }).pipe(response);
}

const server = createServer((request, response) => {
  const { pathname, searchParams } = new URL(request.url, 'http://localhost');
  if (pathname === '/__latency') latencyMs = Number(searchParams.get('ms'));
  else if (pathname === '/__reset') requests = bytes = 0;
  else if (pathname !== '/__stats') {
    requests++;
    return setTimeout(() => answer(request, response), latencyMs);
  }
  const { user, system } = process.cpuUsage();
  return response.end(JSON.stringify({ requests, bytes, cpu_s: (user + system) / 1e6 }));
});
server.listen(0, '127.0.0.1', () => console.log(`PORT ${server.address().port}`));
process.stdin.on('end', () => process.exit()).resume();
