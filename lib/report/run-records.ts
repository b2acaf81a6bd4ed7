/** Keeps what the runs of a job did in its folder: a small file per run, `runs/TIME-ID.json`. */
import { randomUUID } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isAbsentFile, type JobFolder } from '../jobs/job-folder.ts';
import { ioError } from '../tables/files/byte-streams.ts';
import { RUN_RECORD, type RunRecord } from './model/run-record.ts';

/** The number of records that are read: the newest ones. */
const MOST_RECORDS = 500;
/** A longer file is no record. */
const MOST_BYTES = 2 ** 20;

/** The record of one run. Each write replaces the one before. */
export class RunRecordFile {
  readonly #folder: JobFolder;
  readonly #path: string;
  #last: Promise<void> = Promise.resolve();

  constructor(folder: JobFolder, startMs: number) {
    this.#folder = folder;
    const time = new Date(startMs).toISOString().replace(/[:.]/g, '-');
    this.#path = join(folder.records, `${time}-${randomUUID().slice(0, 8)}.json`);
  }

  /** Writes the record, whole or not at all. @throws TableError UNREADABLE. */
  write(record: RunRecord): Promise<void> {
    const step = async (): Promise<void> => {
      await this.#folder.prepareRecords();
      await this.#folder.writeWhole(this.#path, [Buffer.from(JSON.stringify(record))]);
    };
    this.#last = this.#last.catch(() => undefined).then(step);
    return this.#last;
  }
}

/** The records of a job, in the order in which the runs began. */
export interface KeptRecords {
  records: RunRecord[];
  /** The number of files that are no records, or are too many. */
  unread: number;
}

/** Reads the records of all runs of a job. @throws TableError UNREADABLE. */
export async function readRunRecords(folder: JobFolder): Promise<KeptRecords> {
  const names = await readdir(folder.records).catch((error: unknown) => {
    if (isAbsentFile(error)) return [];
    throw ioError('read', folder.records, error);
  });
  const files = names.filter((name) => name.endsWith('.json')).toSorted(),
    records: RunRecord[] = [];
  for (const name of files.slice(-MOST_RECORDS)) {
    const record = await readRecord(join(folder.records, name));
    if (record) records.push(record);
  }
  return {
    records: records.toSorted((a, b) => a.startMs - b.startMs),
    unread: files.length - records.length,
  };
}

async function readRecord(path: string): Promise<RunRecord | undefined> {
  try {
    if ((await stat(path)).size > MOST_BYTES) return undefined;
    return RUN_RECORD.safeParse(JSON.parse(await readFile(path, 'utf8'))).data;
  } catch {
    return undefined;
  }
}
