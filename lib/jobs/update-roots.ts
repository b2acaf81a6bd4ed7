/**
 * Roots that were looked up earlier, brought to another moment: the distinct roots are asked whether they are valid then, and only the
 * supervoxels under those that are not are looked up again. A root has the same supervoxels as long as it is valid, so all others stay.
 */
import { TableError } from '../base/errors.ts';
import { wordsOf } from '../base/uint64.ts';
import { PointStatus } from '../points/status.ts';
import { idColumnIn } from './columns.ts';
import type { IdQuestion } from './id-table.ts';
import { rootColumn, type RootVolume } from './roots.ts';
import { standingOf, type IsLatest } from './standing.ts';

/** What the job needs of a graphene volume, beside its roots. */
export interface UpdateVolume extends RootVolume {
  isLatest: IsLatest;
}

export interface UpdateJob {
  timestamp?: Date;
  /** Column of the supervoxels. @default see `idColumnIn` */
  column?: string;
}

export interface UpdateQuestion extends IdQuestion {
  readonly timestamp: Date | undefined;
  /** Rows so far whose root is another one now, or gone. */
  readonly changed: number;
}

const { ok, background, rootFailed } = PointStatus;

export function updateQuestion(volume: UpdateVolume, { timestamp, column }: UpdateJob): UpdateQuestion {
  let instant = timestamp;
  let changed = 0;
  return {
    width: 2,
    listName: 'supervoxel_id',
    get timestamp() {
      return instant;
    },
    get changed() {
      return changed;
    },
    columns(found) {
      const { name, prefix } = idColumnIn(found, 'supervoxel_id', column), root = `${prefix}root_id`;
      if (!found.includes(root)) throw noRoots(root, prefix, found);
      return { ids: [name, root], outputs: [root, `${prefix}status`], replace: true, rereads: true };
    },
    async ask({ ids: [supervoxels, roots], given }, signal) {
      instant ??= volume.now();
      // Where nobody can say whether a root stands, its supervoxels are looked up.
      const { places, stands } = await standingOf(roots, volume.isLatest, instant, signal);
      const words = wordsOf(supervoxels), status = new Uint8Array(roots.length), again = new Uint8Array(roots.length);
      let count = 0;
      for (let row = 0; row < status.length; row++) {
        if (given[row]) status[row] = given[row];
        else if (words[2 * row] === 0 && words[2 * row + 1] === 0) status[row] = background;
        else if (stands[places[row]]) status[row] = ok;
        else count += again[row] = 1;
      }
      const rows = new Uint32Array(count), asked = new BigUint64Array(count);
      for (let row = 0, k = 0; row < again.length; row++)
        if (again[row]) {
          rows[k] = row;
          asked[k++] = supervoxels[row];
        }
      const answer = await volume.roots(asked, { timestamp: instant, onError: 'status', borrow: true, signal });
      const out = roots.slice();
      rows.forEach((row, k) => {
        out[row] = answer.rootIds[k];
        status[row] = answer.status[k];
        if (out[row] !== roots[row] && status[row] !== rootFailed) changed++;
      });
      return {
        columns: [rootColumn(out)], status,
        stats: { ...answer.stats, points: roots.length },
        *errors() {
          for (const row of answer.rows()) yield { ...row, index: rows[row.index] };
        },
        keeps: (row) => again[row] === 0 && given[row] !== PointStatus.invalidId,
      };
    },
  };
}

/** Why a table has nothing to bring up to date. */
function noRoots(root: string, prefix: string, found: readonly string[]): TableError {
  const lower = found.find((name) => name.startsWith(prefix) && /^l\d+_id$/.test(name.slice(prefix.length)));
  const why = lower !== undefined
    ? `no column "${root}" but ${lower}, and update is for roots: \`roots --stop-layer ${/\d+(?=_id$)/.exec(lower)![0]} --replace\` looks those up again`
    : `no column "${root}" with earlier roots to bring up to date: \`roots\` looks them up; columns found: ${found.join(', ')}`;
  return new TableError('MISSING_COLUMN', why);
}
