import { describe, expect, test } from '@jest/globals';
import {
  formatOfFile,
  formatsWithOption,
  KNOWN_SUFFIXES,
  compressionOfFile,
} from '../../lib/tables/formats.ts';
import { reasonNotReadable, reasonNotWritable } from '../../lib/tables/file-kinds.ts';

describe('the formats of tables', () => {
  test.each([
    ['a.csv', 'csv', undefined],
    ['a.TSV', 'tsv', undefined],
    ['x.y/a.b.ndjson', 'jsonl', undefined],
    ['a.jsonl.gz', 'jsonl', 'gzip'],
    ['a.csv.ZSTD', 'csv', 'zstd'],
    ['.csv', 'csv', undefined],
    ['a.gz', undefined, 'gzip'],
    ['csv.gz', undefined, 'gzip'],
    ['a.csv/b', undefined, undefined],
    ['a.csv.bz2', undefined, undefined],
    ['csv', undefined, undefined],
  ])('are recognized by the suffix: %s', (path, format, compression) => {
    expect([formatOfFile(path), compressionOfFile(path)]).toEqual([format, compression]);
  });

  test('are listed in messages, and each option names its formats', () => {
    expect(KNOWN_SUFFIXES).toBe(
      '.csv, .tsv, .jsonl and .ndjson, each also as .gz or .zst, and .parquet, .pq, .arrow, .feather, .ipc, .arrows, .npy and .npz',
    );
    for (const option of ['delimiter', 'decimal', 'missing'] as const)
      expect(
        (['csv', 'tsv', 'list', 'tab-list', 'jsonl'] as const).map((format) =>
          formatsWithOption(option, format),
        ),
      ).toEqual([undefined, undefined, undefined, undefined, 'csv and tsv']);
  });

  test.each([
    ['a.csv', undefined],
    ['a.csv.gz', undefined],
    ['a', undefined],
    ['a.parquet', undefined],
    ['a.tsv.bz2', 'bzip2 -dc a.tsv.bz2 > a.tsv'],
    ['a.bz2', 'bzip2 -dc a.bz2 > a.csv'],
    ['a.json', "jq -c '.[]' a.json > a.jsonl"],
  ])('come with advice on how to convert other files: %s', (path, advice) => {
    expect(reasonNotReadable(path)?.includes(advice!)).toBe(advice && true);
    expect(reasonNotWritable(path) === undefined).toBe(advice === undefined);
  });
});
