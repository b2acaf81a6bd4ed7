/** Answers as text: decimal digits, the word for a status. */
import { wordsOf } from '../base/uint64.ts';
import { PointStatus, statusText } from '../points/status.ts';
import type { ByteWriter } from './byte-writer.ts';
import type { Answers } from './lookup.ts';
import type { Cells } from './table.ts';

const { outOfBounds, missingChunk, invalidPoint, invalidId, failed, background } = PointStatus;

/** Statuses of rows that nothing was read or asked for. */
const UNREAD = new Set<number>([outOfBounds, missingChunk, invalidPoint, invalidId, failed]);

/** The columns of a batch's answers, then their status. */
export function answerCells({ columns, status, keeps }: Answers): Cells {
  const writers = columns.map(({ values, stride, offset, zeroIsNone, decimals, words: texts }) => {
    if (texts)
      return (out: ByteWriter, row: number): boolean => {
        const text = texts[Number(values[row * stride + offset])];
        if (text !== undefined) out.ascii(text);
        return text !== undefined;
      };
    if (decimals !== undefined)
      return (out: ByteWriter, row: number): boolean => {
        const value = Number(values[row * stride + offset]);
        if (Number.isNaN(value)) return false;
        out.ascii(String(Number(value.toFixed(decimals))));
        return true;
      };
    if (!(values instanceof BigUint64Array))
      return (out: ByteWriter, row: number): boolean => (out.ascii(String(values[row * stride + offset])), true);
    const words = wordsOf(values);
    return (out: ByteWriter, row: number): boolean => {
      const at = 2 * (row * stride + offset);
      if (zeroIsNone && words[at] === 0 && words[at + 1] === 0 && status[row] !== background) return false;
      out.uint64(words[at], words[at + 1]);
      return true;
    };
  });
  return {
    keeps,
    write(out, column, row) {
      if (column < writers.length) return !UNREAD.has(status[row]) && writers[column](out, row);
      out.ascii(statusText(status[row]));
      return true;
    },
  };
}
