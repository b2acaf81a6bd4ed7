/**
 * Roots that were looked up earlier, brought to another moment: the distinct roots are asked whether they are valid then, and only the
 * supervoxels under those that are not are looked up again. A root has the same supervoxels as long as it is valid, so all others stay.
 */
import { TableError } from '../base/errors.ts';
import { wordsOf } from '../base/uint64.ts';
import { PointStatus } from '../points/status.ts';
import { idAnswerColumn } from '../tables/answers.ts';
import { holdsStatuses, findIdColumns, chooseStatusColumn } from './columns.ts';
import type { IdLookup } from './id-table.ts';
import type { RootVolume } from './root-lookup.ts';
import { findCurrentRoots, type IsLatest } from './current-roots.ts';

/** What the job needs of a graphene volume, beside its roots. */
export interface UpdateVolume extends RootVolume {
  isLatest: IsLatest;
}

export interface UpdateJob {
  timestamp?: Date;
  /** Columns of the supervoxels. @default the one that `idColumnIn` finds */
  columns?: readonly string[];
}

export interface UpdateLookup extends IdLookup {
  readonly timestamp: Date | undefined;
  /** Rows so far whose root is another one now, or gone. */
  readonly changed: number;
}

const { ok, background, suspect, rootFailed, notLookedUp } = PointStatus;

/** What a row keeps as it is. */
const ROOT = 1,
  STATUS = 2;

/** A supervoxel that does not belong to its point is no better with another root; what could not be looked up says so. */
const stillSuspect = (status: number, earlier: number): number =>
  earlier === suspect && status !== rootFailed ? suspect : status;

export function createUpdateLookup(volume: UpdateVolume, { timestamp, columns }: UpdateJob): UpdateLookup {
  let instant = timestamp;
  let changed = 0;
  return {
    idsPerLookup: 2,
    listName: 'supervoxel_id',
    get timestamp() {
      return instant;
    },
    get changed() {
      return changed;
    },
    columns(found, cellsOf) {
      const asked = findIdColumns(found, 'supervoxel_id', columns).map(({ name, prefix }) => {
        const root = `${prefix}root_id`;
        if (!found.includes(root)) throw noRoots(root, prefix, found);
        return {
          ids: [name, root],
          root,
          status: chooseStatusColumn(found, prefix, 'root_status', (status) =>
            holdsStatuses(cellsOf(status)),
          ),
        };
      });
      const statuses = asked.map(({ status }) => status);
      return {
        ids: asked.flatMap(({ ids }) => ids),
        outputs: asked.flatMap(({ root, status }) => [root, status]),
        statuses,
        replace: true,
        mayReplaceInputs: true,
      };
    },
    async lookUp({ ids: [supervoxels, roots], presetStatus: [given], earlierStatus: statuses }, signal) {
      instant ??= volume.now();
      // Where nobody can say whether a root stands, its supervoxels are looked up.
      const { indices: places, isCurrent: stands } = await findCurrentRoots(
        roots,
        volume.isLatest,
        instant,
        signal,
      );
      const words = wordsOf(supervoxels),
        status = new Uint8Array(roots.length),
        kept = new Uint8Array(roots.length).fill(ROOT | STATUS),
        again = new Uint8Array(roots.length);
      let count = 0;
      for (let row = 0; row < status.length; row++) {
        const earlier = statuses[row];
        if (given[row]) kept[row] = given[row] === notLookedUp ? ROOT | STATUS : ROOT;
        else if (words[2 * row] === 0 && words[2 * row + 1] === 0) status[row] = background;
        else if (stands[places[row]]) {
          status[row] = stillSuspect(ok, earlier);
          // such as the root_failed of an earlier run
          if (earlier !== 0 && earlier !== status[row]) kept[row] = ROOT;
        } else count += again[row] = 1;
      }
      const rows = new Uint32Array(count),
        asked = new BigUint64Array(count);
      for (let row = 0, k = 0; row < again.length; row++)
        if (again[row]) {
          rows[k] = row;
          asked[k++] = supervoxels[row];
        }
      const answer = await volume.roots(asked, {
        timestamp: instant,
        onError: 'status',
        borrow: true,
        signal,
      });
      const out = roots.slice();
      rows.forEach((row, k) => {
        status[row] = stillSuspect(answer.status[k], statuses[row]);
        if (status[row] === rootFailed) {
          // Nobody has said that the old root is wrong. What is suspect stays so in the table: a later run could not tell any more.
          kept[row] = statuses[row] === suspect ? ROOT | STATUS : ROOT;
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

/** Why a table has nothing to bring up to date. */
function noRoots(root: string, prefix: string, found: readonly string[]): TableError {
  const lower = found.find((name) => name.startsWith(prefix) && /^l\d+_id$/.test(name.slice(prefix.length)));
  const why =
    lower !== undefined
      ? `no column "${root}" but ${lower}, and update is for roots: \`roots --stop-layer ${/\d+(?=_id$)/.exec(lower)![0]} --replace\` looks those up again`
      : `no column "${root}" with earlier roots to bring up to date: \`roots\` looks them up; columns found: ${found.join(', ')}`;
  return new TableError('MISSING_COLUMN', why);
}
