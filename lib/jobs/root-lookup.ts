/** Looks up the roots of the supervoxels of a table. */
import type { RootsResult } from '../points/result.ts';
import { idAnswerColumn } from '../tables/answers.ts';
import { findIdColumns, chooseStatusColumn } from './columns.ts';
import type { IdLookup } from './id-table.ts';
import { toLookupAnswers } from './point-lookup.ts';

/** The part of a graphene volume that the job needs. */
export interface RootVolume {
  now(): Date;
  roots(
    ids: BigUint64Array,
    options: RootJobOptions & { timestamp: Date; onError: 'status'; borrow: true; signal?: AbortSignal },
  ): Promise<RootsResult>;
}

interface RootJobOptions {
  /** The layer that is looked up instead of the root. */
  stopLayer?: number;
  /** Whether IDs that need no look-up are checked to be valid at the timestamp. */
  validate?: boolean;
}

/** Options of `createRootLookup`. */
export interface RootJob extends RootJobOptions {
  /** The timestamp of all roots. @default The volume's now at the first batch. */
  timestamp?: Date;
  /** The columns of the IDs. @default the column that `findIdColumn` finds */
  columns?: readonly string[];
}

/** Creates the look-up of the job `roots`. Its first batch fixes the timestamp. */
export function createRootLookup(
  volume: RootVolume,
  { timestamp, columns, ...options }: RootJob,
): IdLookup & { readonly timestamp: Date | undefined } {
  const { stopLayer } = options;
  let pinned = timestamp;
  return {
    idsPerLookup: 1,
    listName: columns?.[0] ?? 'supervoxel_id',
    get timestamp() {
      return pinned;
    },
    columns(found) {
      const idColumns = findIdColumns(found, 'supervoxel_id', columns);
      const outputs = idColumns.flatMap(({ prefix }) => {
        const node = `${prefix}${stopLayer === undefined ? 'root_id' : `l${stopLayer}_id`}`;
        return [
          node,
          chooseStatusColumn(
            found,
            prefix,
            'root_status',
            (status) => found.includes(node) || !found.includes(status),
          ),
        ];
      });
      return { ids: idColumns.map(({ name }) => name), outputs };
    },
    async lookUp({ ids: [ids] }, signal) {
      pinned ??= volume.now();
      const answer = await volume.roots(ids, {
        ...options,
        timestamp: pinned,
        onError: 'status',
        borrow: true,
        signal,
      });
      return toLookupAnswers(answer, [idAnswerColumn(answer.rootIds)]);
    },
  };
}
