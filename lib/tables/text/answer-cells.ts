/** Answers as text: decimal digits, the word for a status. */
import { wordsOf } from '../../base/uint64.ts';
import { PointStatus, statusText } from '../../points/status.ts';
import type { ByteWriter } from './byte-writer.ts';
import type { AnswerColumn, RowAnswers } from '../answers.ts';

const {
  outOfBounds,
  missingChunk,
  invalidPoint,
  invalidId,
  invalidTimestamp,
  failed,
  background,
  notLookedUp,
  rootFailed,
} = PointStatus;

const NOTHING = [invalidPoint, invalidId, invalidTimestamp, failed];

/** Statuses of rows that nothing was read or asked for. */
const UNREAD = new Set<number>([...NOTHING, outOfBounds, missingChunk]);

/** Statuses of rows about which nobody has said anything: what their cells hold is not replaced by nothing. */
const UNANSWERED = new Set<number>([...NOTHING, rootFailed, notLookedUp]);

/** The answers of a batch, a cell at a time: digits or a word; nothing is written, and false returned, where there is no answer. */
export interface AnswerCells {
  write(out: ByteWriter, column: number, row: number): boolean;
  /** Whether what a row has in an output column stays as it is. */
  keeps?(column: number, row: number): boolean;
  /** Whether a cell is a number or a boolean, which JSON writes without quotes. */
  isUnquoted?(column: number, row: number): boolean;
}

/** One column of answers, by their place among them. */
interface Writer {
  /** Whether there is an answer. */
  has(at: number): boolean;
  put(out: ByteWriter, at: number): void;
  /** Whether it is a number or a boolean of JSON. */
  isBare(at: number): boolean;
  /** Whether 0 may stand where there is no answer. */
  isWhole: boolean;
}

/** What stands in text where there is no answer. `0` only where whole numbers do, so that a reader sees no other type. */
export type MissingText = 'empty' | '0' | 'NA';

/** @param sides How many questions a row has: their answers come one after the other. */
export function createAnswerCells(
  answers: RowAnswers,
  sides: number,
  missing: MissingText = 'empty',
): AnswerCells {
  const { status, presetStatus: given, keeps } = answers;
  const writers = answers.columns.map((column) => writerOf(column, status));
  const perSide = writers.length + 1,
    rows = status.length / sides;
  const place = (column: number): [column: number, first: number] => [
    column % perSide,
    Math.floor(column / perSide) * rows,
  ];
  const places = Array.from({ length: perSide * sides }, (_, column) => place(column));
  const has = (column: number, at: number): boolean =>
    !given?.[at] && !UNREAD.has(status[at]) && writers[column].has(at);
  return {
    keeps(output, row) {
      const [column, first] = places[output],
        at = first + row;
      if (keeps) return keeps(at, column);
      return column < writers.length && UNANSWERED.has(status[at]) && !has(column, at);
    },
    isUnquoted(output, row) {
      const [column, first] = places[output];
      return column < writers.length && writers[column].isBare(first + row);
    },
    write(out, output, row) {
      const [column, first] = places[output],
        at = first + row;
      if (column === writers.length) out.ascii(statusText(status[at]));
      else if (has(column, at)) writers[column].put(out, at);
      else if (missing === 'NA' || (missing === '0' && writers[column].isWhole)) out.ascii(missing);
      else return false;
      return true;
    },
  };
}

function writerOf(
  { values, stride, offset, zeroMeansMissing: zeroMeansMissing, decimals, words: texts }: AnswerColumn,
  status: Uint8Array,
): Writer {
  const value = (at: number): number => Number(values[at * stride + offset]);
  if (texts)
    return {
      isWhole: false,
      isBare: () => true,
      has: (at) => value(at) < texts.length,
      put: (out, at) => out.ascii(texts[value(at)]),
    };
  if (decimals !== undefined) {
    const text = (at: number): string => String(Number(value(at).toFixed(decimals)));
    return {
      isWhole: false,
      isBare: (at) => Number.isFinite(value(at)),
      has: (at) => !Number.isNaN(value(at)),
      put: (out, at) => out.ascii(text(at)),
    };
  }
  if (!(values instanceof BigUint64Array)) {
    // of a bigint false: JSON readers would round it
    const isBare = (at: number): boolean => Number.isFinite(values[at * stride + offset]);
    return {
      isWhole: !(values instanceof Float32Array || values instanceof Float64Array),
      isBare,
      has: () => true,
      put: (out, at) => out.ascii(String(values[at * stride + offset])),
    };
  }
  const words = wordsOf(values);
  return {
    isWhole: true,
    isBare: () => false,
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
