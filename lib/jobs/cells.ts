/** Answers as text: decimal digits, the word for a status. */
import { wordsOf } from '../base/uint64.ts';
import { PointStatus, statusText } from '../points/status.ts';
import type { ByteWriter } from './byte-writer.ts';
import type { AnswerColumn, Answers } from './lookup.ts';
import type { Cells } from './table.ts';

const { outOfBounds, missingChunk, invalidPoint, invalidId, invalidTimestamp, failed, background, notLookedUp, rootFailed } = PointStatus;

/** Statuses of rows that nothing was read or asked for. */
const UNREAD = new Set<number>([outOfBounds, missingChunk, invalidPoint, invalidId, invalidTimestamp, failed]);

/** Statuses of rows about which nobody has said anything: what their cells hold is not replaced by nothing. */
const UNANSWERED = new Set<number>([invalidPoint, invalidId, invalidTimestamp, failed, rootFailed, notLookedUp]);

/** One column of answers, by their place among them. */
interface Writer {
  /** Whether there is an answer. */
  has(at: number): boolean;
  put(out: ByteWriter, at: number): void;
  /** Whether JSON writes it without quotes. */
  bare: boolean;
}

/** @param sides How many questions a row has: their answers come one after the other. */
export function answerCells(answers: Answers, sides: number): Cells {
  const { status, given, keeps } = answers;
  const writers = answers.columns.map((column) => writerOf(column, status));
  const perSide = writers.length + 1, rows = status.length / sides;
  const place = (column: number): [column: number, first: number] => [column % perSide, Math.floor(column / perSide) * rows];
  const places = Array.from({ length: perSide * sides }, (_, column) => place(column));
  const has = (column: number, at: number): boolean => !given?.[at] && !UNREAD.has(status[at]) && writers[column].has(at);
  return {
    keeps(output, row) {
      const [column, first] = places[output], at = first + row;
      if (keeps) return keeps(at, column);
      return column < writers.length && UNANSWERED.has(status[at]) && !has(column, at);
    },
    isBare: (output) => writers[places[output][0]]?.bare ?? false,
    write(out, output, row) {
      const [column, first] = places[output], at = first + row;
      if (column === writers.length) out.ascii(statusText(status[at]));
      else if (!has(column, at)) return false;
      else writers[column].put(out, at);
      return true;
    },
  };
}

function writerOf({ values, stride, offset, zeroIsNone, decimals, words: texts }: AnswerColumn, status: Uint8Array): Writer {
  const value = (at: number): number => Number(values[at * stride + offset]);
  if (texts) return { bare: true, has: (at) => value(at) < texts.length, put: (out, at) => out.ascii(texts[value(at)]) };
  if (decimals !== undefined) return { bare: true, has: (at) => !Number.isNaN(value(at)), put: (out, at) => out.ascii(String(Number(value(at).toFixed(decimals)))) };
  if (!(values instanceof BigUint64Array)) return { bare: true, has: () => true, put: (out, at) => out.ascii(String(values[at * stride + offset])) };
  const words = wordsOf(values);
  return {
    bare: false,
    has(at) {
      const from = 2 * (at * stride + offset);
      return !zeroIsNone || words[from] !== 0 || words[from + 1] !== 0 || status[at] === background;
    },
    put(out, at) {
      const from = 2 * (at * stride + offset);
      out.uint64(words[from], words[from + 1]);
    },
  };
}
