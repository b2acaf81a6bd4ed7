/** Roots of a table's supervoxels. */
import type { RootsResult } from '../points/result.ts';
import type { ValueArray } from '../precomputed/data-type.ts';
import { idColumnIn } from './columns.ts';
import type { IdQuestion } from './id-table.ts';
import type { AnswerColumn } from './lookup.ts';

/** What a job needs of a graphene volume. */
export interface RootVolume {
  now(): Date;
  roots(ids: BigUint64Array, options: RootJobOptions & { timestamp: Date; onError: 'status'; borrow: true; signal?: AbortSignal }): Promise<RootsResult>;
}

interface RootJobOptions {
  /** Layer asked for instead of the root. */
  stopLayer?: number;
  /** Whether IDs that need no look-up are checked to be valid at the moment. */
  validate?: boolean;
}

export interface RootJob extends RootJobOptions {
  /** @default the volume's now, taken once, for the first batch */
  timestamp?: Date;
  /** Column of the IDs. @default see `idColumnIn` */
  column?: string;
}

export function rootQuestion(volume: RootVolume, { timestamp, column, ...options }: RootJob): IdQuestion & { readonly timestamp: Date | undefined } {
  const { stopLayer } = options;
  let instant = timestamp;
  return {
    width: 1,
    listName: column ?? 'supervoxel_id',
    get timestamp() {
      return instant;
    },
    columns(found) {
      const { name, prefix } = idColumnIn(found, 'supervoxel_id', column);
      return { ids: [name], outputs: [`${prefix}${stopLayer === undefined ? 'root_id' : `l${stopLayer}_id`}`, `${prefix}status`] };
    },
    async ask({ ids: [ids], given }, signal) {
      instant ??= volume.now();
      const answer = await volume.roots(ids, { ...options, timestamp: instant, onError: 'status', borrow: true, signal });
      for (let row = 0; row < given.length; row++) answer.status[row] = given[row] || answer.status[row];
      return { columns: [rootColumn(answer.rootIds)], status: answer.status, stats: answer.stats, errors: () => answer.rows() };
    },
  };
}

export const rootColumn = (roots: BigUint64Array): AnswerColumn => ({ values: roots as ValueArray, stride: 1, offset: 0, zeroIsNone: true });
