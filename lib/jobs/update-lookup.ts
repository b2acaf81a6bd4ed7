/**
 * Updates roots that were looked up earlier to another timestamp. One request checks which distinct roots are
 * still roots, and only the supervoxels of the others are looked up again. This is safe because the
 * supervoxels of a root never change. A supervoxel that was split has no root any more: where the row has a
 * point, its voxel is read again.
 */
import { TableError } from '../base/errors.ts';
import { wordsOf } from '../base/uint64.ts';
import type { PointsResult } from '../points/result.ts';
import { PointStatus } from '../points/status.ts';
import { idAnswerColumn } from '../tables/answers.ts';
import {
  holdsStatuses,
  findIdColumns,
  findPointColumns,
  chooseStatusColumn,
  requireColumns,
} from './columns.ts';
import type { IdLookup, IdRows } from './id-table.ts';
import type { RootVolume } from './root-lookup.ts';
import { findCurrentRoots, type IsLatest } from './current-roots.ts';

/** The part of a graphene volume that the job needs. */
export interface UpdateVolume extends RootVolume {
  isLatest: IsLatest;
  /** Reads the supervoxels at points, and their roots. Only with `positions`. */
  readPoints?: (
    points: Float64Array,
    options: { timestamp: Date; onError: 'status'; borrow: true; signal?: AbortSignal },
  ) => Promise<Pick<PointsResult, 'supervoxelIds' | 'rootIds' | 'status' | 'rows'>>;
}

/** Options of `createUpdateLookup`. */
export interface UpdateJob {
  /** The timestamp of all roots. @default The volume's now at the first batch. */
  timestamp?: Date;
  /** The columns of the supervoxels. @default the column that `findIdColumn` finds */
  columns?: readonly string[];
  /**
   * The columns of the points, one for each column of supervoxels, in the same order: a name, or those of three
   * columns. The voxels of supervoxels that were split are read again.
   * @default no voxel is read
   */
  positions?: readonly (string | readonly [string, string, string])[];
  /** Receives a warning about supervoxels that were split, once. */
  warn?: (message: string) => void;
}

/** A look-up that updates roots, with what it found so far. */
export interface UpdateLookup extends IdLookup {
  readonly timestamp: Date | undefined;
  /** The number of rows so far whose root was replaced or removed. */
  readonly changed: number;
}

const { ok, background, suspect, failed, rootFailed, notLookedUp, staleSupervoxel } = PointStatus;

/** Bits: which old values a row keeps. */
const ROOT = 1,
  STATUS = 2,
  SUPERVOXEL = 4;

/**
 * Keeps `suspect`: a new root does not make the supervoxel fit its point. A failed look-up and a supervoxel that
 * was split are still reported.
 */
const stillSuspect = (status: number, earlier: number): number =>
  earlier === suspect && status !== rootFailed && status !== staleSupervoxel ? suspect : status;

/** Creates the look-up of the job `update`. Its first batch fixes the timestamp. */
export function createUpdateLookup(
  volume: UpdateVolume,
  { timestamp, columns, positions, warn = () => undefined }: UpdateJob,
): UpdateLookup {
  let pinned = timestamp;
  let changed = 0;
  let warned = false;
  const warnOnce = (): void => {
    if (!warned) warn(positions ? STALE_WITHOUT_POINT : STALE);
    warned = true;
  };
  return {
    idsPerLookup: 2,
    listName: 'supervoxel_id',
    get timestamp() {
      return pinned;
    },
    get changed() {
      return changed;
    },
    columns(found, cellsOf) {
      const idColumns = findIdColumns(found, 'supervoxel_id', columns).map(({ name, prefix }) => {
        const root = `${prefix}root_id`;
        if (!found.includes(root)) throw missingRootsError(root, prefix, found);
        return {
          ids: [name, root],
          root,
          status: chooseStatusColumn(found, prefix, 'root_status', (status) =>
            holdsStatuses(cellsOf(status)),
          ),
        };
      });
      const statuses = idColumns.map(({ status }) => status);
      if (positions && positions.length !== idColumns.length)
        throw new TableError(
          'MISSING_COLUMN',
          `${positions.length} positions for ${idColumns.length} columns of supervoxels: name one for each, in the same order`,
        );
      return {
        ids: idColumns.flatMap(({ ids }) => ids),
        points: positions?.map((position) =>
          typeof position === 'string' ? findPointColumns(found, position) : requireColumns(found, position),
        ),
        outputs: idColumns.flatMap(({ ids: [supervoxel], root, status }) => [
          ...(positions ? [supervoxel] : []),
          root,
          status,
        ]),
        statuses,
        replace: true,
        mayReplaceInputs: true,
      };
    },
    async lookUp(rowsOfBatch, signal) {
      const {
        ids: [supervoxels, roots],
        presetStatus: [presetStatus],
        earlierStatus,
      } = rowsOfBatch;
      pinned ??= volume.now();
      // If the check of a root fails, its supervoxels are looked up.
      const { indices, isCurrent } = await findCurrentRoots(roots, volume.isLatest, pinned, signal);
      const words = wordsOf(supervoxels),
        status = new Uint8Array(roots.length),
        kept = new Uint8Array(roots.length).fill(SUPERVOXEL | ROOT | STATUS),
        mustLookUp = new Uint8Array(roots.length);
      let count = 0;
      for (let row = 0; row < status.length; row++) {
        const earlier = earlierStatus[row];
        if (presetStatus[row])
          kept[row] = SUPERVOXEL | (presetStatus[row] === notLookedUp ? ROOT | STATUS : ROOT);
        else if (words[2 * row] === 0 && words[2 * row + 1] === 0) status[row] = background;
        else if (isCurrent[indices[row]]) {
          status[row] = stillSuspect(ok, earlier);
          // The earlier status is outdated, such as a root_failed.
          if (earlier !== 0 && earlier !== status[row]) kept[row] = SUPERVOXEL | ROOT;
        } else count += mustLookUp[row] = 1;
      }
      const rows = new Uint32Array(count),
        supervoxelsToLookUp = new BigUint64Array(count);
      for (let row = 0, k = 0; row < mustLookUp.length; row++)
        if (mustLookUp[row]) {
          rows[k] = row;
          supervoxelsToLookUp[k++] = supervoxels[row];
        }
      const answer = await volume.roots(supervoxelsToLookUp, {
        timestamp: pinned,
        onError: 'status',
        borrow: true,
        signal,
      });
      const out = roots.slice();
      rows.forEach((row, k) => {
        status[row] = stillSuspect(answer.status[k], earlierStatus[row]);
        if (status[row] === rootFailed) {
          // The old root may still be right, so it stays. A suspect status stays too: a later run could not
          // find it again.
          kept[row] = SUPERVOXEL | (earlierStatus[row] === suspect ? ROOT | STATUS : ROOT);
          return;
        }
        kept[row] = SUPERVOXEL;
        out[row] = answer.rootIds[k];
      });
      const newSupervoxels = positions && supervoxels.slice(),
        reread = await rereadStale(volume, rowsOfBatch, { status, timestamp: pinned, signal });
      reread.rows.forEach((row, k) => {
        const { supervoxelIds, rootIds, status: found } = reread.answer!;
        status[row] = found[k];
        out[row] = rootIds[k];
        newSupervoxels![row] = supervoxelIds[k];
        kept[row] = status[row] === failed ? SUPERVOXEL : 0;
      });
      if (status.includes(staleSupervoxel)) warnOnce();
      for (const row of rows) if (status[row] !== rootFailed && out[row] !== roots[row]) changed++;
      const columnBits = [...(newSupervoxels ? [SUPERVOXEL] : []), ROOT, STATUS];
      return {
        columns: [newSupervoxels, out].filter((ids) => ids !== undefined).map(idAnswerColumn),
        status,
        stats: { ...answer.stats, points: roots.length },
        *errors() {
          for (const row of answer.rows()) yield { ...row, index: rows[row.index] };
          if (reread.answer)
            for (const row of reread.answer.rows()) yield { ...row, index: reread.rows[row.index] };
        },
        keeps: (row, column) => (kept[row] & columnBits[column]) !== 0,
      };
    },
  };
}

const STALE =
    'supervoxels were split, and no root is valid for their IDs: these rows are stale_supervoxel, without a root. Pass --position or --columns to read their voxels again',
  STALE_WITHOUT_POINT =
    'supervoxels were split in rows that have no position to read again: these rows are stale_supervoxel, without a root';

/** Reads the voxels of rows whose supervoxel was split, where they have a point. */
async function rereadStale(
  volume: UpdateVolume,
  { points, pointStatus }: IdRows,
  { status, timestamp, signal }: { status: Uint8Array; timestamp: Date; signal: AbortSignal | undefined },
): Promise<{
  rows: readonly number[];
  answer?: Awaited<ReturnType<NonNullable<UpdateVolume['readPoints']>>>;
}> {
  const rows: number[] = [];
  for (let row = 0; row < pointStatus.length; row++)
    if (status[row] === staleSupervoxel && pointStatus[row] === 0) rows.push(row);
  if (rows.length === 0 || !volume.readPoints) return { rows: [] };
  const own = new Float64Array(3 * rows.length);
  for (const [k, row] of rows.entries()) own.set(points.subarray(3 * row, 3 * row + 3), 3 * k);
  return {
    rows,
    answer: await volume.readPoints(own, { timestamp, onError: 'status', borrow: true, signal }),
  };
}

/** Makes the error for a table without roots to update. */
function missingRootsError(root: string, prefix: string, found: readonly string[]): TableError {
  const lower = found.find((name) => name.startsWith(prefix) && /^l\d+_id$/.test(name.slice(prefix.length)));
  const why =
    lower !== undefined
      ? `no column "${root}", only ${lower}: update is for roots; \`roots --stop-layer ${/\d+(?=_id$)/.exec(lower)![0]} --replace\` looks up ${lower} again`
      : `no column "${root}" with earlier roots to update: \`roots\` looks them up; columns found: ${found.join(', ')}`;
  return new TableError('MISSING_COLUMN', why);
}
