/**
 * Serves a chunkedgraph that costs almost no time: the root of an ID is the ID with its layer set to 7.
 *
 * It runs in its own process, prints `PORT n`, and stops when its standard input ends. `GET /count` returns,
 * as JSON, the look-ups, the IDs and the CPU time since the last `GET /count`. Its watershed is the volume at the
 * URL in its first argument, as `peers/make_volumes.py` writes them; without one, the watershed has no chunks.
 */
import { createServer } from 'node:http';
import { gunzipSync } from 'node:zlib';

const [watershed] = process.argv.slice(2);
const scales =
  watershed === undefined
    ? [
        {
          key: 's0',
          size: [1024, 1024, 512],
          resolution: [8, 8, 40],
          voxel_offset: [0, 0, 0],
          chunk_sizes: [[128, 128, 64]],
          encoding: 'raw',
        },
      ]
    : ((await (await fetch(`${watershed}/info`)).json()) as { scales: object[] }).scales;
const infoOf = (host: string): string =>
  JSON.stringify({
    app: { supported_api_versions: [0, 1] },
    chunks_start_at_voxel_offset: true,
    data_dir: watershed ?? `http://${host}/data`,
    type: 'segmentation',
    data_type: 'uint64',
    num_channels: 1,
    scales,
    mesh: '',
    verify_mesh: false,
    mesh_metadata: {},
    sharded_mesh: false,
    graph: {
      chunk_size: watershed === undefined ? [128, 128, 64] : [256, 256, 128],
      n_layers: 7,
      n_bits_for_layer_id: 8,
      cv_mip: 0,
      bounding_box: [2048, 2048, 512],
      spatial_bit_masks: { 1: 10, 2: 10, 3: 10, 4: 10, 5: 10, 6: 10, 7: 10 },
    },
  });
let requests = 0,
  ids = 0,
  cpu = process.cpuUsage();

const server = createServer((request, response) => {
  const parts: Uint8Array[] = [];
  request.on('data', (part: Uint8Array) => parts.push(part));
  request.on('end', () => {
    if (request.method === 'GET' && request.url === '/count') {
      const { user, system } = process.cpuUsage(cpu);
      response.end(JSON.stringify({ requests, ids, server_cpu_s: (user + system) / 1e6 }));
      requests = ids = 0;
      cpu = process.cpuUsage();
    } else if (request.url?.includes('/roots_binary')) {
      const sent = Buffer.concat(parts);
      const body = request.headers['content-encoding'] === 'gzip' ? gunzipSync(sent) : sent;
      for (let high = 7; high < body.length; high += 8) body[high] = 7;
      requests++;
      ids += body.length / 8;
      response.setHeader('content-type', 'text/html; charset=utf-8').end(body);
    } else if (request.url?.endsWith('/info'))
      response.setHeader('content-type', 'application/json').end(infoOf(request.headers.host!));
    else response.writeHead(404).end();
  });
});
server.listen(0, '127.0.0.1', () => console.log(`PORT ${(server.address() as { port: number }).port}`));
process.stdin.on('end', () => process.exit()).resume();
