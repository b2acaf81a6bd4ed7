/**
 * Roots that were looked up earlier, brought to another moment: the distinct roots are asked whether they are valid then, and only the
 * supervoxels under those that are not are looked up again. A root has the same supervoxels as long as it is valid, so all others stay.
 */
import { wordsOf } from '../base/uint64.ts';
import { IdIndex } from '../chunkedgraph/id-index.ts';
import { PointStatus } from '../points/status.ts';
import { idColumnIn } from './columns.ts';
import type { IdQuestion } from './id-table.ts';
import { rootColumn, type RootVolume } from './roots.ts';

/** What the job needs of a graphene volume, beside its roots. */
export interface UpdateVolume extends RootVolume {
  /** One an ID: whether it is a root at the moment, that millisecond's edits included. */
  isLatest(roots: BigUint64Array, timestamp: Date, signal?: AbortSignal): Promise<readonly boolean[]>;
}

export interface UpdateJob {
  timestamp?: Date;
  /** Column of the supervoxels. @default see `idColumnIn` */
  column?: string;
}

export interface UpdateQuestion extends IdQuestion {
  readonly timestamp: Date | undefined;
  /** Rows so far whose root is another one now. */
  readonly changed: number;
}

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
      const { name, prefix } = idColumnIn(found, 'supervoxel_id', column);
      return { ids: [name, `${prefix}root_id`], outputs: [`${prefix}root_id`, `${prefix}status`], replace: true, rereads: true };
    },
    async ask([supervoxels, roots], invalid, signal) {
      instant ??= volume.now();
      const standing = await whichStand(roots, (distinct) => volume.isLatest(distinct, instant!, signal));
      const status = new Uint8Array(roots.length).fill(PointStatus.ok), asked: number[] = [];
      const words = wordsOf(supervoxels);
      for (let row = 0; row < status.length; row++) {
        if (invalid.has(row)) status[row] = PointStatus.invalidId;
        else if (words[2 * row] === 0 && words[2 * row + 1] === 0) status[row] = PointStatus.notLookedUp;
        else if (!standing(row)) asked.push(row);
      }
      const answer = await volume.roots(BigUint64Array.from(asked, (row) => supervoxels[row]), { timestamp: instant, onError: 'status', signal });
      const out = roots.slice(), again = new Uint8Array(roots.length);
      asked.forEach((row, k) => {
        out[row] = answer.rootIds[k];
        status[row] = answer.status[k];
        again[row] = 1;
        if (out[row] !== roots[row]) changed++;
      });
      return {
        columns: [rootColumn(out)], status,
        stats: { ...answer.stats, points: roots.length },
        *errors() {
          for (const row of answer.rows()) yield { ...row, index: asked[row.index] };
        },
        keeps: (row) => again[row] === 0 && !invalid.has(row),
      };
    },
  };
}

/** Asks for each root once. @returns whether that of a row is still valid; false where it has none. */
async function whichStand(roots: BigUint64Array, ask: (distinct: BigUint64Array) => Promise<readonly boolean[]>): Promise<(row: number) => boolean> {
  const index = new IdIndex(), words = wordsOf(roots), ordinals = new Int32Array(roots.length).fill(-1);
  for (let row = 0; row < roots.length; row++) if (words[2 * row] !== 0 || words[2 * row + 1] !== 0) ordinals[row] = index.add(words[2 * row], words[2 * row + 1]);
  if (index.size === 0) return () => false;
  const distinct = index.sorted(), latest = await ask(distinct);
  const stands = new Uint8Array(index.size), sorted = wordsOf(distinct);
  latest.forEach((valid, k) => (stands[index.find(sorted[2 * k], sorted[2 * k + 1])] = valid ? 1 : 0));
  return (row) => ordinals[row] >= 0 && stands[ordinals[row]] === 1;
}
