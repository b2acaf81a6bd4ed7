/**
 * A Python pickle (protocol 2) of a dictionary of uint64 arrays by uint64: what `pickle.dumps` of the server holds.
 * Source: Python, Lib/pickletools.py; NumPy, the `_reconstruct` and `scalar` functions that its own pickles name.
 */
import { bytesOf } from '../../lib/base/uint64.ts';

const ascii = (text: string): Buffer => Buffer.from(text, 'latin1');

function binunicode(text: string): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32LE(text.length);
  return Buffer.concat([ascii('X'), length, ascii(text)]);
}

/** Protocol 2 has no bytes: they are text in latin1, encoded again. */
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

export function pickledArrays(entries: readonly (readonly [bigint, BigUint64Array])[]): Uint8Array {
  return Buffer.concat([
    ascii('\x80\x02}('),
    ...entries.flatMap(([key, value]) => [scalar(key), array(value)]),
    ascii('u.'),
  ]);
}
