/**
 * Updates roots that were looked up earlier to another timestamp. One request checks which distinct roots are
 * still roots, and only the supervoxels of the others are looked up again. This is safe because the
 * supervoxels of a root never change.
 */
import { TableError } from '../base/errors.ts';
import { wordsOf } from '../base/uint64.ts';
import { PointStatus } from '../points/status.ts';
import { idAnswerColumn } from '../tables/answers.ts';
import { holdsStatuses, findIdColumns, chooseStatusColumn } from './columns.ts';
import type { IdLookup } from './id-table.ts';
import type { RootVolume } from './root-lookup.ts';
import { findCurrentRoots, type IsLatest } from './current-roots.ts';

/** The part of a graphene volume that the job needs. */
export interface UpdateVolume extends RootVolume {
  isLatest: IsLatest;
}

/** Options of `createUpdateLookup`. */
export interface UpdateJob {
  /** The timestamp of all roots. @default The volume's now at the first batch. */
  timestamp?: Date;
  /** The columns of the supervoxels. @default the column that `findIdColumn` finds */
  columns?: readonly string[];
}

/** A look-up that updates roots, with what it found so far. */
export interface UpdateLookup extends IdLookup {
  readonly timestamp: Date | undefined;
  /** The number of rows so far whose root was replaced or removed. */
  readonly changed: number;
}

const { ok, background, suspect, rootFailed, notLookedUp } = PointStatus;

/** Bits: which old values a row keeps. */
const ROOT = 1,
  STATUS = 2;

/**
 * Keeps `suspect`: a new root does not make the supervoxel fit its point. A failed look-up is still reported
 * as failed.
 */
const stillSuspect = (status: number, earlier: number): number =>
  earlier === suspect && status !== rootFailed ? suspect : status;

/** Creates the look-up of the job `update`. Its first batch fixes the timestamp. */
export function createUpdateLookup(volume: UpdateVolume, { timestamp, columns }: UpdateJob): UpdateLookup {
  let pinned = timestamp;
  let changed = 0;
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
      return {
        ids: idColumns.flatMap(({ ids }) => ids),
        outputs: idColumns.flatMap(({ root, status }) => [root, status]),
        statuses,
        replace: true,
        mayReplaceInputs: true,
      };
    },
    async lookUp({ ids: [supervoxels, roots], presetStatus: [presetStatus], earlierStatus }, signal) {
      pinned ??= volume.now();
      // If the check of a root fails, its supervoxels are looked up.
      const { indices, isCurrent } = await findCurrentRoots(roots, volume.isLatest, pinned, signal);
      const words = wordsOf(supervoxels),
        status = new Uint8Array(roots.length),
        kept = new Uint8Array(roots.length).fill(ROOT | STATUS),
        mustLookUp = new Uint8Array(roots.length);
      let count = 0;
      for (let row = 0; row < status.length; row++) {
        const earlier = earlierStatus[row];
        if (presetStatus[row]) kept[row] = presetStatus[row] === notLookedUp ? ROOT | STATUS : ROOT;
        else if (words[2 * row] === 0 && words[2 * row + 1] === 0) status[row] = background;
        else if (isCurrent[indices[row]]) {
          status[row] = stillSuspect(ok, earlier);
          // The earlier status is outdated, such as a root_failed.
          if (earlier !== 0 && earlier !== status[row]) kept[row] = ROOT;
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
          kept[row] = earlierStatus[row] === suspect ? ROOT | STATUS : ROOT;
          return;
        }
        kept[row] = 0;
        out[row] = answer.rootIds[k];
        if (out[row] !== roots[row]) changed++;
      });
      return {
        columns: [idAnswerColumn(out)],
        status,
        stats: { ...answer.stats, points: roots.length },
        *errors() {
          for (const row of answer.rows()) yield { ...row, index: rows[row.index] };
        },
        keeps: (row, column) => (kept[row] & (column === 0 ? ROOT : STATUS)) !== 0,
      };
    },
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
