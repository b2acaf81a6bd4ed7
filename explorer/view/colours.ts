/**
 * Which colour each row has. The colours of roots are told apart with any colour vision.
 * Source: Okabe & Ito, "Color Universal Design", 2008; the yellow is darker on a light page.
 */
import { PointStatus } from '../../lib/points/status.ts';
import { Change, type Answers } from '../answers/answers.ts';
import type { RootCount } from '../answers/counts.ts';
import { statusName } from '../answers/status-words.ts';

/** Colours of roots, by number. The rest of the roots share one. */
export const ROOT_COLOURS = 8;

/** One group of rows with the same colour. Groups are drawn in order. */
export interface ColourGroup {
  /** A custom property of the style sheet. */
  readonly colour: string;
  readonly label: string;
}

/** The colour group of each row. */
export interface Colouring {
  readonly groups: readonly ColourGroup[];
  readonly groupOf: (row: number) => number;
}

const WAITING: ColourGroup = { colour: '--point-waiting', label: 'waiting' };

/** Keeps the colours of roots while rows fill in. */
export class RootColours {
  #slots = new Map<number, number>();

  /** Gives colours to the roots with the most rows. A root that had one keeps it. */
  assign(counts: readonly RootCount[]): ReadonlyMap<number, number> {
    const top = counts.slice(0, ROOT_COLOURS).map(({ root }) => root),
      kept = new Map(top.flatMap((root) => (this.#slots.has(root) ? [[root, this.#slots.get(root)!]] : [])));
    const free = Array.from({ length: ROOT_COLOURS }, (_, slot) => slot).filter(
      (slot) => ![...kept.values()].includes(slot),
    );
    for (const root of top) if (!kept.has(root)) kept.set(root, free.shift()!);
    this.#slots = kept;
    return kept;
  }

  slotOf(root: number): number | undefined {
    return this.#slots.get(root);
  }

  clear(): void {
    this.#slots.clear();
  }
}

/** Fades the rows that do not pass the filter of the table. */
export function fadeOthers({ groups, groupOf }: Colouring, rows: number, shown: Uint32Array): Colouring {
  if (shown.length === rows) return { groups, groupOf };
  const isShown = new Uint8Array(rows);
  for (const row of shown) isShown[row] = 1;
  return {
    groups: [{ colour: '--point-faint', label: 'filtered out' }, ...groups],
    groupOf: (row) => (isShown[row] === 1 ? groupOf(row) + 1 : 0),
  };
}

/** Colours rows by root: no root below, the other roots next, the roots with the most rows on top. */
export function colourByRoot(answers: Answers, slots: ReadonlyMap<number, number>): Colouring {
  const ids = [...slots].sort((a, b) => a[1] - b[1]);
  const groups: ColourGroup[] = [
    WAITING,
    { colour: '--point-none', label: answers.hasRoots ? 'no root' : 'no roots asked' },
    { colour: '--point-other', label: 'other roots' },
    ...ids.map(([root, slot]) => ({ colour: `--root-${slot}`, label: answers.roots.texts[root] })),
  ];
  const groupOfRoot = new Uint8Array(answers.roots.texts.length).fill(2);
  groupOfRoot[0] = 1;
  for (const [place, [root]] of ids.entries()) groupOfRoot[root] = 3 + place;
  return { groups, groupOf: (row) => (answers.status[row] === 0 ? 0 : groupOfRoot[answers.root[row]]) };
}

const STATUS_COLOURS = new Map<number, string>([
  [PointStatus.ok, '--status-ok'],
  [PointStatus.background, '--status-background'],
  [PointStatus.outOfBounds, '--status-outside'],
  [PointStatus.missingChunk, '--status-missing'],
  [PointStatus.failed, '--status-failed'],
  [PointStatus.rootFailed, '--status-failed'],
  [PointStatus.noRoot, '--status-no-root'],
  [PointStatus.suspect, '--status-suspect'],
  [PointStatus.staleSupervoxel, '--status-suspect'],
]);

/** The colour of a status. */
export const statusColour = (code: number): string =>
  code === 0 ? WAITING.colour : (STATUS_COLOURS.get(code) ?? '--status-missing');

/** Colours rows by status; rows whose root changed are on top. */
export function colourByStatus(answers: Answers, present: readonly number[]): Colouring {
  const codes = [0, ...present.filter((code) => code !== 0)];
  const groups = codes.map((code) => ({ colour: statusColour(code), label: statusName(code) }));
  groups.push({ colour: '--changed', label: 'ok, root changed' });
  const groupOfCode = new Uint8Array(256);
  for (const [group, code] of codes.entries()) groupOfCode[code] = group;
  const changed = codes.length;
  return {
    groups,
    groupOf: (row) => (answers.change[row] === Change.changed ? changed : groupOfCode[answers.status[row]]),
  };
}
