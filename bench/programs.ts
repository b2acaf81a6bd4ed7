/** The programs that the benchmarks of points compare: graphene-points, the floor and the peers. */
import { join, resolve } from 'node:path';
import { HERE } from './harness.ts';

/** A program to measure, with one set of options. */
export interface Program {
  name: string;
  command: string;
  parameters: string[];
  /** Which part of its output counts; `cold` by default. */
  phase?: 'cold' | 'again';
  /** Limits the runs of a slow program. */
  maxRuns?: number;
}

/** Makes the programs that read a set of points from a volume. A list is empty where a program cannot read it. */
export interface Programs {
  ours: (volume: string, set: string, ...more: string[]) => Program;
  /** graphene-points with a number of workers. */
  oursWith: (workers: number, volume: string, set: string) => Program;
  floor: (volume: string, set: string) => Program[];
  /** The floor with two worker threads. */
  floorOfTwo: (volume: string, set: string) => Program[];
  tensorStore: (volume: string, set: string, ...more: string[]) => Program[];
  /** The list is empty without a Python. */
  peer: (name: string, volume: string, set: string, ...more: string[]) => Program[];
  /** The C++ codecs, whole chunks, on all cores. */
  codecs: (volume: string, set: string) => Program[];
}

/** The numbers of workers that the benchmarks compare. */
export const WORKERS = [0, 1, 2, 3, 4];

/**
 * @param base URL of the server.
 * @param volumes Folder of the volumes. The names of point sets are paths from there.
 * @param python Python of the peers.
 */
export function makePrograms(base: string, volumes: string, python?: string): Programs {
  const shared = (volume: string, set: string): string[] => [
    '--base',
    base,
    '--volume',
    volume,
    '--points',
    resolve(volumes, set),
  ];
  const node = (name: string, file: string, parameters: string[]): Program => ({
    name,
    command: process.execPath,
    parameters: [join(HERE, file), ...parameters],
  });
  const peer: Programs['peer'] = (name, volume, set, ...more) =>
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
  const ours: Programs['ours'] = (volume, set, ...more) =>
    node('graphene-points', 'measure.mjs', [...shared(volume, set), ...more]);
  const hasFloor = (volume: string): boolean => !volume.endsWith('sharded');
  return {
    ours,
    oursWith: (workers, volume, set) => ({
      ...ours(volume, set, '--workers', String(workers)),
      name: `graphene-points, ${workers} worker${workers === 1 ? '' : 's'}`,
    }),
    floor: (volume, set) => (hasFloor(volume) ? [node('floor', 'floor.mjs', shared(volume, set))] : []),
    floorOfTwo: (volume, set) =>
      hasFloor(volume)
        ? [node('floor, 2 workers', 'floor.mjs', [...shared(volume, set), '--workers', '2'])]
        : [],
    tensorStore: (volume, set, ...more) =>
      /^(cseg|raw)/.test(volume) ? peer('TensorStore', volume, set, ...more) : [],
    peer,
    codecs: (volume, set) =>
      python
        ? [
            {
              name: 'C++ full decode',
              command: python,
              parameters: [join(HERE, 'peers/decode.py'), join(volumes, volume), resolve(volumes, set)],
            },
          ]
        : [],
  };
}

/** The same program; the median of further passes in the same process counts. */
export const repeat = (passes: number, program: Program): Program => ({
  ...program,
  parameters: [...program.parameters, '--again', String(passes)],
  phase: 'again',
});
