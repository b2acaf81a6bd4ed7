/**
 * The header of a NumPy array.
 * Source: NumPy, `numpy.lib.format`, versions 1.0 to 3.0.
 */
import { TableError } from '../../base/errors.ts';
import { type ArrayType, readArrayType } from './dtype.ts';
import { parsePython, PythonTuple, type PythonValue, spellPython } from './python-literal.ts';

const MAGIC = Buffer.from('\x93NUMPY', 'latin1');
/** The bytes of the magic, the version and the size of the header, in the versions after the first. */
export const PREFIX_BYTES = 12;
const MAX_HEADER = 2 ** 22;
const ALIGNMENT = 64;

/** What a header says. */
export interface NpyHeader {
  type: ArrayType;
  /** The value of `descr`. */
  descr: PythonValue;
  shape: readonly number[];
  /** Whether the first axis varies fastest. */
  isFortran: boolean;
  /** Where the items begin. */
  dataOffset: number;
}

const broken = (what: string): TableError =>
  new TableError('BAD_FORMAT', `the NumPy array is broken: ${what}`);

/** Returns whether bytes begin with the magic of a NumPy array. */
export const isNpy = (start: Uint8Array): boolean => MAGIC.equals(start.subarray(0, MAGIC.length));

/**
 * Returns the bytes of the header, with all that comes before it.
 *
 * @param start At least `PREFIX_BYTES`, or all bytes if there are fewer.
 * @throws TableError BAD_FORMAT.
 */
export function npyHeaderBytes(start: Uint8Array): number {
  if (!isNpy(start)) throw new TableError('BAD_FORMAT', 'the table is not a NumPy array');
  if (start.length < PREFIX_BYTES) throw broken('it is cut');
  const major = start[6],
    view = new DataView(start.buffer, start.byteOffset, start.byteLength);
  if (major < 1 || major > 3 || start[7] !== 0)
    throw new TableError(
      'BAD_FORMAT',
      `the NumPy array has format version ${major}.${start[7]}; 1.0 to 3.0 are read`,
    );
  const bytes = major === 1 ? 10 + view.getUint16(8, true) : 12 + view.getUint32(8, true);
  if (bytes > MAX_HEADER) throw broken(`its header has ${bytes} bytes`);
  return bytes;
}

/** Reads a header. @param bytes As many bytes as `npyHeaderBytes` says. @throws TableError BAD_FORMAT. */
export function readNpyHeader(bytes: Uint8Array): NpyHeader {
  const major = bytes[6],
    text = Buffer.from(bytes.subarray(major === 1 ? 10 : 12)).toString(major === 3 ? 'utf8' : 'latin1');
  const header = parsePython(text);
  if (!(header instanceof Map)) throw broken('its header is not a dictionary');
  const descr = header.get('descr') as PythonValue | undefined,
    isFortran = header.get('fortran_order') as PythonValue | undefined,
    shape = header.get('shape') as PythonValue | undefined;
  if (descr === undefined || typeof isFortran !== 'boolean' || !(shape instanceof PythonTuple))
    throw broken('its header lacks descr, fortran_order or shape');
  const sizes = shape.items as readonly number[];
  if (!sizes.every((size) => typeof size === 'number' && size >= 0)) throw broken('its shape is impossible');
  const type = readArrayType(descr);
  if (!Number.isSafeInteger(sizes.reduce((product, size) => product * size, type.bytes)))
    throw broken('its shape is impossible');
  return { type, descr, shape: sizes, isFortran: isFortran && sizes.length > 1, dataOffset: bytes.length };
}

/** Returns the bytes of a header, aligned as NumPy does. */
export function npyHeader(descr: PythonValue, shape: readonly number[]): Uint8Array {
  const entries = new Map<string, PythonValue>([
    ['descr', descr],
    ['fortran_order', false],
    ['shape', new PythonTuple(shape)],
  ]);
  const text = spellPython(entries).replace(/\}$/, ', }');
  const isLatin = !/[^\x00-\xff]/.test(text),
    content = Buffer.from(text, isLatin ? 'latin1' : 'utf8');
  const major = !isLatin ? 3 : content.length + ALIGNMENT + 10 > 0xffff ? 2 : 1,
    prefix = major === 1 ? 10 : 12;
  const bytes = Math.ceil((prefix + content.length + 1) / ALIGNMENT) * ALIGNMENT;
  const header = Buffer.alloc(bytes, ' ');
  MAGIC.copy(header);
  header[6] = major;
  header[7] = 0;
  if (major === 1) header.writeUInt16LE(bytes - prefix, 8);
  else header.writeUInt32LE(bytes - prefix, 8);
  content.copy(header, prefix);
  header[bytes - 1] = 10;
  return header;
}
