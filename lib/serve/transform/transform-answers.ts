/**
 * Writes the labels of an answer as bytes or as JSON text. Numbers in JSON have all their digits: the original
 * writes floats, and so loses the end of long IDs. Pure.
 * Source: bocklab/transform_service, app/main.py, the `query` routes.
 */
import { inStretches, type PausableWork } from '../../base/cooperative-work.ts';
import { wordsOf } from '../../base/uint64.ts';
import { ByteWriter } from '../../tables/text/byte-writer.ts';
import type { LabelType } from './transform-dataset.ts';

/** LabelArray as a volume gives them. */
export type LabelArray = Uint8Array | Uint16Array | Uint32Array | BigUint64Array;

/** The bytes of the longest value in JSON: 20 digits, two quotes and a comma. */
const MAX_VALUE_BYTES = 23;

/** Returns little-endian values of a type that holds the labels; a view if they have that type. */
export function* labelBytes(labels: LabelArray, dtype: LabelType): PausableWork<Buffer> {
  const wide = dtype === 'uint64' && !(labels instanceof BigUint64Array) ? yield* widened(labels) : labels;
  return Buffer.from(wide.buffer, wide.byteOffset, wide.byteLength);
}

function* widened(labels: Exclude<LabelArray, BigUint64Array>): PausableWork<BigUint64Array> {
  const wide = new BigUint64Array(labels.length),
    words = wordsOf(wide);
  yield* inStretches(labels.length, (from, end) => {
    for (let k = from; k < end; k++) words[2 * k] = labels[k];
  });
  return wide;
}

/**
 * Returns labels as JSON: `[1,2]`, or `["1","2"]` with quotes.
 * @param before Text before the list. @param after Text after it.
 */
export function* labelJson(
  labels: LabelArray,
  { quote, before = '', after = '' }: { quote: boolean; before?: string; after?: string },
): PausableWork<Buffer> {
  const writer = new ByteWriter(Math.max(64, Math.ceil((labels.length * MAX_VALUE_BYTES) / 2)));
  const words = labels instanceof BigUint64Array ? wordsOf(labels) : undefined;
  writer.ascii(`${before}[`);
  yield* inStretches(labels.length, (from, end) => {
    for (let k = from; k < end; k++) {
      if (k > 0) writer.byte(44);
      if (quote) writer.byte(34);
      if (words) writer.uint64(words[2 * k], words[2 * k + 1]);
      else writer.uint64(labels[k] as number, 0);
      if (quote) writer.byte(34);
    }
  });
  writer.ascii(`]${after}`);
  return writer.take();
}
