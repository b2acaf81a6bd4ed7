/** Roots of a table's supervoxels. */
import type { RootsResult } from '../points/result.ts';
import { idAnswerColumn } from '../tables/answers.ts';
import { findIdColumns, chooseStatusColumn } from './columns.ts';
import type { IdLookup } from './id-table.ts';
import { toLookupAnswers } from './point-lookup.ts';

/** What a job needs of a graphene volume. */
export interface RootVolume {
  now(): Date;
  roots(
    ids: BigUint64Array,
    options: RootJobOptions & { timestamp: Date; onError: 'status'; borrow: true; signal?: AbortSignal },
  ): Promise<RootsResult>;
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
  /** Columns of the IDs. @default the one that `idColumnIn` finds */
  columns?: readonly string[];
}

export function createRootLookup(
  volume: RootVolume,
  { timestamp, columns, ...options }: RootJob,
): IdLookup & { readonly timestamp: Date | undefined } {
  const { stopLayer } = options;
  let instant = timestamp;
  return {
    idsPerLookup: 1,
    listName: columns?.[0] ?? 'supervoxel_id',
    get timestamp() {
      return instant;
    },
    columns(found) {
      const asked = findIdColumns(found, 'supervoxel_id', columns);
      const outputs = asked.flatMap(({ prefix }) => {
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
      return { ids: asked.map(({ name }) => name), outputs };
    },
    async lookUp({ ids: [ids] }, signal) {
      instant ??= volume.now();
      const answer = await volume.roots(ids, {
        ...options,
        timestamp: instant,
        onError: 'status',
        borrow: true,
        signal,
      });
      return toLookupAnswers(answer, [idAnswerColumn(answer.rootIds)]);
    },
  };
}
