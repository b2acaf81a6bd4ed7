import { expect, test } from '@jest/globals';
import { contentTypeOf } from '../../lib/table-files/content-type.ts';

test.each([
  ['a.csv', 'text/csv; charset=utf-8'],
  ['a.TSV', 'text/tab-separated-values; charset=utf-8'],
  ['a.ndjson', 'application/jsonl'],
  ['a.pq', 'application/vnd.apache.parquet'],
  ['a.feather', 'application/vnd.apache.arrow.file'],
  ['a.arrows', 'application/vnd.apache.arrow.stream'],
  ['a.npy', 'application/octet-stream'],
  ['a.npz', 'application/zip'],
  ['a.csv.gz', 'application/gzip'],
  ['a.csv.zst', 'application/zstd'],
  ['a.json', 'application/json'],
  ['a.csv/b', 'application/octet-stream'],
])('%s is %s', (name, type) => expect(contentTypeOf(name)).toBe(type));

test('a name without a suffix has the type of its format', () =>
  expect(contentTypeOf('a', 'parquet')).toBe('application/vnd.apache.parquet'));
