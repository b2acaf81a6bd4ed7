/**
 * Asks the service for points while every twentieth reply of the servers behind it fails, clients leave in the middle
 * of their requests, and more requests come than it takes. No answer may be wrong, and no point may be lost; at the
 * end the service is stopped under load, and every request that it accepted must be answered.
 *
 *     npm run build && npx tsx bench/serve-soak.ts [POINTS [SEED]]
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { serveMocks, type Fault } from '../mocks/index.ts';
import { randomFrom } from '../mocks/random.ts';
import { BEFORE, OFFSET, rootOf, worldBucket, worldGraph, WORLD } from '../testing/graph-world.ts';
import { tinyFiles } from '../testing/tiny-volume.ts';
import { machine } from './machine.ts';

const FAULT_RATE = 0.05,
  CLIENTS = 32,
  CALL_POINTS = 100,
  MAX_ROUNDS = 20,
  LEAVING = 0.03;
const POINTS = Number(process.argv[2] ?? 300_000),
  SEED = Number(process.argv[3] ?? 1);

const NOW = { 'retry-after': '0' };
const FAULTS: readonly Fault[] = [
  { reset: true },
  { truncate: 40 },
  { delayMs: 50 },
  { status: 429, headers: NOW },
  { status: 500, body: 'something broke' },
  { status: 503, headers: NOW },
  { lengthOff: 7 },
  { html: true },
];

/** Faults that each hit one request in `FAULT_RATE` of all, one kind at a time. */
function faults(on: RegExp, random: () => number, count: { hits: number }): Fault[] {
  let drawn = -1;
  const draw: Fault = {
    match: ({ path }) => {
      drawn = on.test(path) && random() < FAULT_RATE ? Math.floor(random() * FAULTS.length) : -1;
      if (drawn >= 0) count.hits++;
      return false;
    },
  };
  return [draw, ...FAULTS.map((fault, kind) => ({ ...fault, match: () => drawn === kind }))];
}

const hits = { hits: 0 };
const files = Object.fromEntries(
  Object.entries(tinyFiles(WORLD)).map(([key, bytes]) => [
    key,
    key === 'info' ? bytes : { bytes: gzipSync(bytes), contentEncoding: 'gzip' },
  ]),
);
const bucket = worldBucket({ files, faults: faults(/s0/, randomFrom(SEED), hits) }),
  graph = worldGraph({ faults: faults(/roots_binary/, randomFrom(SEED + 1), hits) });
const mocks = await serveMocks({ '/segmentation': graph, '/bucket': bucket });
setInterval(() => [bucket, graph].forEach(({ log }) => log.clear()), 500).unref();

// No memory of chunks, so that the store is asked again and again; few places, so that requests are refused.
const service = spawn(
  process.execPath,
  [
    join(import.meta.dirname, '../dist/lib/cli/main.js'),
    'serve',
    '--name',
    `w=graphene://${mocks.url}/segmentation/table/world`,
    ...['--port', '0', '--lru-bytes', '1', '--max-requests', '8', '--max-queued', '12', '--retries', '2'],
  ],
  { stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, CAVE_TOKEN: undefined } },
);
const [line] = (await once(createInterface(service.stdout), 'line')) as [string];
const url = `${(JSON.parse(line) as { url: string }).url}/v1/w/points?timestamp=${BEFORE}`;

interface Answer {
  supervoxel_id: (string | null)[];
  root_id: (string | null)[];
  status: string[];
}
const random = randomFrom(SEED + 2);
const count = { asked: 0, right: 0, wrong: 0, lost: 0, again: 0, refused: 0, left: 0, errors: 0 };
let slowestRefusalMs = 0;

function judge(
  [x, y, z]: number[],
  { supervoxel_id, root_id, status }: Answer,
  at: number,
): 'right' | 'wrong' | 'again' {
  const label = WORLD.labelAt(Math.floor(x), Math.floor(y), Math.floor(z)),
    root = label === 0n ? 0n : rootOf(Math.floor((y - OFFSET[1]) / 8), Number(label & 0xffffn));
  const is = (text: string, id: bigint, itsRoot: bigint): boolean =>
    status[at] === text && BigInt(supervoxel_id[at] ?? 0) === id && BigInt(root_id[at] ?? 0) === itsRoot;
  if (is('failed', 0n, 0n) || is('root_failed', label, 0n)) return 'again';
  return is(label === 0n ? 'background' : 'ok', label, root) ? 'right' : 'wrong';
}

async function lookUp(points: number[][]): Promise<void> {
  for (let round = 0; points.length > 0; round++) {
    if (round === MAX_ROUNDS) return void (count.lost += points.length);
    const leaving = random() < LEAVING ? new AbortController() : undefined;
    if (leaving) setTimeout(() => leaving.abort(), random() * 10);
    const began = performance.now();
    let reply: Response, answer: Answer;
    try {
      reply = await fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ points }),
        signal: leaving?.signal,
      });
      answer = (await reply.json()) as Answer;
    } catch (error) {
      if (!leaving?.signal.aborted) throw error;
      count.left++;
      continue;
    }
    if (reply.status === 429) {
      count.refused++;
      slowestRefusalMs = Math.max(slowestRefusalMs, performance.now() - began);
      await sleep(20 + 100 * random());
      round--;
      continue;
    }
    if (reply.status !== 200 || answer.status.length !== points.length) {
      count.errors++;
      console.error(reply.status, JSON.stringify(answer).slice(0, 300));
      continue;
    }
    const verdicts = points.map((point, at) => judge(point, answer, at));
    count.right += verdicts.filter((verdict) => verdict === 'right').length;
    count.wrong += verdicts.filter((verdict) => verdict === 'wrong').length;
    points = points.filter((_, at) => verdicts[at] === 'again');
    count.again += points.length;
  }
}

const randomPoints = (): number[][] =>
  Array.from({ length: CALL_POINTS }, () =>
    [0, 1, 2].map((axis) => OFFSET[axis] + random() * WORLD.size[axis]),
  );

const began = performance.now();
await Promise.all(
  Array.from({ length: CLIENTS }, async () => {
    while (count.asked < POINTS) {
      count.asked += CALL_POINTS;
      await lookUp(randomPoints());
    }
  }),
);
const seconds = (performance.now() - began) / 1000;

// SIGTERM under load: what was accepted is answered, or refused by 503; nothing is cut.
const last = { answered: 0, refused: 0, cut: 0, notConnected: 0 };
const asks = Array.from({ length: 24 }, async () => {
  try {
    const reply = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ points: randomPoints() }),
    });
    await reply.json();
    last[reply.status === 200 ? 'answered' : 'refused']++;
  } catch (error) {
    const { cause } = error as { cause?: { code?: string } };
    last[cause?.code === 'ECONNREFUSED' ? 'notConnected' : 'cut']++;
  }
});
await sleep(15);
service.kill('SIGTERM');
const [code] = (await once(service, 'exit')) as [number | null];
await Promise.all(asks);
await mocks.close();

console.log(machine());
console.log(
  `${count.asked} points in ${seconds.toFixed(0)} s; ${hits.hits} faults; ${count.again} points asked again, ${count.refused} requests refused (the slowest after ${slowestRefusalMs.toFixed(0)} ms), ${count.left} clients left; ${count.wrong} wrong, ${count.lost} lost, ${count.errors} errors. SIGTERM with 24 requests: ${JSON.stringify(last)}, exit code ${code}.`,
);
const isGood =
  count.right === count.asked &&
  count.wrong + count.lost + count.errors === 0 &&
  last.cut === 0 &&
  code === 0;
process.exit(isGood ? 0 : 1);
