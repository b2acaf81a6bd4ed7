/** The public types of `lookupTable`. */
import type { GrapheneVolume } from '../graphene/graphene-volume.ts';
import type { PrecomputedVolume } from '../graphene/precomputed-volume.ts';
import type {
  OpenGrapheneOptions,
  ReadPointsOptions,
  RootOptions,
  ScatteredPointsOptions,
} from '../graphene/option-types.ts';
import type { TableProgress } from '../jobs/job-types.ts';
import type { StorageOptions } from '../storage/bucket-options.ts';
import type { IdType } from '../tables/columnar/column.ts';
import type { FormatName } from '../tables/formats.ts';
import type { MissingText } from '../tables/missing.ts';

/**
 * Where the table of `lookupTable` is read from: the path of a file, a pattern of files (`**`, `*`, `?`, `[a-z]`,
 * `{a,b}`), a path `gs://`, `s3://` or `http(s)://`, or a list of these, which are read as one table. Or the bytes
 * of a table, from a Node.js stream, a web stream, or anything else that `for await` takes.
 */
export type LookupSource = string | readonly string[] | AsyncIterable<Uint8Array>;

/**
 * Where the table of `lookupTable` is written to: the path of a file, a path `gs://` or `s3://`, or a stream, which
 * is ended. A file or an object is written whole or not at all. A stream is destroyed (a web stream is aborted) if
 * the table is not complete.
 */
export type LookupSink = string | NodeSink | WebSink;

/** A Node.js stream that bytes are written to: a `Writable`. */
export interface NodeSink {
  /** As that of a `Writable`. */
  write(bytes: Uint8Array, done: (error?: Error | null) => void): unknown;
  /** As that of a `Writable`. */
  end(done: () => void): unknown;
  /** As that of a `Writable`. */
  destroy(error?: Error): unknown;
  /** As that of a `Writable`. */
  on(event: 'error', listener: (error: Error) => void): unknown;
}

/** A web stream that bytes are written to: a `WritableStream`. */
export interface WebSink {
  /** As that of a `WritableStream`. */
  getWriter(): {
    /** As that of a `WritableStreamDefaultWriter`. */
    write(bytes: Uint8Array): Promise<void>;
    /** As that of a `WritableStreamDefaultWriter`. */
    close(): Promise<void>;
    /** As that of a `WritableStreamDefaultWriter`. */
    abort(reason?: unknown): Promise<void>;
  };
}

/** A volume of a look-up: one that is open, or its path. */
export type LookupVolume = GrapheneVolume | PrecomputedVolume | string;

/** Another volume of a look-up. */
export interface NamedLookupVolume {
  /** The first part of the names of its columns: letters, digits, `_`, `-` and `.`. */
  name: string;
  /** The volume: one that is open, or its path. */
  volume: LookupVolume;
}

/** Options of `lookupTable`. Their names are those of the flags of `graphene-points lookup`. */
export interface LookupTableOptions
  extends
    Pick<ScatteredPointsOptions, 'resolution' | 'agglomerate'>,
    Pick<ReadPointsOptions, 'mip' | 'snap' | 'interpolate' | 'signal'>,
    Pick<RootOptions, 'stopLayer'> {
  /**
   * The volume: one that `openGraphene` or `openPrecomputed` opened, or its path. A volume that is open is used
   * with its caches, and stays open.
   */
  volume: LookupVolume;
  /**
   * How volumes that are paths are opened: the options of `openGraphene` and `openPrecomputed`. A graph has a
   * root cache unless `rootCache` is false.
   * @default none
   */
  open?: OpenGrapheneOptions;
  /**
   * Other volumes that are read at the same points, each at its finest scale. The columns of each begin with its
   * name.
   * @default none
   */
  also?: readonly NamedLookupVolume[];
  /**
   * The points of a row: a column whose cells hold all three coordinates, or the start of the names of three
   * columns (`pt_position` finds `pt_position_x`, `_y` and `_z`). Outputs are named after it: `pt_root_id`. Several
   * give several points per row.
   * @default the columns of `columns`
   */
  position?: string | readonly string[];
  /** The columns of the coordinates, xyz. @default x, y and z, in lower or upper case */
  columns?: readonly [string, string, string];
  /**
   * Timestamp of the roots. `'settled'` is the newest timestamp whose answers are final; with a datastack, `'mat'`
   * and `'mat_943'` are materializations. It is fixed once for the whole table.
   * @default the volume's, else now
   */
  timestamp?: RootOptions['timestamp'];
  /** A column with a timestamp for each row. A row without one has that of `timestamp`. @default none */
  timestampColumn?: string;
  /** The format of the source. A stream needs it. @default that of the suffix of the source */
  format?: FormatName;
  /** The format of the sink. @default that of the suffix of the sink, else that of the source */
  outFormat?: FormatName;
  /** The character between the fields of CSV and TSV. @default that of the format */
  delimiter?: string;
  /** The decimal mark of the coordinates in CSV and TSV. @default '.' */
  decimal?: '.' | ',';
  /** The type of IDs in columnar formats. @default that of a column that is replaced, else 'uint64' */
  idType?: IdType;
  /** The text for an ID without an answer in CSV and TSV. @default 'empty' */
  missing?: MissingText;
  /** Whether output columns that the source has are overwritten. @default false, an error */
  replace?: boolean;
  /** Whether a row without a valid point is an error. @default false */
  strict?: boolean;
  /**
   * How many points may need attention: a number, or a part of all, `'0.1%'`. With more, the look-up stops and
   * nothing is written.
   * @default all
   */
  maxFailures?: number | `${number}%`;
  /**
   * Folder of the temporary files of a table with more than a million rows, of a source that is a stream, and of a
   * sink in a bucket.
   * @default TMPDIR, else the folder of the sink, else that of the system
   */
  tempDir?: string;
  /** Credentials of the buckets of the source and the sink. @default as found for volumes */
  storage?: StorageOptions;
  /** Number of retries of requests for the source and the sink. @default 4 */
  retries?: number;
  /**
   * Receives how far the look-up is, at least once per task. It must be quick. An error that it throws ends the
   * look-up.
   */
  onProgress?: (progress: TableProgress) => void;
  /** Receives warnings: about rows, and about what looks wrong. @default warnings go to `console.warn` */
  warn?: (message: string) => void;
}
