/** Decodes an fpzip stream plane by plane, from its beginning, and keeps little more than one plane. */
import type { PausableWork } from '../../base/cooperative-work.ts';
import { decodeFloat32 } from './decode-float32.ts';
import { decodeFloat64 } from './decode-float64.ts';
import { ShortFloat32Rows } from './decode-short-float32.ts';
import { Front } from './front.ts';
import { readFpzipHeader, type ExpectedArray } from './fpzip-header.ts';
import { RangeDecoder } from './range-decoder.ts';
import { SymbolModel } from './symbol-model.ts';

/** Values between two pauses: a tenth of a millisecond, and some milliseconds before the loop is compiled. */
const STRETCH = 2 ** 10;

/** The planes of an array of four axes, in the order in which they are stored. */
export class FpzipPlanes {
  /** The memory of the present plane. */
  readonly front: Front;
  readonly #decodeRow: (from: number, end: number) => void;
  readonly #planesPerField: number;
  #model: SymbolModel | undefined;
  #planesDone = 0;
  #sincePause = 0;

  /** @throws DecodeError TRUNCATED, BAD_BITSTREAM, BAD_HEADER or UNSUPPORTED. */
  constructor(bytes: Uint8Array, expected: ExpectedArray) {
    const stream = new RangeDecoder(bytes),
      precision = readFpzipHeader(stream, expected),
      [width, height, planes] = expected.shape;
    this.#planesPerField = planes;
    this.#createModel = () => new SymbolModel(precision);
    if (expected.dataType === 'float32') {
      const front = new Front(width, height, (length) => new Float32Array(length));
      const shortRows = ShortFloat32Rows.canDecode(precision)
        ? new ShortFloat32Rows(front, precision)
        : undefined;
      this.#decodeRow = shortRows
        ? (from, end) => shortRows.decode(stream, this.#model!, from, end)
        : (from, end) => decodeFloat32(stream, this.#model!, front, from, end, precision);
      this.front = front;
    } else {
      const front = new Front(width, height, (length) => new Float64Array(length));
      this.#decodeRow = (from, end) => decodeFloat64(stream, this.#model!, front, from, end, precision);
      this.front = front;
    }
  }
  readonly #createModel: () => SymbolModel;

  /**
   * Decodes the next plane into `front`.
   * @param end How many of its values are wanted; the rest, and all planes after it, are then lost.
   * @throws DecodeError TRUNCATED or BAD_BITSTREAM.
   */
  *decodeNext(end: number): PausableWork {
    const { front } = this,
      { width } = front;
    if (this.#planesDone++ % this.#planesPerField === 0) {
      this.#model = this.#createModel();
      front.startField();
    }
    front.startPlane();
    for (let start = 0; start < end; start += width) {
      front.startRow();
      const rowEnd = Math.min(width, end - start);
      for (let x = 0; x < rowEnd; x += STRETCH) {
        const stop = Math.min(rowEnd, x + STRETCH);
        this.#decodeRow(x, stop);
        if ((this.#sincePause += stop - x) < STRETCH) continue;
        this.#sincePause = 0;
        yield;
      }
    }
  }
}
