/**
 * How long does a call hold the event loop, and how late do a deadline and an abort end it? Everything is in memory, so that nothing but
 * the call itself can let the loop go on.
 *
 *   npm run bench:stall -- [--counts 1000000,10000000,50000000] [--note TEXT]
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PerformanceObserver } from 'node:perf_hooks';
import { parseArgs } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { HERE } from './harness.ts';
import { machine } from './machine.ts';

const { values: args } = parseArgs({
  options: {
    counts: { type: 'string', default: '1000000,10000000,50000000' },
    note: { type: 'string', default: '' },
  },
});
const SIZE = [128, 128, 64] as const;

const { openPrecomputed, memoryBucket } = (await import(
  join(HERE, '../dist/lib/index.js')
)) as typeof import('../lib/index.ts');
const { buildWorld } = (await import(
  join(HERE, '../dist/mocks/index.js')
)) as typeof import('../mocks/index.ts');
const { RootBatcher } = await import('../lib/chunkedgraph/roots/root-batcher.ts');
const { IdLayout } = await import('../lib/chunkedgraph/ids/id-layout.ts');
const { ServerClock } = await import('../lib/chunkedgraph/server/server-clock.ts');
const { withDeadline: within } = await import('../lib/base/deadline.ts');

const world = buildWorld({
  labels: (x, y, z) =>
    BigInt((1 + Math.floor(x / 20) + 7 * Math.floor(y / 20)) * ((x * 7 + y * 3 + z) % 11 ? 1 : 0)),
  size: SIZE,
  chunkSize: [16, 16, 16],
  encoding: 'compressed_segmentation',
});
for (const [key, { bytes, contentEncoding }] of Object.entries(world.volume.files))
  memoryBucket('stall').put(key, bytes, contentEncoding);

/** CPU time of this thread, on Linux: on a busy machine a turn lasts longer than it works. */
const SCHEDSTAT = '/proc/thread-self/schedstat';
const cpuMs = existsSync(SCHEDSTAT)
  ? (): number => Number(readFileSync(SCHEDSTAT, 'latin1').split(' ')[0]) / 1e6
  : (): number => NaN;

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** One turn of the event loop, and the time that garbage collections took of it. */
interface EventLoopTurn {
  from: number;
  to: number;
  cpuMs: number;
  collectionMs: number;
}

/** Turns shorter than this are not recorded. */
const SHORTEST_TURN_MS = 5;

interface Hold {
  wallMs: number;
  cpuMs: number;
  /** CPU time without garbage collections. */
  ownMs: number;
}

/** How long some work took, and the longest that it held the event loop between two of its turns. */
async function holdOf(
  work: () => Promise<unknown>,
): Promise<{ hold: Hold; tookMs: number; outcome: string }> {
  // The memory of the call before is freed by then: to free it stops this thread, too.
  collectGarbage();
  await pause(500);
  const turns: EventLoopTurn[] = [],
    collections: { from: number; to: number }[] = [];
  const observer = new PerformanceObserver((list) => {
    for (const { startTime, duration } of list.getEntries())
      collections.push({ from: startTime, to: startTime + duration });
  });
  observer.observe({ entryTypes: ['gc'] });
  let last = performance.now(),
    lastCpu = cpuMs(),
    isRunning = true;
  const look = (): void => {
    const now = performance.now(),
      cpu = cpuMs();
    if (now - last > SHORTEST_TURN_MS)
      turns.push({ from: last, to: now, cpuMs: cpu - lastCpu, collectionMs: 0 });
    [last, lastCpu] = [now, cpu];
    if (isRunning) setImmediate(look);
  };
  const began = performance.now();
  setImmediate(look);
  const outcome = await work().then(
    () => 'answered',
    (error: Error) => error.name,
  );
  const tookMs = performance.now() - began;
  look();
  isRunning = false;
  await pause(20); // the last collections are reported
  observer.disconnect();
  for (const { from, to } of collections)
    for (const turn of turns)
      turn.collectionMs += Math.max(0, Math.min(to, turn.to) - Math.max(from, turn.from));
  const longest = (of: (turn: EventLoopTurn) => number): number => Math.max(0, ...turns.map(of));
  return {
    hold: {
      wallMs: longest(({ from, to }) => to - from),
      cpuMs: longest(({ cpuMs }) => cpuMs),
      ownMs: longest(({ cpuMs, collectionMs }) => cpuMs - collectionMs),
    },
    tookMs,
    outcome,
  };
}

function pointsOf(count: number): Float64Array {
  const points = new Float64Array(3 * count);
  let state = 1;
  for (let k = 0; k < points.length; k++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    points[k] = Math.floor((state / 2 ** 32) * SIZE[k % 3]);
  }
  return points;
}

const layout = new IdLayout({
  layerBits: 8,
  spatialBits: new Map([
    [1, 10],
    [2, 10],
  ]),
});
const clock = new ServerClock({});
/** The stub server's answers are made beforehand, because it shares the event loop with the call. */
const answers = new BigUint64Array(100_000).fill(4n << 56n);
const roots = async (ids: BigUint64Array): Promise<BigUint64Array> => {
  await new Promise(setImmediate);
  return answers.subarray(0, ids.length);
};

function idsOf(count: number): BigUint64Array {
  const words = new Uint32Array(2 * count);
  for (let k = 0; k < count; k++) {
    words[2 * k] = Math.imul(k, 0x9e3779b1) >>> 0;
    words[2 * k + 1] = (1 << 24) | (k & 0xffff);
  }
  return new BigUint64Array(words.buffer);
}

const rows: string[] = [];
for (const count of args.counts.split(',').map(Number)) {
  const points = pointsOf(count),
    borrow = true;
  await using volume = await openPrecomputed('mem://stall', { logger: { warn: () => undefined } });
  await using kept = await openPrecomputed('mem://stall', {
    lruBytes: 2 ** 28,
    logger: { warn: () => undefined },
  });
  await kept.scatteredPoints([[0, 0, 0]]);
  let ids: BigUint64Array | undefined = idsOf(Math.min(count, 2e7));
  const batcher = (): InstanceType<typeof RootBatcher> =>
    new RootBatcher({ client: { roots, currentRoots: roots, clock }, ids: layout, nLayers: 4 });
  const calls: [
    name: string,
    size: number,
    call: (options: { timeoutMs?: number; signal?: AbortSignal }) => Promise<unknown>,
  ][] = [
    [
      'points, chunks in a memory bucket',
      count,
      (options) => volume.scatteredPoints(points, { borrow, onError: 'status', ...options }),
    ],
    [
      'points, chunks in the LRU',
      count,
      (options) => kept.scatteredPoints(points, { borrow, onError: 'status', ...options }),
    ],
    [
      'points, snapping',
      count,
      (options) =>
        volume.scatteredPoints(points, { borrow, onError: 'status', snap: { radiusNm: 50 }, ...options }),
    ],
    [
      'roots of as many IDs',
      ids.length,
      ({ timeoutMs, signal }) =>
        within(timeoutMs, [signal, new AbortController().signal], (bound) =>
          batcher().lookUp(ids!, { timestampMs: 1e12, signal: bound }),
        ),
    ],
  ];
  for (const [name, size, call] of calls) {
    if (name === 'points, snapping' && count > 1e7) continue; // minutes
    const whole = await holdOf(() => call({}));
    const late = await holdOf(() => call({ timeoutMs: 100 })),
      left = await holdOf(() => call({ signal: AbortSignal.timeout(100) }));
    const lateness = ({ tookMs, outcome }: typeof late): string =>
      tookMs < 100 ? `in time (${outcome})` : `${(tookMs - 100).toFixed(0)} (${outcome})`;
    const hold = ({ hold: { wallMs, cpuMs, ownMs } }: typeof late): string =>
      `${wallMs.toFixed(0)} (${cpuMs.toFixed(0)}, ${ownMs.toFixed(0)})`;
    rows.push(
      `| ${name} | ${size.toExponential(0)} | ${whole.tookMs.toFixed(0)} | ${hold(whole)} | ${lateness(late)} | ${hold(late)} | ${lateness(left)} | ${hold(left)} |`,
    );
    console.log(rows.at(-1));
  }
  ids = undefined;
}
writeFileSync(
  join(HERE, 'results/stall.md'),
  `# How long the event loop is held

${machine()} ${args.note}
All times are milliseconds. A hold is the longest turn of the event loop: its wall time, then in brackets its CPU time, and its CPU time
without garbage collections. Points are lent (\`borrow\`): a copy would be made before the call returns. "Late" is how much longer than 100 ms
a call took that had \`timeoutMs: 100\`, or a signal that aborted after 100 ms.

| call | size | took | longest hold | deadline late by | hold | abort late by | hold |
|---|--:|--:|--:|---|--:|---|--:|
${rows.join('\n')}
`,
);
