/**
 * The cases on over-segmented volumes with an offset origin, in chunks of 64 x 64 x 64 and 256 x 256 x 64:
 * many small chunks cost requests, few large ones cost bytes.
 */
import { WORKERS, type Program, type Programs } from './programs.ts';

/** One case: the programs that read one set of points from one volume take turns. */
export interface Case {
  volume: string;
  set: string;
  /** Wait of the server before every reply. @default 0 */
  latencyMs?: number;
  /** The value that the section varies. */
  x?: number;
  programs: Program[];
}

const SMALL = ['cseg64_gzip', 'raw64_gzip', 'cseg64_sharded', 'crackle64_gzip'];

/** Returns the cases of each section, by its name. The quick ones need only the volumes of volumes.ts. */
export function chunkSizeCases(programs: Programs, quick: boolean): Record<string, Case[]> {
  const { ours, oursWith, floor, floorOfTwo, tensorStore } = programs;
  const few = quick ? ['c10k', 'u100k'] : ['a30k', 'u300k'];
  const at = (latencyMs: number, volume: string, set: string, ...more: Program[]): Case => ({
    volume,
    set,
    latencyMs,
    programs: [
      ours(volume, set),
      ...more,
      ...floor(volume, set),
      ...floorOfTwo(volume, set),
      ...tensorStore(volume, set),
    ],
  });
  const all = quick ? ['cseg64_gzip'] : [...SMALL, 'cseg256_gzip'];
  return {
    'chunk-size': all.flatMap((volume) =>
      (volume === 'cseg64_gzip' && !quick ? ['a30k', 'u30k', 'u300k', 'u3M'] : few).map((set) =>
        at(0, volume, set),
      ),
    ),
    'chunk-size-far': quick
      ? []
      : [
          ...SMALL.flatMap((volume) => few.map((set) => at(20, volume, set))),
          ...[50, 100].map((latencyMs) =>
            at(latencyMs, 'cseg64_gzip', 'a30k', {
              ...ours('cseg64_gzip', 'a30k', '--concurrency', '32'),
              name: 'graphene-points, 32 reads in flight',
            }),
          ),
        ],
    workers: (quick ? ['cseg64_gzip'] : SMALL).flatMap((volume) =>
      few.map((set) => at(0, volume, set, ...WORKERS.map((workers) => oursWith(workers, volume, set)))),
    ),
  };
}
