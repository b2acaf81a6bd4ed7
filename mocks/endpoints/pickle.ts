/**
 * Writes a Python pickle (protocol 2) of a dictionary from uint64 to arrays of uint64, as the server's
 * `pickle.dumps` does. Source: Python, Lib/pickletools.py; NumPy, `_reconstruct` and `scalar`, the functions
 * that its pickles call.
 */
import { bytesOf } from '../../lib/base/uint64.ts';

const ascii = (text: string): Buffer => Buffer.from(text, 'latin1');

function binunicode(text: string): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32LE(text.length);
  return Buffer.concat([ascii('X'), length, ascii(text)]);
}

/** Protocol 2 has no type for bytes. They are text that is encoded as latin1 when it is read. */
function bytes(value: Uint8Array): Buffer {
  const text = Buffer.from(Buffer.from(value).toString('latin1'), 'utf8');
  const length = Buffer.alloc(4);
  length.writeUInt32LE(text.length);
  return Buffer.concat([ascii('c_codecs\nencode\nX'), length, text, binunicode('latin1'), ascii('\x86R')]);
}

function integer(value: number): Buffer {
  const word = Buffer.alloc(4);
  word.writeInt32LE(value);
  return Buffer.concat([ascii('J'), word]);
}

const UINT64 = Buffer.concat([
  ascii('cnumpy\ndtype\n'),
  binunicode('u8'),
  ascii('\x89\x88\x87R('), // not aligned, copied
  integer(3),
  binunicode('<'),
  ascii('NNN'),
  integer(-1),
  integer(-1),
  integer(0),
  ascii('tb'),
]);

const scalar = (id: bigint): Buffer =>
  Buffer.concat([
    ascii('cnumpy.core.multiarray\nscalar\n'),
    UINT64,
    bytes(bytesOf(BigUint64Array.of(id))),
    ascii('\x86R'),
  ]);

const array = (ids: BigUint64Array): Buffer =>
  Buffer.concat([
    ascii('cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\n'),
    integer(0),
    ascii('\x85'),
    bytes(ascii('b')),
    ascii('\x87R('),
    integer(1),
    integer(ids.length),
    ascii('\x85'),
    UINT64,
    ascii('\x89'),
    bytes(bytesOf(ids)),
    ascii('tb'),
  ]);

/** Pickles a dictionary of arrays. */
export function pickledArrays(entries: readonly (readonly [bigint, BigUint64Array])[]): Uint8Array {
  return Buffer.concat([
    ascii('\x80\x02}('),
    ...entries.flatMap(([key, value]) => [scalar(key), array(value)]),
    ascii('u.'),
  ]);
}
