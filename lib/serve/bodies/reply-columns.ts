/** The answers of a request as columns, before they are written in any form. */
import type { FlatPoints } from '../../points/point-input.ts';

/**
 * A column of an answer. `id`: uint64, 0 where there is none. `status`: codes of `PointStatus`. `number`: float64, NaN
 * where there is none. `flag`: 0, 1, or 2 where it is not known.
 */
export interface ReplyColumn {
  name: string;
  kind: 'id' | 'status' | 'number' | 'flag';
}

/** The values of one column for some rows. */
export type ReplyValues = BigUint64Array | Uint8Array | Float64Array;

/** Some rows of an answer: one array per column, in the order of the columns. */
export interface ReplyBatch {
  rows: number;
  columns: readonly ReplyValues[];
  /** The points of the rows, xyz interleaved, if points were asked. */
  points?: FlatPoints;
}

/** What is known of an answer before its first row. */
export interface ReplyHead {
  /** The timestamp of the roots; undefined if none are looked up. */
  timestamp: Date | undefined;
  columns: readonly ReplyColumn[];
}

/** Writes an answer in one format: bytes come out in the order in which they are sent. */
export interface ReplyWriter {
  /** Returns the bytes of some rows; formats that write column by column keep them until the end. */
  write(batch: ReplyBatch): Iterable<Uint8Array> | AsyncIterable<Uint8Array>;
  /** Returns the bytes after the last row. */
  finish(): Iterable<Uint8Array> | AsyncIterable<Uint8Array>;
}

/** A writer that never waits. */
export interface PromptReplyWriter extends ReplyWriter {
  write(batch: ReplyBatch): Iterable<Uint8Array>;
  finish(): Iterable<Uint8Array>;
}

/** The rows that are written at a time, so that no piece is large. */
export const PIECE_ROWS = 8192;

/** Rows that are kept until the end: 8 bytes for an ID, 1 for a status. */
export class KeptRows {
  readonly batches: ReplyBatch[] = [];
  rows = 0;

  add(batch: ReplyBatch): void {
    this.batches.push(batch);
    this.rows += batch.rows;
  }

  /** Yields the values of one column in order, in pieces. */
  *column(index: number): Generator<ReplyValues> {
    for (const { rows, columns } of this.batches)
      for (let from = 0; from < rows; from += PIECE_ROWS)
        yield columns[index].subarray(from, Math.min(rows, from + PIECE_ROWS));
  }
}
