/** Points and IDs from arrays of numbers, little-endian without a header, or with that of NumPy. */
import type { FlatPoints } from '../../points/point-input.ts';
import type { NumberArray } from '../../tables/columnar/column.ts';
import { ByteQueue } from '../../tables/files/byte-queue.ts';
import type { ItemType } from '../../tables/numpy/dtype.ts';
import { columnTypeOfItems, decodeItems, spellItems } from '../../tables/numpy/item-columns.ts';
import { npyHeaderBytes, PREFIX_BYTES, readNpyHeader } from '../../tables/numpy/npy-header.ts';
import { HttpRefusal } from '../http-errors.ts';
import { BATCH_ROWS, type BodyIds, type BodyPoints } from './body-rows.ts';

const bad = (message: string): HttpRefusal => new HttpRefusal(400, message);

/** The types of numbers without a header, by the parameter `dtype`. */
export const DTYPES = {
  float64: { kind: 'f', size: 8 },
  float32: { kind: 'f', size: 4 },
  int32: { kind: 'i', size: 4 },
  uint32: { kind: 'u', size: 4 },
  int64: { kind: 'i', size: 8 },
  uint64: { kind: 'u', size: 8 },
} as const;

/** A name in `DTYPES`. */
export type DtypeName = keyof typeof DTYPES;

const itemOf = (dtype: DtypeName): ItemType => ({
  ...DTYPES[dtype],
  isBigEndian: false,
  spelling: dtype,
  shape: [],
});

/** Yields points, three numbers each. @throws HttpRefusal 400 if the bytes are not a whole number of points. */
export async function* readBinaryPoints(
  source: AsyncIterable<Uint8Array>,
  dtype: DtypeName,
): AsyncGenerator<BodyPoints> {
  yield* pointsOfItems(new ByteQueue(source), itemOf(dtype), Infinity);
}

/** Yields uint64 IDs. @throws HttpRefusal 400 if the bytes are not a whole number of IDs. */
export async function* readBinaryIds(source: AsyncIterable<Uint8Array>): AsyncGenerator<BodyIds> {
  yield* idsOfItems(new ByteQueue(source), itemOf('uint64'), Infinity);
}

/** Returns the points of a whole body. @throws HttpRefusal 400. */
export function pointsOfBytes(body: Buffer, dtype: DtypeName): FlatPoints {
  const { size } = DTYPES[dtype],
    pointBytes = 3 * size;
  if (body.length % pointBytes !== 0)
    throw bad(describeBytes(body.length, pointBytes, `points of three ${dtype}`));
  return numbersOf(itemOf(dtype), body, body.length / size);
}

/** Yields the points of an N×3 `.npy`. @throws HttpRefusal 400; TableError BAD_FORMAT. */
export async function* readNpyPoints(
  source: AsyncIterable<Uint8Array>,
  maxRows: number,
): AsyncGenerator<BodyPoints> {
  const queue = new ByteQueue(source),
    { item, shape, isFortran } = await readHeader(queue);
  if (shape.length !== 2 || shape[1] !== 3)
    throw bad(`the NumPy array has the shape (${shape.join(', ')}); expected (N, 3)`);
  const [rows] = shape;
  requireRows(rows, maxRows);
  if (!isFortran) {
    yield* pointsOfItems(queue, item, rows);
    return;
  }
  const bytes = await queue.take(3 * rows * item.size);
  requireBytes(bytes.length, 3 * rows * item.size);
  const columns = numbersOf(item, bytes, 3 * rows),
    values = columns.slice(0);
  for (let axis = 0; axis < 3; axis++)
    for (let row = 0; row < rows; row++) values[3 * row + axis] = columns[axis * rows + row];
  await requireEnd(queue);
  yield { values, count: rows };
}

/** Yields the IDs of a one-dimensional `.npy`. @throws HttpRefusal 400; TableError BAD_FORMAT. */
export async function* readNpyIds(
  source: AsyncIterable<Uint8Array>,
  maxRows: number,
): AsyncGenerator<BodyIds> {
  const queue = new ByteQueue(source),
    { item, shape } = await readHeader(queue);
  if (shape.length !== 1) throw bad(`the NumPy array has the shape (${shape.join(', ')}); expected (N,)`);
  if (item.size !== 8 || !'ui'.includes(item.kind))
    throw bad(`the NumPy array holds ${spellItems(item)}; IDs are uint64`);
  requireRows(shape[0], maxRows);
  yield* idsOfItems(queue, item, shape[0]);
}

async function readHeader(
  queue: ByteQueue,
): Promise<{ item: ItemType; shape: readonly number[]; isFortran: boolean }> {
  const length = npyHeaderBytes(await queue.peek(PREFIX_BYTES)),
    header = await queue.take(length);
  if (header.length < length) throw bad('the NumPy array is cut: it ends inside its header');
  const { type, shape, isFortran } = readNpyHeader(header),
    { item } = type;
  if (!item || columnTypeOfItems(item).kind !== 'number')
    throw bad(`the NumPy array holds ${item ? spellItems(item) : 'records'}; expected numbers`);
  return { item, shape, isFortran };
}

function requireRows(rows: number, maxRows: number): void {
  if (rows > maxRows)
    throw new HttpRefusal(
      413,
      `the NumPy array has ${rows} rows; a request may have ${maxRows}: send several requests`,
    );
}

async function* pointsOfItems(queue: ByteQueue, item: ItemType, rows: number): AsyncGenerator<BodyPoints> {
  for await (const { values, count } of itemsOf(queue, item, 3, rows)) yield { values, count };
}

async function* idsOfItems(queue: ByteQueue, item: ItemType, rows: number): AsyncGenerator<BodyIds> {
  let first = 0;
  for await (const { values, count } of itemsOf(queue, item, 1, rows)) {
    const negative = item.kind === 'i' ? (values as BigInt64Array).findIndex((id) => id < 0n) : -1;
    if (negative >= 0) throw bad(`row ${first + negative + 1}: the ID is negative; IDs are uint64`);
    yield { values: new BigUint64Array(values.buffer, values.byteOffset, count), count };
    first += count;
  }
}

/** Yields batches of `perRow` items a row. @param rows The rows that a header names; Infinity without a header. */
async function* itemsOf(
  queue: ByteQueue,
  item: ItemType,
  perRow: number,
  rows: number,
): AsyncGenerator<{ values: FlatPoints; count: number }> {
  const rowBytes = perRow * item.size;
  for (let done = 0; done < rows;) {
    const wanted = Math.min(BATCH_ROWS, rows - done) * rowBytes,
      bytes = await queue.take(wanted);
    if (rows !== Infinity) requireBytes(done * rowBytes + bytes.length, done * rowBytes + wanted);
    if (bytes.length % rowBytes !== 0)
      throw bad(
        describeBytes(done * rowBytes + bytes.length, rowBytes, `rows of ${perRow} × ${item.spelling}`),
      );
    const count = bytes.length / rowBytes;
    if (count === 0) break;
    yield { values: numbersOf(item, bytes, count * perRow), count };
    done += count;
  }
  await requireEnd(queue);
}

/** Returns the numbers of items. They may be a view of the bytes. */
const numbersOf = (item: ItemType, bytes: Uint8Array, count: number): FlatPoints =>
  (decodeItems(item, { bytes, offset: 0, stride: item.size }, count) as { values: NumberArray }).values;

function requireBytes(found: number, wanted: number): void {
  if (found < wanted) throw bad(`the NumPy array is cut: it has ${found} of ${wanted} bytes or more`);
}

async function requireEnd(queue: ByteQueue): Promise<void> {
  if ((await queue.peek(1)).length > 0) throw bad('more bytes follow the array');
}

const describeBytes = (bytes: number, rowBytes: number, rows: string): string =>
  `the body has ${bytes} bytes, which is not a multiple of ${rowBytes}: expected ${rows}, little-endian`;
