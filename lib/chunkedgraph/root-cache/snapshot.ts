/**
 * Saves and loads the facts of a root cache: a header, the roots, the pairs of a supervoxel and a root, and
 * the totals of both. All numbers in arrays are little-endian. A file is read twice, first to check it and
 * then to load it, so a file with an error changes nothing. A file is trusted like the server: a person who
 * can write it can invent roots.
 */
import type { FileHandle } from 'node:fs/promises';
import * as z from 'zod/mini';
import { SnapshotError } from '../../base/errors.ts';
import { toPrintable } from '../../base/printable.ts';
import { firstIssue, safeParse } from '../../base/schema.ts';
import type { IdLayout } from '../ids/id-layout.ts';
import { openFrames, readFrames, writeFrames } from './frames.ts';
import { timestampOfNoRoot, SUPERVOXEL_LAYER, type RootFacts } from './root-facts.ts';
import { ROOT_ROW_BYTES, type RootTableRow } from './root-table.ts';
import { CREATED } from './root-state.ts';

const MAGIC = new TextEncoder().encode('GPROOTS\n');
const VERSION = 1;
const ROOTS_PER_FRAME = 32_768,
  PAIRS_PER_FRAME = 65_536;
/** Bytes per pair: a supervoxel, and the number of its root in the file. */
const PAIR_BYTES = 12;

const bytes = (size: number, most: number) =>
  z
    .instanceof(Uint8Array)
    .check(
      z.refine(
        (array) => array.length % size === 0 && array.length <= size * most,
        `expected at most ${most} items of ${size} bytes`,
      ),
    );

const opening = z.object({ kind: z.literal('header'), version: z.int().check(z.positive()) });
const header = z.extend(opening, { graph: z.string(), nLayers: z.int(), savedMs: z.int() });
const frames = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('roots'), rows: bytes(ROOT_ROW_BYTES, ROOTS_PER_FRAME) }),
  z.strictObject({ kind: z.literal('pairs'), pairs: bytes(PAIR_BYTES, PAIRS_PER_FRAME) }),
  z.strictObject({ kind: z.literal('end'), roots: z.int(), pairs: z.int() }),
]);

/** The header of a file. */
export interface SnapshotHeader {
  /** The graph: server and table. */
  graph: string;
  nLayers: number;
  /** When the file was saved, in ms since 1970. */
  savedMs: number;
}

/**
 * Saves the facts. Facts that are added during the save may be left out.
 *
 * @throws SnapshotError IO.
 */
export const saveSnapshot = (file: string, facts: RootFacts, head: SnapshotHeader): Promise<void> =>
  writeFrames(file, MAGIC, framesOf(facts, head));

/** The graph that a file must belong to, and the current time. */
export interface SnapshotTarget {
  graph: string;
  nLayers: number;
  ids: IdLayout;
  nowMs: number;
}

/**
 * Loads the facts of a file.
 *
 * @returns The number of pairs that were added.
 * @throws SnapshotError NOT_FOUND, DAMAGED, FOREIGN, UNSUPPORTED, IO.
 */
export async function loadSnapshot(file: string, facts: RootFacts, target: SnapshotTarget): Promise<number> {
  const handle = await openFrames(file);
  try {
    let rows = 0;
    for await (const frame of checkedFrames(handle, file, target))
      if (frame.kind === 'roots') rows += frame.rows.length / ROOT_ROW_BYTES;
    return await addFrames(checkedFrames(handle, file, target), new Int32Array(rows), facts, target.nowMs);
  } finally {
    await handle.close();
  }
}

function* framesOf({ roots, members }: RootFacts, head: SnapshotHeader): Iterable<unknown> {
  // The roots are copied at once. A pair stays true later, as long as its row still belongs to that root.
  const copied = roots.copyRows(),
    words = new Uint32Array(copied.buffer),
    wordsOfRow = ROOT_ROW_BYTES / 4;
  yield { kind: 'header', version: VERSION, ...head };
  for (let at = 0; at < copied.byteLength; at += ROOTS_PER_FRAME * ROOT_ROW_BYTES)
    yield {
      kind: 'roots',
      rows: new Uint8Array(copied.buffer).subarray(at, at + ROOTS_PER_FRAME * ROOT_ROW_BYTES),
    };
  const frame = new Uint32Array(3 * PAIRS_PER_FRAME);
  const filled = (count: number): unknown => ({
    kind: 'pairs',
    pairs: new Uint8Array(frame.buffer, 0, PAIR_BYTES * count),
  });
  let count = 0,
    pairs = 0;
  for (let slot = 0; slot < members.slots; slot++) {
    const row = members.rootAt(slot);
    if (row < 0) continue;
    const low = roots.lowOf(row),
      high = roots.highOf(row);
    if ((low === 0 && high === 0) || words[wordsOfRow * row] !== low || words[wordsOfRow * row + 1] !== high)
      continue;
    frame[3 * count] = members.lowAt(slot);
    frame[3 * count + 1] = members.highAt(slot);
    frame[3 * count + 2] = row;
    pairs++;
    if (++count < PAIRS_PER_FRAME) continue;
    yield filled(count);
    count = 0;
  }
  if (count > 0) yield filled(count);
  yield { kind: 'end', roots: copied.byteLength / ROOT_ROW_BYTES, pairs };
}

type Frame = Exclude<z.infer<typeof frames>, { kind: 'end' }>;

/** Reads the roots and pairs, and checks each. @throws SnapshotError. */
async function* checkedFrames(
  handle: FileHandle,
  file: string,
  target: SnapshotTarget,
): AsyncGenerator<Frame> {
  const check = <T>(schema: z.core.$ZodType<T>, frame: unknown, what: string): T => {
    const parsed = safeParse(schema, frame);
    if (!parsed.success) throw new SnapshotError('DAMAGED', `${file}: ${what}: ${firstIssue(parsed.error)}`);
    return parsed.data;
  };
  let number = 0,
    roots = 0,
    pairs = 0,
    ended = false;
  let savedMs = 0;
  for await (const read of readFrames(handle, file, MAGIC)) {
    const what = `frame ${number}`;
    if (ended) throw new SnapshotError('DAMAGED', `${file}: ${what} comes after the end`);
    if (number++ === 0) {
      const { version } = check(opening, read, what);
      if (version > VERSION)
        throw new SnapshotError(
          'UNSUPPORTED',
          `${file} has format version ${version}; this release reads version ${VERSION}`,
        );
      const head = check(header, read, what);
      if (head.graph !== target.graph || head.nLayers !== target.nLayers)
        throw new SnapshotError(
          'FOREIGN',
          `${file} belongs to another graph: ${toPrintable(head.graph)} with ${head.nLayers} layers, not ${target.graph} with ${target.nLayers}`,
        );
      savedMs = head.savedMs;
      continue;
    }
    const frame = check(frames, read, what);
    let wrong = false;
    if (frame.kind === 'end') {
      ended = true;
      wrong = frame.roots !== roots || frame.pairs !== pairs;
    } else if (frame.kind === 'roots') {
      for (const row of rowsOf(frame.rows)) wrong ||= !isSound(row, target, savedMs);
      roots += frame.rows.length / ROOT_ROW_BYTES;
    } else {
      const words = wordsIn(frame.pairs);
      for (let at = 0; at < words.length; at += 3)
        wrong ||= target.ids.layerOf(words[at + 1]) !== SUPERVOXEL_LAYER || words[at + 2] >= roots;
      pairs += words.length / 3;
    }
    if (wrong) throw new SnapshotError('DAMAGED', `${file}: ${what} contains invalid values`);
    if (frame.kind !== 'end') yield frame;
  }
  if (!ended) throw new SnapshotError('DAMAGED', `${file} has no end`);
}

async function addFrames(
  frames: AsyncIterable<Frame>,
  ordinals: Int32Array,
  facts: RootFacts,
  nowMs: number,
): Promise<number> {
  const { roots, members } = facts;
  let rows = 0,
    added = 0;
  try {
    for await (const frame of frames) {
      if (frame.kind === 'roots') {
        facts.setNow(nowMs);
        for (const row of rowsOf(frame.rows)) {
          const ordinal =
            isFree(row) || roots.isTooOld(row.learntMs) || row.toMs > nowMs ? -1 : roots.merge(row);
          if (ordinal >= 0) roots.retain(ordinal); // no entry refers to it yet
          ordinals[rows++] = ordinal;
        }
      } else {
        const words = wordsIn(frame.pairs);
        for (let at = 0; at < words.length && members.size < members.maxEntries; at += 3) {
          const ordinal = ordinals[words[at + 2]];
          if (ordinal < 0) continue;
          members.add(words[at], words[at + 1], ordinal);
          added++;
        }
      }
    }
  } finally {
    for (const ordinal of ordinals.subarray(0, rows)) if (ordinal >= 0) roots.release(ordinal);
  }
  return added;
}

/** Copies the bytes, because their offset may not be a multiple of 4. */
const wordsIn = (array: Uint8Array): Uint32Array => new Uint32Array(new Uint8Array(array).buffer);

function* rowsOf(array: Uint8Array): Iterable<RootTableRow> {
  const words = wordsIn(array),
    numbers = new Float64Array(words.buffer);
  for (let at = 0; at < numbers.length; at += ROOT_ROW_BYTES / 8) {
    const [, fromMs, toMs, notCurrentFromMs, learntMs, flags] = numbers.subarray(at, at + ROOT_ROW_BYTES / 8);
    yield { low: words[2 * at], high: words[2 * at + 1], fromMs, toMs, notCurrentFromMs, learntMs, flags };
  }
}

const isFree = ({ low, high }: RootTableRow): boolean => low === 0 && high === 0;

function isSound(row: RootTableRow, { ids, nLayers }: SnapshotTarget, savedMs: number): boolean {
  if (isFree(row)) return true;
  const { low, high, fromMs, toMs, notCurrentFromMs, learntMs, flags } = row,
    layer = ids.layerOf(high);
  const isEmpty = fromMs === Infinity && toMs === -Infinity;
  if (
    !isEmpty &&
    !(Number.isSafeInteger(fromMs) && Number.isSafeInteger(toMs) && fromMs <= toMs && toMs <= savedMs)
  )
    return false;
  if (!(notCurrentFromMs === Infinity || (Number.isSafeInteger(notCurrentFromMs) && notCurrentFromMs > toMs)))
    return false;
  if (!Number.isSafeInteger(learntMs) || (flags !== 0 && flags !== CREATED)) return false;
  if (layer === nLayers) return true;
  return layer === 0 && fromMs === toMs && fromMs === timestampOfNoRoot(low, high) && flags === CREATED;
}
