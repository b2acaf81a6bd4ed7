/**
 * A form in which caches keep chunks of labels: each row of voxels as runs of one label. It is much smaller than `raw`, a few times
 * quicker to make than compressed_segmentation, and single voxels are read without decoding the rest. It is our own and is never
 * written to a volume. All numbers are little-endian uint32:
 *
 *     labels | runs | the labels, low word first | the first run of each row | one word per run: label << 16 | its last x
 *
 * Rows are in the order of `raw`: y, then z, then channel. A row that equals the one before has the same first run.
 */
import { DecodeError } from '../base/errors.ts';
import { formatVec3 } from '../base/vec3.ts';
import { bytesPerValue, DATA_TYPES, wordsPerValue, type DataType } from '../precomputed/data-type.ts';
import type { ChunkLayout, Codec } from './codec.ts';

const HEADER_WORDS = 2;
/** A run has 16 bits for its label, and 16 for its end. */
const MOST_LABELS = 2 ** 16,
  LONGEST_ROW = 2 ** 16;
/** The share of the raw bytes that the runs may take. With more, the labels change too often for this form. */
const LARGEST_SHARE = 1 / 8;

const { imul } = Math;

/** Encodes one raw chunk as runs: call `add` for each piece, then `finish`. Memory: the result, and one row. */
export class RowRunsEncoder {
  readonly #width: 1 | 2;
  readonly #rowWords: number;
  /** The most words of the result. */
  readonly #limit: number;
  readonly #starts: Uint32Array;
  #runs: Uint32Array;
  #runCount = 0;
  /** The labels: room for half as many as there are slots. */
  #labels = new Int32Array(2 * 128);
  #labelCount = 0;
  /** A hash table of 1 + the label's index; 0 is a free slot. */
  #slots = new Uint32Array(256);
  /** A row that has come in part. */
  readonly #partial: Uint8Array;
  #partialBytes = 0;
  #row = 0;
  #failed: boolean;

  constructor({ chunkSize: [sx, sy, sz], channels, dataType }: ChunkLayout) {
    this.#width = wordsPerValue(dataType);
    this.#rowWords = sx * this.#width;
    this.#failed = bytesPerValue(dataType) < 4 || sx > LONGEST_ROW;
    const rows = this.#failed ? 0 : sy * sz * channels;
    this.#limit = Math.floor(rows * this.#rowWords * LARGEST_SHARE);
    this.#failed ||= HEADER_WORDS + rows >= this.#limit;
    this.#starts = new Uint32Array(this.#failed ? 0 : rows);
    this.#runs = new Uint32Array(this.#failed ? 0 : Math.min(4 * rows, this.#limit) + sx);
    this.#partial = new Uint8Array(4 * this.#rowWords);
  }

  /** Adds the next bytes of the raw chunk, x fastest. A piece may have any length and `byteOffset`. */
  add(bytes: Uint8Array): void {
    let from = 0;
    const rowBytes = this.#partial.byteLength;
    if (this.#partialBytes > 0) {
      from = Math.min(bytes.byteLength, rowBytes - this.#partialBytes);
      this.#addPartial(bytes.subarray(0, from));
      if (this.#partialBytes > 0) return;
    }
    const rows = Math.floor((bytes.byteLength - from) / rowBytes),
      end = from + rows * rowBytes;
    if (rows > 0) this.#addRows(intsOf(bytes.subarray(from, end)), rows);
    this.#addPartial(bytes.subarray(end));
  }

  /**
   * Ends the chunk.
   * @returns The runs in fresh memory; undefined if they take more than an eighth of the raw bytes, or if the chunk had the wrong size.
   */
  finish(): Uint8Array | undefined {
    const width = this.#width,
      rows = this.#starts.length;
    if (this.#failed || this.#row !== rows || this.#partialBytes > 0) return undefined;
    const labelWords = this.#labelCount * width,
      words = HEADER_WORDS + labelWords + rows + this.#runCount;
    if (words > this.#limit) return undefined;
    const out = new Uint32Array(words);
    out[0] = this.#labelCount;
    out[1] = this.#runCount;
    out.set(this.#labels.subarray(0, labelWords), HEADER_WORDS);
    out.set(this.#starts, HEADER_WORDS + labelWords);
    out.set(this.#runs.subarray(0, this.#runCount), HEADER_WORDS + labelWords + rows);
    return new Uint8Array(out.buffer);
  }

  #addPartial(bytes: Uint8Array): void {
    this.#partial.set(bytes, this.#partialBytes);
    this.#partialBytes += bytes.byteLength;
    if (this.#partialBytes < this.#partial.byteLength) return;
    this.#partialBytes = 0;
    this.#addRows(intsOf(this.#partial), 1);
  }

  #addRows(words: Int32Array, rows: number): void {
    const rowWords = this.#rowWords,
      width = this.#width,
      starts = this.#starts;
    if (this.#row + rows > starts.length) this.#failed = true; // more bytes than a chunk of this layout has
    for (let r = 0, at = 0; r < rows && !this.#failed; r++, at += rowWords) {
      const row = this.#row++;
      if (r > 0 && isRepeated(words, at, rowWords)) {
        starts[row] = starts[row - 1];
        continue;
      }
      starts[row] = this.#runCount;
      this.#reserve(rowWords / width);
      const runs = this.#runs,
        end = at + rowWords;
      // Rows that follow each other mostly have the same labels in the same order, so the search begins there.
      let likely = row > 0 ? starts[row - 1] : 0,
        count = this.#runCount;
      for (let from = at; from < end;) {
        const to = width === 2 ? endOfPairs(words, from, end) : endOfWords(words, from, end);
        const low = words[from],
          high = words[from + width - 1];
        let label = runs[likely] >>> 16;
        if (this.#isLabel(label, low, high)) likely++;
        else if (((label = runs[likely + 1] >>> 16), this.#isLabel(label, low, high))) likely += 2;
        else label = this.#labelOf(low, high);
        runs[count++] = (label << 16) | ((to - at) / width - 1);
        from = to;
      }
      this.#runCount = count;
      this.#failed = this.#labelCount > MOST_LABELS || count > this.#limit;
    }
  }

  #isLabel(index: number, low: number, high: number): boolean {
    const labels = this.#labels,
      at = index * this.#width;
    return index < this.#labelCount && labels[at] === low && labels[at + this.#width - 1] === high;
  }

  /** Makes room for the runs of one row. */
  #reserve(most: number): void {
    if (this.#runCount + most <= this.#runs.length) return;
    const larger = new Uint32Array(2 * this.#runs.length + most);
    larger.set(this.#runs);
    this.#runs = larger;
  }

  /** Returns the index of a label, and adds the label if it is new. */
  #labelOf(low: number, high: number): number {
    const width = this.#width;
    let slots = this.#slots,
      slot = this.#slotOf(low, high);
    if (slots[slot] > 0) return slots[slot] - 1;
    if (2 * this.#labelCount >= slots.length) {
      this.#growTable();
      slots = this.#slots;
      slot = this.#slotOf(low, high);
    }
    const index = this.#labelCount++;
    this.#labels[index * width] = low;
    this.#labels[index * width + width - 1] = high;
    slots[slot] = index + 1;
    return index;
  }

  /** Returns the slot of a label, or the free slot where it would go. */
  #slotOf(low: number, high: number): number {
    const slots = this.#slots,
      labels = this.#labels,
      width = this.#width,
      mask = slots.length - 1;
    let slot = hashOf(low, high) & mask;
    for (let next = slots[slot]; next > 0; next = slots[slot]) {
      const at = (next - 1) * width;
      if (labels[at] === low && labels[at + width - 1] === high) break;
      slot = (slot + 1) & mask;
    }
    return slot;
  }

  #growTable(): void {
    const width = this.#width,
      labels = new Int32Array(2 * this.#slots.length);
    labels.set(this.#labels);
    this.#labels = labels;
    this.#slots = new Uint32Array(2 * this.#slots.length);
    for (let k = 0; k < this.#labelCount; k++)
      this.#slots[this.#slotOf(labels[k * width], labels[k * width + width - 1])] = k + 1;
  }
}

/** Hashes a label. The upper bits of the product are the best mixed. */
function hashOf(low: number, high: number): number {
  const mixed = imul(low ^ imul(high, 0x85ebca6b), 0x9e3779b1);
  return mixed ^ (mixed >>> 15);
}

/** Returns where the run that begins at `from` ends. */
function endOfWords(words: Int32Array, from: number, end: number): number {
  const word = words[from];
  let to = from + 1;
  while (to < end && words[to] === word) to++;
  return to;
}

/** As {@link endOfWords}, for labels of two words. */
function endOfPairs(words: Int32Array, from: number, end: number): number {
  const low = words[from],
    high = words[from + 1];
  let to = from + 2;
  while (to < end && words[to] === low && words[to + 1] === high) to += 2;
  return to;
}

/** Whether a row equals the row before it. */
function isRepeated(words: Int32Array, at: number, length: number): boolean {
  for (let i = at, end = at + length, before = at - length; i < end; i++, before++)
    if (words[i] !== words[before]) return false;
  return true;
}

/** Returns bytes as words: a view if they are aligned, else a copy. They are signed, which V8 compares without conversions. */
function intsOf(bytes: Uint8Array): Int32Array {
  const aligned = bytes.byteOffset % 4 === 0 ? bytes : new Uint8Array(bytes);
  return new Int32Array(aligned.buffer, aligned.byteOffset, aligned.byteLength >>> 2);
}

const decodePoints: Codec['decodePoints'] = (bytes, layout, offsets, out, outIndex) => {
  const { chunkSize, channels, dataType } = layout,
    [sx, sy, sz] = chunkSize,
    width = wordsPerValue(dataType);
  const { buffer, byteOffset, length } = intsOf(bytes),
    words = new Uint32Array(buffer, byteOffset, length),
    rows = sy * sz * channels;
  const labelCount = words.length < HEADER_WORDS ? 0 : words[0],
    runCount = words.length < HEADER_WORDS ? 0 : words[1];
  const starts = HEADER_WORDS + labelCount * width,
    runs = starts + rows;
  if (bytes.byteLength % 4 !== 0 || words.length < HEADER_WORDS || runs + runCount !== words.length)
    throw new DecodeError(
      'WRONG_SIZE',
      `row runs of ${formatVec3(chunkSize)} voxels, ${channels} channel(s): ${labelCount} labels and ${runCount} runs do not take ${bytes.byteLength} bytes`,
    );
  for (let channel = 0; channel < channels; channel++)
    for (let k = 0; k < offsets.length; k++) {
      const row = Math.floor(offsets[k] / sx),
        x = offsets[k] - row * sx;
      let at = words[starts + channel * sy * sz + row];
      while (at < runCount && (words[runs + at] & 0xffff) < x) at++;
      const label = words[runs + at] >>> 16;
      if (at >= runCount || label >= labelCount)
        throw new DecodeError(
          'BAD_HEADER',
          `row runs: row ${row} leaves the ${runCount} runs or the ${labelCount} labels`,
        );
      const from = HEADER_WORDS + label * width,
        to = (outIndex[k] * channels + channel) * width;
      out[to] = words[from];
      if (width === 2) out[to + 1] = words[from + 1];
    }
};

/** Reads what {@link RowRunsEncoder} wrote. It is not in the registry, because no volume has this encoding. */
export const rowRunsCodec: Codec = {
  encoding: 'row-runs',
  dataTypes: (Object.keys(DATA_TYPES) as DataType[]).filter((type) => bytesPerValue(type) >= 4),
  isPointwise: true,
  decodePoints,
  maxBytes: ({ chunkSize: [sx, sy, sz], channels, dataType }) =>
    Math.floor(sx * sy * sz * channels * bytesPerValue(dataType) * LARGEST_SHARE),
};
