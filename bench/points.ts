/**
 * How long do points take beside CloudVolume, TensorStore and the floor (the same chunks fetched and inflated, nothing else)? Every run is a
 * fresh process; the peers take turns, so that ratios hold when the machine's speed drifts; every answer is checked.
 *
 *   npm run bench -- --quick                                              ours and the floor, on a volume made here; no Python
 *   npm run bench -- --volumes DIR --python PYTHON [--runs 5] [--only SECTION,…] [--of VOLUME,…] [--sets NAME,…] [--note TEXT]
 *
 * Sections and sets that are not taken keep the figures they had.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { HERE, hasVolume, measure, peerVersions, startServer, type Measured } from './harness.ts';
import { machine } from './machine.ts';
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
/** Figures of a quick look are not for keeping. */
const out = args.out ?? join(HERE, args.quick ? '.work/results' : 'results');
const volumes = args.volumes ?? join(HERE, '.work/volumes');
if (!args.volumes && !hasVolume(volumes, 'cseg_gzip')) {
  console.log(`making volumes in ${volumes}`);
  await makeVolumes(volumes);
}
const server = await startServer(volumes);

/** Whoever is measured, as a command. `phase` is what of its output counts. */
interface Who {
  name: string;
  command: string;
  parameters: string[];
  phase?: 'cold' | 'again';
  /** Slow ones are run so often at most. */
  most?: number;
}

const shared = (volume: string, set: string): string[] => [
  '--base',
  server.base,
  '--volume',
  volume,
  '--points',
  join(volumes, set),
];
const node = (name: string, file: string, parameters: string[]): Who => ({
  name,
  command: process.execPath,
  parameters: [join(HERE, file), ...parameters],
});
const ours = (volume: string, set: string, ...more: string[]): Who =>
  node('graphene-points', 'measure.mjs', [...shared(volume, set), ...more]);
const floor = (volume: string, set: string): Who => node('floor', 'floor.mjs', shared(volume, set));
const peer = (name: string, volume: string, set: string, ...more: string[]): Who[] =>
  python
    ? [
        {
          name,
          command: python,
          parameters: [
            join(HERE, 'peers/measure.py'),
            '--peer',
            name.split(',')[0].toLowerCase(),
            ...shared(volume, set),
            ...more,
          ],
        },
      ]
    : [];
const tensorStore = (volume: string, set: string, ...more: string[]): Who[] =>
  /^(cseg|raw)/.test(volume) ? peer('TensorStore', volume, set, ...more) : [];

const RESULTS = join(out, args.quick ? 'quick.json' : 'points.json');
const results: Results = existsSync(RESULTS) ? (JSON.parse(readFileSync(RESULTS, 'utf8')) as Results) : {};
const versions = `Server: ${server.name}. ${python ? `${await peerVersions(python)}.` : 'No peers.'}`;

function save(): void {
  mkdirSync(out, { recursive: true });
  writeFileSync(RESULTS, JSON.stringify(results, undefined, 1));
  report(results, out, args.quick ? 'quick' : 'points');
}

/** All of a section's cases. Each is written as soon as it is done. */
async function section(
  name: string,
  cases: { volume: string; set: string; latencyMs?: number; x?: number; who: Who[] }[],
): Promise<void> {
  if (args.only && !args.only.split(',').includes(name)) return;
  for (const { volume, set, latencyMs = 0, x, who } of cases) {
    if (
      (args.sets && !args.sets.split(',').includes(set)) ||
      (args.of && !args.of.split(',').includes(volume))
    )
      continue;
    if (!hasVolume(volumes, volume) || !existsSync(join(volumes, `${set}.f64`))) continue;
    await server.setLatency(latencyMs);
    await measure(server, who[0].command, who[0].parameters); // the page cache is warm for everybody
    const taken = new Map<string, Measured[]>(who.map(({ name }) => [name, []]));
    for (let round = 0; round < runs; round++)
      for (const { name, command, parameters, phase = 'cold', most = Infinity } of who)
        if (round < most) taken.get(name)!.push((await measure(server, command, parameters))[phase]!);
    const kept = (results[name]?.rows ?? []).filter(
      (row) => !(row.volume === volume && row.set === set && row.latencyMs === latencyMs && row.x === x),
    );
    const rows: Row[] = [...taken].map(([who, measured]) => ({
      volume,
      set,
      latencyMs,
      x,
      who,
      runs: measured,
    }));
    results[name] = {
      taken: machine(),
      versions,
      note: args.note ?? results[name]?.note,
      rows: [...kept, ...rows],
    };
    save();
    console.log(
      `${name}: ${volume} ${set} ${latencyMs} ms${x === undefined ? '' : ` ${x}`}: ${[...taken].map(([who, all]) => `${who} ${all.map(({ wall_s }) => wall_s.toFixed(2)).join(' ')}`).join('; ')}`,
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
          who: [
            ours(volume, set),
            ...(volume === 'cseg_sharded' ? [] : [floor(volume, set)]),
            ...tensorStore(volume, set),
          ],
        })),
      ),
    ),
  );
  const scales = args.quick ? [1e4, 1e6] : [1e3, 1e4, 1e5, 1e6, 1e7];
  await section(
    'scaling',
    scales.map((x) => ({
      volume: 'cseg_gzip',
      set: 'u1M',
      x,
      who: [
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
        who: [ours('cseg_gzip', 'u100k', '--concurrency', String(x))],
      })),
    ),
  );
  const again = (passes: number, who: Who): Who => ({
    ...who,
    parameters: [...who.parameters, '--again', String(passes)],
    phase: 'again',
  });
  const kept = args.quick ? ['cseg_gzip'] : ['cseg_gzip', 'raw_gzip'];
  await section(
    'steady',
    kept.map((volume) => ({
      volume,
      set: 'u100k',
      who: [ours(volume, 'u100k'), floor(volume, 'u100k'), ...tensorStore(volume, 'u100k')].map((who) =>
        again(9, who),
      ),
    })),
  );
  await section(
    'warm',
    kept.map((volume) => ({
      volume,
      set: 'u100k',
      who: [
        ours(volume, 'u100k', '--lru', '1e9', '--lru-encoding', 'compressed_segmentation'),
        ...tensorStore(volume, 'u100k', '--cache', '6e9'),
      ].map((who) => again(25, who)),
    })),
  );
  const slow = ['crackle_gzip', 'compresso_gzip'];
  await section(
    'decoding',
    slow.flatMap((volume) =>
      ['u10k', 'u100k'].map((set) => ({
        volume,
        set,
        who: [
          ours(volume, set),
          floor(volume, set),
          ...(python
            ? [
                {
                  name: 'C++ full decode',
                  command: python,
                  parameters: [join(HERE, 'peers/decode.py'), join(volumes, volume), join(volumes, set)],
                },
              ]
            : []),
        ],
      })),
    ),
  );
  if (python) {
    const cloudVolume = (volume: string, set: string, most: number): Who[] =>
      peer('CloudVolume, LRU 1 GB', volume, set, '--cache', '1e9').map((who) => ({ ...who, most }));
    const bare = (volume: string, set: string): Who[] =>
      peer('CloudVolume, no LRU', volume, set).map((who) => ({ ...who, most: 1 }));
    await section(
      'cloudvolume',
      ['cseg_gzip', 'crackle_gzip', 'compresso_gzip', 'raw_gzip'].map((volume) => ({
        volume,
        set: 'c10k',
        who: [
          ours(volume, 'c10k'),
          ...cloudVolume(volume, 'c10k', volume === 'raw_gzip' ? 1 : 3),
          ...bare(volume, 'c10k'),
        ],
      })),
    );
    await section(
      'cloudvolume-warm',
      ['cseg_gzip', 'crackle_gzip', 'compresso_gzip', 'raw_gzip'].map((volume) => ({
        volume,
        set: 'c10k',
        who: [
          again(9, ours(volume, 'c10k', '--lru', '1e9')),
          ...cloudVolume(volume, 'c10k', volume === 'raw_gzip' ? 1 : 3).map((who) => again(1, who)),
        ],
      })),
    );
    await section(
      'cloudvolume-100k',
      ['cseg_gzip', 'crackle_gzip'].map((volume) => ({
        volume,
        set: 'u100k',
        who: [ours(volume, 'u100k'), ...cloudVolume(volume, 'u100k', 1)],
      })),
    );
  }
} finally {
  server.stop();
}
