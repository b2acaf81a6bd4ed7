/**
 * Measures how long point look-ups take, beside CloudVolume, TensorStore and the floor (the same chunks
 * fetched and decompressed, nothing else). Every run is a fresh process, and every answer is checked. The
 * programs take turns, so that ratios hold when the speed of the machine drifts.
 *
 *   npm run bench -- --quick                    graphene-points and the floor, on a volume that it makes; no Python
 *   npm run bench -- --volumes DIR --python PYTHON [--runs 5] [--only SECTION,…] [--of VOLUME,…] [--sets NAME,…]
 *                    [--note TEXT]
 *
 * Sections and sets that do not run keep their old figures.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { HERE, hasVolume, measure, peerVersions, startServer, type Measured } from './harness.ts';
import { machine } from './machine.ts';
import { chunkSizeCases, type Case } from './chunk-size-cases.ts';
import { makePrograms, repeat, type Program } from './programs.ts';
import { report, type Results, type Row } from './report.ts';
import { makeVolumes } from './volumes.ts';

const { values: args } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    volumes: { type: 'string' },
    python: { type: 'string' },
    runs: { type: 'string' },
    only: { type: 'string' },
    of: { type: 'string' },
    sets: { type: 'string' },
    note: { type: 'string' },
    out: { type: 'string' },
  },
});
const runs = Number(args.runs ?? (args.quick ? 3 : 5)),
  { python } = args;
/** Quick figures go to a folder that git ignores. */
const out = args.out ?? join(HERE, args.quick ? '.work/results' : 'results');
const volumes = args.volumes ?? join(HERE, '.work/volumes');
if (!args.volumes && !hasVolume(volumes, 'cseg64_gzip')) {
  console.log(`making volumes in ${volumes}`);
  await makeVolumes(volumes);
}
const server = await startServer(volumes);

const programs = makePrograms(server.base, volumes, python);
const { ours, floor, tensorStore, peer, codecs } = programs;

const RESULTS = join(out, args.quick ? 'quick.json' : 'points.json');
const results: Results = existsSync(RESULTS) ? (JSON.parse(readFileSync(RESULTS, 'utf8')) as Results) : {};
const versions = `Server: ${server.name}. ${python ? `${await peerVersions(python)}.` : 'No peers.'}`;

function save(): void {
  mkdirSync(out, { recursive: true });
  writeFileSync(RESULTS, JSON.stringify(results, undefined, 1));
  report(results, out, args.quick ? 'quick' : 'points');
}

/** Measures all cases of a section. The results are saved after each case. */
async function section(name: string, cases: readonly Case[]): Promise<void> {
  if (args.only && !args.only.split(',').includes(name)) return;
  for (const { volume, set, latencyMs = 0, x, programs } of cases) {
    if (
      (args.sets && !args.sets.split(',').includes(set)) ||
      (args.of && !args.of.split(',').includes(volume))
    )
      continue;
    if (!hasVolume(volumes, volume) || !existsSync(join(volumes, `${set}.f64`))) continue;
    await server.setLatency(latencyMs);
    await measure(server, programs[0].command, programs[0].parameters); // fills the page cache for all programs
    const measured = new Map<string, Measured[]>(programs.map(({ name }) => [name, []]));
    for (let round = 0; round < runs; round++)
      for (const { name, command, parameters, phase = 'cold', maxRuns = Infinity } of programs)
        if (round < maxRuns) measured.get(name)!.push((await measure(server, command, parameters))[phase]!);
    const otherRows = (results[name]?.rows ?? []).filter(
      (row) => !(row.volume === volume && row.set === set && row.latencyMs === latencyMs && row.x === x),
    );
    const rows: Row[] = [...measured].map(([who, runs]) => ({ volume, set, latencyMs, x, who, runs }));
    results[name] = {
      taken: machine(),
      versions,
      note: args.note ?? results[name]?.note,
      rows: [...otherRows, ...rows],
    };
    save();
    console.log(
      `${name}: ${volume} ${set} ${latencyMs} ms${x === undefined ? '' : ` ${x}`}: ${[...measured].map(([who, all]) => `${who} ${all.map(({ wall_s }) => wall_s.toFixed(2)).join(' ')}`).join('; ')}`,
    );
  }
}

try {
  const latencies = args.quick ? [0] : [0, 20],
    main = args.quick ? ['cseg_gzip', 'raw_gzip'] : ['cseg_gzip', 'raw_gzip', 'cseg_sharded'];
  const sets = args.quick
    ? ['c10k', 'u100k', 'u1M']
    : ['u1k', 'u10k', 'c10k', 'c100k', 'n10k', 'u100k', 'u1M'];
  await section(
    'cold',
    latencies.flatMap((latencyMs) =>
      main.flatMap((volume) =>
        sets.map((set) => ({
          volume,
          set,
          latencyMs,
          programs: [ours(volume, set), ...floor(volume, set), ...tensorStore(volume, set)],
        })),
      ),
    ),
  );
  for (const [name, cases] of Object.entries(chunkSizeCases(programs, args.quick)))
    await section(name, cases);
  const scales = args.quick ? [1e4, 1e6] : [1e3, 1e4, 1e5, 1e6, 1e7];
  await section(
    'scaling',
    scales.map((x) => ({
      volume: 'cseg_gzip',
      set: 'u1M',
      x,
      programs: [
        ours('cseg_gzip', 'u1M', '--take', String(x)),
        ...tensorStore('cseg_gzip', 'u1M', '--take', String(x)),
      ],
    })),
  );
  const atOnce = args.quick ? [8, 32] : [1, 2, 4, 8, 16, 32, 64, 128];
  await section(
    'concurrency',
    latencies.flatMap((latencyMs) =>
      atOnce.map((x) => ({
        volume: 'cseg_gzip',
        set: 'u100k',
        latencyMs,
        x,
        programs: [ours('cseg_gzip', 'u100k', '--concurrency', String(x))],
      })),
    ),
  );
  const repeated = args.quick ? ['cseg_gzip'] : ['cseg_gzip', 'raw_gzip'];
  await section(
    'steady',
    repeated.map((volume) => ({
      volume,
      set: 'u100k',
      programs: [ours(volume, 'u100k'), ...floor(volume, 'u100k'), ...tensorStore(volume, 'u100k')].map(
        (program) => repeat(9, program),
      ),
    })),
  );
  await section(
    'warm',
    repeated.map((volume) => ({
      volume,
      set: 'u100k',
      programs: [
        ours(volume, 'u100k', '--lru', '1e9', '--lru-encoding', 'compressed_segmentation'),
        ...tensorStore(volume, 'u100k', '--cache', '6e9'),
      ].map((program) => repeat(25, program)),
    })),
  );
  const slow = ['crackle_gzip', 'compresso_gzip'];
  await section(
    'decoding',
    slow.flatMap((volume) =>
      ['u10k', 'u100k'].map((set) => ({
        volume,
        set,
        programs: [ours(volume, set), ...floor(volume, set), ...codecs(volume, set)],
      })),
    ),
  );
  if (python) {
    const cloudVolume = (volume: string, set: string, maxRuns: number): Program[] =>
      peer('CloudVolume, LRU 1 GB', volume, set, '--cache', '1e9').map((program) => ({
        ...program,
        maxRuns,
      }));
    const withoutLru = (volume: string, set: string): Program[] =>
      peer('CloudVolume, no LRU', volume, set).map((program) => ({ ...program, maxRuns: 1 }));
    await section(
      'cloudvolume',
      ['cseg_gzip', 'crackle_gzip', 'compresso_gzip', 'raw_gzip'].map((volume) => ({
        volume,
        set: 'c10k',
        programs: [
          ours(volume, 'c10k'),
          ...cloudVolume(volume, 'c10k', volume === 'raw_gzip' ? 1 : 3),
          ...withoutLru(volume, 'c10k'),
        ],
      })),
    );
    await section(
      'cloudvolume-warm',
      ['cseg_gzip', 'crackle_gzip', 'compresso_gzip', 'raw_gzip'].map((volume) => ({
        volume,
        set: 'c10k',
        programs: [
          repeat(9, ours(volume, 'c10k', '--lru', '1e9')),
          ...cloudVolume(volume, 'c10k', volume === 'raw_gzip' ? 1 : 3).map((program) => repeat(1, program)),
        ],
      })),
    );
    await section(
      'cloudvolume-100k',
      ['cseg_gzip', 'crackle_gzip'].map((volume) => ({
        volume,
        set: 'u100k',
        programs: [ours(volume, 'u100k'), ...cloudVolume(volume, 'u100k', 1)],
      })),
    );
  }
} finally {
  server.stop();
}
