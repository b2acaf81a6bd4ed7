/** The answers of all rows, in columns. IDs are decimal texts, each kept once. */
import { statusCode, statusText } from '../../lib/points/status.ts';

/** Index of a row that has no ID. */
export const NO_ID = 0;

/** Distinct IDs, by a number of their own. 0 is no ID. */
export class IdList {
  readonly texts: string[] = [''];
  readonly #indices = new Map<string, number>();

  /** Returns the number of an ID. No ID and `"0"` are 0. */
  add(id: string | null | undefined): number {
    if (id === null || id === undefined || id === '0') return NO_ID;
    let index = this.#indices.get(id);
    if (index === undefined) {
      index = this.texts.length;
      this.texts.push(id);
      this.#indices.set(id, index);
    }
    return index;
  }

  indexOf(id: string): number | undefined {
    return this.#indices.get(id);
  }
}

/** The answer to one request: what `POST /v1/{name}/points` sends. */
export interface PointsAnswer {
  readonly timestamp?: string | null;
  readonly supervoxel_id: readonly (string | null)[];
  readonly root_id?: readonly (string | null)[];
  readonly status: readonly string[];
}

/** Whether a row was compared with a second timestamp, and what came out. */
export const Change = { unknown: 0, same: 1, changed: 2 } as const;

export class Answers {
  readonly supervoxels = new IdList();
  readonly roots = new IdList();
  /** The status code of each row; 0 while it waits. */
  readonly status: Uint8Array;
  /** The number of each row's supervoxel in {@link supervoxels}. */
  readonly supervoxel: Uint32Array;
  /** The number of each row's root in {@link roots}. */
  readonly root: Uint32Array;
  /** The number of each row's root at the second timestamp. */
  readonly otherRoot: Uint32Array;
  /** A value of {@link Change} for each row. */
  readonly change: Uint8Array;
  /** Rows that have an answer. */
  answered = 0;
  hasRoots = false;

  constructor(readonly rows: number) {
    this.status = new Uint8Array(rows);
    this.supervoxel = new Uint32Array(rows);
    this.root = new Uint32Array(rows);
    this.otherRoot = new Uint32Array(rows);
    this.change = new Uint8Array(rows);
  }

  /** Puts the answer of a request at its rows. @throws TypeError if it does not answer each row. */
  set(rows: Uint32Array, answer: PointsAnswer): void {
    const { supervoxel_id: supervoxels, root_id: roots, status } = answer;
    for (const [name, list] of Object.entries({ supervoxel_id: supervoxels, root_id: roots, status }))
      if (list === undefined ? name !== 'root_id' : !Array.isArray(list) || list.length !== rows.length)
        throw new TypeError(
          `The service sent an answer whose ${name} does not match the ${rows.length} points.`,
        );
    if (roots) this.hasRoots = true;
    for (const [k, row] of rows.entries()) {
      if (this.status[row] === 0) this.answered++;
      this.status[row] = statusCode(status[k]) ?? 255;
      this.supervoxel[row] = this.supervoxels.add(supervoxels[k]);
      if (roots) this.root[row] = this.roots.add(roots[k]);
    }
  }

  supervoxelText(row: number): string {
    return this.supervoxels.texts[this.supervoxel[row]];
  }

  rootText(row: number): string {
    return this.roots.texts[this.root[row]];
  }

  otherRootText(row: number): string {
    return this.roots.texts[this.otherRoot[row]];
  }

  statusText(row: number): string {
    return this.status[row] === 0 ? 'waiting' : statusText(this.status[row]);
  }
}
