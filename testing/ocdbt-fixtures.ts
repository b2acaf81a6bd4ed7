/** The OCDBT databases of spec/fixtures/ocdbt, and what TensorStore reads from them. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { FileStore } from '../lib/storage/file-store.ts';
import { KvStackStore } from '../lib/storage/kvstack.ts';
import type { Store } from '../lib/storage/store.ts';

export const OCDBT_FOLDER = join(
  dirname(dirname(fileURLToPath(import.meta.url))),
  'spec',
  'fixtures',
  'ocdbt',
);

/** A version as TensorStore reads it: the value of each key, in base 64. */
export interface ExpectedVersion {
  generation: number;
  commitTimeNs: string;
  values: Record<string, string>;
}

interface ExpectedDatabase {
  config: { uuid: string };
  versions: ExpectedVersion[];
  latest: Record<string, string>;
}

/** A volume at several versions: the labels of the points, as decimal strings. */
export interface ExpectedVolume {
  path: string;
  points: [number, number, number][];
  versions: { generation: number; commitTimeNs: string; values: string[] }[];
}

const expected = JSON.parse(readFileSync(join(OCDBT_FOLDER, 'expected.json'), 'utf8')) as Record<
  string,
  ExpectedDatabase
> & { volume: ExpectedVolume };
export const expectedVolume = expected.volume;

/** The databases of keys and values. */
export const DATABASES = ['apart', 'deep', 'fork', 'numbered', 'parts', 'plain'] as const;
export type DatabaseName = (typeof DATABASES)[number];

/** What TensorStore reads from a database. */
export const expectedDatabase = (name: DatabaseName): ExpectedDatabase => expected[name];

/** The stores of a database: its data, and its manifest if that is elsewhere. */
export function storesOf(
  name: DatabaseName,
  open: (folder: string) => Store = (folder) => new FileStore(join(OCDBT_FOLDER, folder)),
): { data: Store; manifest?: Store } {
  if (name === 'apart') return { data: open('apart/data'), manifest: open('apart/manifest') };
  if (name !== 'fork') return { data: open(name) };
  return {
    data: new KvStackStore([
      { store: open('plain') },
      { store: open('fork'), base: 'manifest.ocdbt', exact: 'manifest.ocdbt' },
      { store: open('fork/data'), prefix: 'fork_' },
    ]),
  };
}

/** All files of a database, by their path below the folder of the fixtures. */
export const filesOf = (folder: string): Map<string, Uint8Array> =>
  new Map(
    readdirSync(join(OCDBT_FOLDER, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => {
        const path = join(entry.parentPath, entry.name);
        return [path.slice(OCDBT_FOLDER.length + 1), new Uint8Array(readFileSync(path))];
      }),
  );
