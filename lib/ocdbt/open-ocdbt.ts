/** Opens a version of an OCDBT database, and reads it. */
import type { ObjectSource } from '../chunks/chunk-source.ts';
import { answerEmptyRange, clipRange, splitKey, tooLargeError } from '../storage/keys.ts';
import { DEFAULT_MAX_BYTES } from '../http/http-request.ts';
import type { ByteRange, ReadOptions, Store, StoredObject, StoreServer } from '../storage/store.ts';
import { DatabaseReader, type OpenedVersion } from './database-reader.ts';
import type { FoundValue } from './format/btree-node.ts';
import type { DataRef } from './format/data-files.ts';
import { formatCommitTime, parseVersionSpec, type OcdbtVersion } from './format/version-spec.ts';
import type { VersionSpec } from './format/version-tree.ts';
import { locateKeys, type Located } from './locate.ts';
import { nodeLimit } from './node-reader.ts';
import { OCDBT_MARK, type OcdbtSourceOptions, type OcdbtStore } from './ocdbt-store.ts';
import { OcdbtSource, type OcdbtValues } from './ocdbt-source.ts';
import { rangeOf } from './plan-slices.ts';
import { readSlice, type SliceOptions } from './read-slice.ts';

/** Options of {@link openOcdbt}. */
export interface OpenOcdbtOptions extends SliceOptions {
  /** Which version to read. @default the latest one at the time of opening */
  version?: OcdbtVersion;
  /** A folder in the database, without slashes at its ends. @default the whole database */
  path?: string;
  /** Holds the manifests. @default the store of the data */
  manifest?: Store;
}

/**
 * Opens one version of a database: reads its manifest, and nodes of the version tree if the version is old.
 * The store keeps reading that version, whatever is committed later.
 * @throws InfoError NOT_FOUND (no database, no such version), BAD_INFO, UNSUPPORTED; RequestError; RangeError
 *   for a version that is none; PathError for a bad path; `signal.reason`.
 */
export async function openOcdbt(
  data: Store,
  { version, path = '', manifest = data, ...options }: OpenOcdbtOptions = {},
): Promise<OcdbtStore & OcdbtValues> {
  if (path !== '') splitKey(path);
  const wanted = version === undefined ? undefined : parseVersionSpec(version),
    database = new DatabaseReader(data, manifest);
  return new DatabaseVersion(database, await database.openVersion(wanted, options), path);
}

/** Reads the values of one version of a database. */
class DatabaseVersion implements OcdbtStore, OcdbtValues {
  readonly [OCDBT_MARK] = true;
  /** `BASE/|ocdbt:@v12/PATH` */
  readonly url: string;
  readonly identity?: NonNullable<Store['identity']>;
  readonly #database: DatabaseReader;
  readonly #opened: OpenedVersion;
  readonly #path: string;

  constructor(database: DatabaseReader, opened: OpenedVersion, path: string) {
    this.#database = database;
    this.#opened = opened;
    this.#path = path;
    this.url = `${database.data.url}/|ocdbt:@v${opened.version.generation}${path && `/${path}`}`;
    const { data, manifests } = database;
    if (data.identity && manifests.identity) this.identity = () => this.#identify();
  }

  get generation(): number {
    return this.#opened.version.generation;
  }

  get commitTimeNs(): bigint {
    return this.#opened.version.commitTimeNs;
  }

  get commitTime(): string {
    return formatCommitTime(this.#opened.version);
  }

  get latestGeneration(): number {
    return this.#opened.latest.generation;
  }

  get server(): StoreServer | undefined {
    return this.#database.data.server;
  }

  below(folder: string): OcdbtStore {
    splitKey(folder);
    return new DatabaseVersion(
      this.#database,
      this.#opened,
      this.#path === '' ? folder : `${this.#path}/${folder}`,
    );
  }

  async at(version?: OcdbtVersion, options: SliceOptions = {}): Promise<OcdbtStore> {
    const wanted: VersionSpec | undefined = version === undefined ? undefined : parseVersionSpec(version),
      opened = await this.#database.openVersion(wanted, options);
    return this.#isSame(opened) ? this : new DatabaseVersion(this.#database, opened, this.#path);
  }

  locate(keys: readonly string[], options: SliceOptions): Promise<Located[]> {
    const { version, config } = this.#opened,
      prefix = this.#path && `${this.#path}/`;
    return locateKeys(
      keys.map((key) => UTF8.encode(prefix + key)),
      { ...options, nodes: this.#database.nodes, version, maxNodeBytes: nodeLimit(config.maxNodeBytes) },
    );
  }

  readData(path: string, range: ByteRange, options: SliceOptions): Promise<Uint8Array> {
    return readSlice(this.#database.data, path, range, options);
  }

  validatorOf(value: FoundValue): string {
    if (value instanceof Uint8Array) return `ocdbt v${this.generation} ${this.#opened.config.uuid}`;
    return `ocdbt ${value.offset} ${value.length} ${value.file.path}`;
  }

  createSource(options: OcdbtSourceOptions): ObjectSource {
    return new OcdbtSource(this, options);
  }

  async read(key: string, options: ReadOptions = {}): Promise<StoredObject | undefined> {
    const { range, signal, stop, meter, ifNoneMatch, maxBytes = DEFAULT_MAX_BYTES } = options;
    splitKey(key);
    const empty = answerEmptyRange(range);
    if (empty) return empty;
    const slice: SliceOptions = stop ? { stop, meter } : { signal, meter };
    const [located] = await this.locate([key], slice);
    if (!('value' in located)) throw located.error;
    const { value } = located;
    if (value === undefined) return undefined;
    const validator = this.validatorOf(value),
      url = `${this.url}/${key}`,
      contentEncoding = undefined;
    if (ifNoneMatch === validator)
      return { bytes: new Uint8Array(0), contentEncoding, validator, notModified: true };
    const totalBytes = value instanceof Uint8Array ? value.byteLength : value.length,
      part = range ? clipRange(url, range, totalBytes) : { start: 0, end: totalBytes };
    if (part.end - part.start > maxBytes) throw tooLargeError(url, maxBytes);
    const bytes =
      value instanceof Uint8Array
        ? value.slice(part.start, part.end)
        : await this.readData(value.file.path, partOf(value, part), slice);
    return { bytes, contentEncoding, validator, ...(range && { range: part, totalBytes }) };
  }

  #isSame({ version, config }: OpenedVersion): boolean {
    return (
      version.generation === this.generation &&
      version.commitTimeNs === this.commitTimeNs &&
      config.uuid === this.#opened.config.uuid
    );
  }

  async #identify(): Promise<unknown> {
    const { data, manifests } = this.#database,
      { version, config } = this.#opened,
      own = [config.uuid, version.generation, String(version.commitTimeNs), version.root ?? null];
    return [await data.identity!(), await manifests.identity!(), own];
  }
}

const UTF8 = new TextEncoder();

/** A part of a value as a range of its data file. */
function partOf(value: DataRef, { start, end }: ByteRange): ByteRange {
  const whole = rangeOf(value);
  return { start: whole.start + start, end: whole.start + end };
}
