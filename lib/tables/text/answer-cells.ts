/** Writes answers as text: numbers in decimal, and the name of each status. */
import type { MissingText } from '../missing.ts';
import { wordsOf } from '../../base/uint64.ts';
import { PointStatus, statusText } from '../../points/status.ts';
import type { ByteWriter } from './byte-writer.ts';
import { type AnswerColumn, isUnanswered, isUnread, layOutAnswers, type RowAnswers } from '../answers.ts';

const { background } = PointStatus;

/** The answers of a batch, one cell at a time. */
export interface AnswerCells {
  /** Writes a cell. @returns false if there is no answer; then nothing is written. */
  write(out: ByteWriter, column: number, row: number): boolean;
  /** Returns whether a row keeps the old value of an output column. */
  keeps?(column: number, row: number): boolean;
  /** Returns whether a cell is a number or a boolean, which JSON writes without quotes. */
  isUnquoted?(column: number, row: number): boolean;
}

/** Writes one column of answers. `at` is the index of an answer in the column. */
interface Writer {
  /** Returns whether there is an answer. */
  has(at: number): boolean;
  /** Writes the answer. */
  put(out: ByteWriter, at: number): void;
  /** Returns whether the answer is a number or a boolean in JSON. */
  isUnquoted(at: number): boolean;
  /** Whether the column holds whole numbers, so that `0` may be written if there is no answer. */
  isWhole: boolean;
}

/**
 * Prepares the answers of a batch for writing, one cell at a time.
 *
 * @param sides The number of sides of a row. Their answers are written one after the other.
 */
export function createAnswerCells(
  answers: RowAnswers,
  sides: number,
  missing: MissingText = 'empty',
): AnswerCells {
  const writers = new Map(
    [answers, ...(answers.also ?? [])].map((group) => [
      group,
      group.columns.map((column) => writerOf(column, group.status)),
    ]),
  );
  const layout = layOutAnswers(answers, sides).map((place) => ({
    ...place,
    writers: writers.get(place.group)!,
  }));
  const has = (
    { group: { status, presetStatus }, writers, column }: (typeof layout)[0],
    at: number,
  ): boolean => !presetStatus?.[at] && !isUnread(status[at]) && writers[column].has(at);
  return {
    keeps(output, row) {
      const place = layout[output],
        { group, column, first } = place,
        at = first + row;
      if (group.keeps) return group.keeps(at, column);
      return column < place.writers.length && isUnanswered(group.status[at]) && !has(place, at);
    },
    isUnquoted(output, row) {
      const { writers, column, first } = layout[output];
      return column < writers.length && writers[column].isUnquoted(first + row);
    },
    write(out, output, row) {
      const place = layout[output],
        { group, column, first, writers } = place,
        at = first + row;
      if (column === writers.length) out.ascii(statusText(group.status[at]));
      else if (has(place, at)) writers[column].put(out, at);
      else if (missing === 'NA' || (missing === '0' && writers[column].isWhole)) out.ascii(missing);
      else return false;
      return true;
    },
  };
}

function writerOf(
  { values, stride, offset, zeroMeansMissing, decimals, words: texts }: AnswerColumn,
  status: Uint8Array,
): Writer {
  const value = (at: number): number => Number(values[at * stride + offset]);
  if (texts)
    return {
      isWhole: false,
      isUnquoted: () => true,
      has: (at) => value(at) < texts.length,
      put: (out, at) => out.ascii(texts[value(at)]),
    };
  if (decimals !== undefined) {
    const text = (at: number): string => String(Number(value(at).toFixed(decimals)));
    return {
      isWhole: false,
      isUnquoted: (at) => Number.isFinite(value(at)),
      has: (at) => !Number.isNaN(value(at)),
      put: (out, at) => out.ascii(text(at)),
    };
  }
  if (!(values instanceof BigUint64Array)) {
    // False for a bigint, because JSON readers would round it.
    const isUnquoted = (at: number): boolean => Number.isFinite(values[at * stride + offset]);
    return {
      isWhole: !(values instanceof Float32Array || values instanceof Float64Array),
      isUnquoted,
      has: () => true,
      put: (out, at) => out.ascii(String(values[at * stride + offset])),
    };
  }
  const words = wordsOf(values);
  return {
    isWhole: true,
    isUnquoted: () => false,
    has(at) {
      const from = 2 * (at * stride + offset);
      return !zeroMeansMissing || words[from] !== 0 || words[from + 1] !== 0 || status[at] === background;
    },
    put(out, at) {
      const from = 2 * (at * stride + offset);
      out.uint64(words[from], words[from + 1]);
    },
  };
}
