/**
 * File types that are not text tables, recognized by suffix or first bytes, and how to convert each to a text
 * table.
 */
import { formatOfFile, KNOWN_SUFFIXES } from './formats.ts';

interface FileKind {
  name: string;
  suffixes: readonly string[];
  /** Matches the first bytes, decoded as latin1. */
  magic?: RegExp;
  /** The command or advice that converts FILE to the text table OUT. */
  convert: string;
}

const pandas = (read: string): string =>
  `python -c "import pandas; pandas.${read}.to_csv('OUT', index=False)"`;

const READ_ARROW = 'the format arrow (--format arrow) reads it';

const KINDS: readonly FileKind[] = [
  {
    name: 'Parquet',
    suffixes: [],
    magic: /^PAR1/,
    convert: 'the format parquet (--format parquet) reads it',
  },
  { name: 'an Arrow file', suffixes: [], magic: /^ARROW1/, convert: READ_ARROW },
  { name: 'an Arrow stream', suffixes: [], magic: /^\xff\xff\xff\xff/, convert: READ_ARROW },
  { name: 'version 1 of Feather', suffixes: [], magic: /^FEA1/, convert: pandas("read_feather('FILE')") },
  { name: 'ORC', suffixes: ['orc'], magic: /^ORC/, convert: pandas("read_orc('FILE')") },
  {
    name: 'a spreadsheet',
    suffixes: ['xlsx', 'xlsm', 'xls', 'ods'],
    magic: /^\xd0\xcf\x11\xe0/,
    convert: 'save it as "CSV UTF-8" (format the IDs as text, or they lose digits)',
  },
  {
    name: 'a NumPy array',
    suffixes: [],
    magic: /^\x93NUMPY/,
    convert: 'the format npy (--format npy) reads it',
  },
  { name: 'a pickle', suffixes: ['pkl', 'pickle'], convert: pandas("read_pickle('FILE')") },
  { name: 'HDF5', suffixes: ['h5', 'hdf5', 'hdf'], magic: /^\x89HDF/, convert: pandas("read_hdf('FILE')") },
  {
    name: 'a database',
    suffixes: ['sqlite', 'sqlite3', 'db'],
    magic: /^SQLite format 3/,
    convert: `sqlite3 -header -csv FILE "select * from NAME_OF_THE_TABLE" > OUT`,
  },
  { name: 'JSON', suffixes: ['json'], convert: "jq -c '.[]' FILE > OUT" },
  {
    name: 'an archive',
    suffixes: ['zip'],
    magic: /^PK\x03\x04/,
    convert: 'unzip it; if it is a spreadsheet, save it as "CSV UTF-8"',
  },
  {
    name: 'an archive',
    suffixes: ['tar', 'tgz', '7z', 'rar'],
    magic: /^(7z\xbc\xaf|Rar!)/,
    convert: 'extract the table from it',
  },
  { name: 'bzip2', suffixes: ['bz2'], magic: /^BZh[1-9]1AY&SY/, convert: 'bzip2 -dc FILE > OUT' },
  { name: 'xz', suffixes: ['xz'], magic: /^\xfd7zXZ\0/, convert: 'xz -dc FILE > OUT' },
  { name: 'LZ4', suffixes: ['lz4'], magic: /^\x04"M\x18/, convert: 'lz4 -dc FILE > OUT' },
];

/**
 * Says why a file with this name cannot be read as a table, and how to convert it. Returns undefined for any
 * other name.
 */
export function reasonNotReadable(path: string): string | undefined {
  const kind = kindOfName(path);
  return kind && `${path} is ${kind.name}, which is not read (${KNOWN_SUFFIXES} are): ${advice(kind, path)}`;
}

/** Says why a file with this name cannot be written as a table. Returns undefined for any other name. */
export function reasonNotWritable(path: string): string | undefined {
  const kind = kindOfName(path);
  return kind && `${path} would be ${kind.name}, which is not written (${KNOWN_SUFFIXES} are)`;
}

/**
 * Says why a file that begins with these bytes is not a text table, and how to convert it. Returns undefined
 * for any other bytes.
 *
 * @param displayName The name of the file in messages.
 */
export function reasonNotText(start: Uint8Array, displayName: string): string | undefined {
  const text = Buffer.from(start.buffer, start.byteOffset, Math.min(start.byteLength, 16)).toString('latin1');
  const kind = KINDS.find(({ magic }) => magic?.test(text));
  return kind && `${displayName} holds ${kind.name}, not text: ${advice(kind, displayName)}`;
}

function kindOfName(path: string): FileKind | undefined {
  const suffix = /\.([^./\\]+)$/.exec(path)?.[1].toLowerCase();
  return suffix === undefined ? undefined : KINDS.find(({ suffixes }) => suffixes.includes(suffix));
}

function advice({ name, convert }: FileKind, file: string): string {
  const stem = file.replace(/\.[^./\\]+$/, ''),
    out = name === 'JSON' ? `${stem}.jsonl` : formatOfFile(stem) === undefined ? `${stem}.csv` : stem;
  return convert.replaceAll('FILE', file).replaceAll('OUT', out);
}
