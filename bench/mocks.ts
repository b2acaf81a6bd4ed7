/**
 * Measures the mocked chunkedgraph: the time to start from supervoxels and edges, roots per second through
 * loopback, and edits per second.
 *
 *     npm run bench:mocks
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { bytesOf, idsFromBytes } from '../lib/base/uint64.ts';
import { createMockChunkedGraph, serveMocks, type MockChunkedGraph } from '../mocks/index.ts';
import { machine } from './machine.ts';

const LAYERS = 8;
const info = {
  graph: {
    chunk_size: [256, 256, 512],
    n_layers: LAYERS,
    n_bits_for_layer_id: 8,
    spatial_bit_masks: { 1: 10, 2: 10, 3: 9, 4: 8, 5: 7, 6: 6, 7: 5, 8: 4 },
  },
};
const PER_CHUNK = 100;
const OBJECT_SIZE = 40; // consecutive supervoxels that form one object

/**
 * Returns `count` supervoxels, 100 per graph chunk of a cubic grid, and the edges that join them into
 * objects.
 */
function describeGraph(count: number): { supervoxels: BigUint64Array; edges: BigUint64Array } {
  const side = Math.ceil(Math.cbrt(count / PER_CHUNK));
  const supervoxels = BigUint64Array.from({ length: count }, (_, k) => {
    const chunk = Math.floor(k / PER_CHUNK);
    const [x, y, z] = [chunk % side, Math.floor(chunk / side) % side, Math.floor(chunk / side ** 2)];
    return (
      (1n << 56n) | (BigInt(x) << 46n) | (BigInt(y) << 36n) | (BigInt(z) << 26n) | BigInt(1 + (k % PER_CHUNK))
    );
  });
  const edges: bigint[] = [];
  for (let k = 0; k + 1 < count; k++)
    if (k % OBJECT_SIZE !== OBJECT_SIZE - 1) edges.push(supervoxels[k], supervoxels[k + 1]);
  return { supervoxels, edges: BigUint64Array.from(edges) };
}

const create = (graph: {
  supervoxels: Iterable<bigint | string>;
  edges: BigUint64Array | [string, string][];
}): MockChunkedGraph => createMockChunkedGraph({ info, ...graph });

/**
 * Runs a function. Returns its wall time and its CPU time: compare CPU times if the machine has other work.
 */
function timed<T>(run: () => T): { value: T; ms: number; cpuMs: number } {
  const start = performance.now(),
    before = process.cpuUsage();
  const value = run();
  const ms = performance.now() - start,
    { user, system } = process.cpuUsage(before);
  return { value, ms, cpuMs: (user + system) / 1e3 };
}

const median = (values: number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1];
const spread = (values: number[], digits = 0): string =>
  `${median(values).toFixed(digits)} (${Math.min(...values).toFixed(digits)}-${Math.max(...values).toFixed(digits)})`;
const rows: string[] = [];
const report = (what: string, figure: string): void => {
  rows.push(`| ${what} | ${figure} |`);
  console.log(`${what}: ${figure}`);
};

function startUp(count: number, runs: number): void {
  const { supervoxels, edges } = describeGraph(count);
  const asText = {
    supervoxels: Array.from(supervoxels, String),
    edges: Array.from({ length: edges.length / 2 }, (_, e): [string, string] => [
      String(edges[2 * e]),
      String(edges[2 * e + 1]),
    ]),
  };
  for (const [form, graph] of [
    ['typed arrays', { supervoxels, edges }],
    ['decimal text', asText],
  ] as const) {
    const cold = timed(() => create(graph));
    const times = Array.from({ length: runs }, () => timed(() => create(graph)));
    const what = `start-up, ${count.toLocaleString('en')} supervoxels, ${form}: first run; then median (min-max) of ${runs}, ms`;
    report(what, `${cold.ms.toFixed(0)}; ${spread(times.map(({ ms }) => ms))}`);
    report(`${what} of CPU time`, `${cold.cpuMs.toFixed(0)}; ${spread(times.map(({ cpuMs }) => cpuMs))}`);
  }
}

function post(agent: Agent, url: string, body: Uint8Array): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const outgoing = request(
      url,
      {
        method: 'POST',
        agent,
        headers: { 'content-length': body.byteLength, 'content-type': 'application/octet-stream' },
      },
      (incoming) => {
        const parts: Buffer[] = [];
        incoming
          .on('data', (part: Buffer) => parts.push(part))
          .on('end', () => resolve(Buffer.concat(parts)))
          .on('error', reject);
      },
    );
    outgoing.on('error', reject).end(body);
  });
}

async function roots(count: number, batch: number, total: number): Promise<void> {
  const graph = create(describeGraph(count));
  const { supervoxels } = describeGraph(count);
  await using served = await serveMocks({ '/segmentation': graph });
  const agent = new Agent({ keepAlive: true });
  const url = `${served.url}/segmentation/api/v1/table/mock/roots_binary`;
  let seed = 1;
  const random = (): number => (seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0) / 2 ** 32;
  const bodies = Array.from({ length: total / batch }, () =>
    BigUint64Array.from({ length: batch }, () => supervoxels[Math.floor(random() * count)]),
  );
  const answer = idsFromBytes(await post(agent, url, bytesOf(bodies[0])));
  if (answer.length !== batch || answer.some((root) => root >> 56n !== BigInt(LAYERS)))
    throw new Error('some of the returned IDs are not roots');
  const rates: number[] = [],
    cpuRates: number[] = [];
  for (let run = 0; run < 5; run++) {
    const start = performance.now(),
      before = process.cpuUsage();
    for (const body of bodies) await post(agent, url, bytesOf(body));
    const { user, system } = process.cpuUsage(before);
    rates.push(total / (performance.now() - start) / 1e3);
    cpuRates.push(total / (user + system));
  }
  agent.destroy();
  const what = `roots_binary through loopback, random IDs among ${count.toLocaleString('en')}, batches of ${batch.toLocaleString('en')}, million per second`;
  report(what, spread(rates, 2));
  report(`${what} of CPU time`, spread(cpuRates, 2));
}

function edits(count: number, times: number): void {
  const { supervoxels, edges } = describeGraph(count);
  const graph = create({ supervoxels, edges });
  const objects = Math.floor(count / OBJECT_SIZE);
  const { ms } = timed(() => {
    for (let k = 0; k < times; k++) {
      const a = k % (objects - 1);
      const { operationId } = graph.merge(
        [supervoxels[a * OBJECT_SIZE], supervoxels[(a + 1) * OBJECT_SIZE]],
        { at: k + 1 },
      );
      if (k % 2 === 1) graph.undo(operationId!, { at: k + 1.5 });
    }
  });
  report(
    `merges, every second merge undone, among ${count.toLocaleString('en')} supervoxels, edits per second`,
    ((1.5 * times * 1e3) / ms).toFixed(0),
  );
}

startUp(10_000, 9);
startUp(1_000_000, 3);
await roots(1_000_000, 100_000, 2_000_000);
await roots(100_000, 10_000, 1_000_000);
edits(1_000_000, 2_000);

mkdirSync(new URL('results/', import.meta.url), { recursive: true });
writeFileSync(
  new URL('results/mocks.md', import.meta.url),
  `# The mocked chunkedgraph\n\n${machine()} Client and server share one process and one thread. The machine had other work.\n\n| what | figure |\n|---|---|\n${rows.join('\n')}\n`,
);
