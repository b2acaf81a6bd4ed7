/** Cells of answers as text, in bytes: IDs become digits without a string in between. */
import { wordsOf } from '../../base/uint64.ts';
import { statusText } from '../../points/status.ts';
import type { ByteWriter } from '../../tables/text/byte-writer.ts';
import type { ReplyColumn, ReplyValues } from './reply-columns.ts';

/** How the cells of a format look. */
export interface CellStyle {
  /** Around an ID and a status. */
  quote: string;
  /** In place of a missing value. */
  missing: string;
}

/** Writes the value of one row. */
type WriteCell = (out: ByteWriter, row: number) => void;

const MAX_STATUS = 255;

/** Returns what writes the cells of a column of some rows. */
export function cellWriter(kind: ReplyColumn['kind'], values: ReplyValues, style: CellStyle): WriteCell {
  const { quote, missing } = style;
  switch (kind) {
    case 'id': {
      const words = wordsOf(values as BigUint64Array);
      return (out, row) => {
        const low = words[2 * row],
          high = words[2 * row + 1];
        if (low === 0 && high === 0) return out.ascii(missing);
        out.ascii(quote);
        out.uint64(low, high);
        out.ascii(quote);
      };
    }
    case 'status': {
      const texts = quote === '' ? PLAIN : QUOTED;
      return (out, row) =>
        out.ascii(
          (texts[(values as Uint8Array)[row]] ??= quote + statusText((values as Uint8Array)[row]) + quote),
        );
    }
    case 'number':
      return (out, row) => {
        const value = (values as Float64Array)[row];
        out.ascii(Number.isNaN(value) ? missing : String(Math.round(value * 1e6) / 1e6));
      };
    case 'flag':
      return (out, row) => out.ascii(['false', 'true'][(values as Uint8Array)[row]] ?? missing);
  }
}

const PLAIN: string[] = new Array<string>(MAX_STATUS + 1),
  QUOTED: string[] = new Array<string>(MAX_STATUS + 1);
