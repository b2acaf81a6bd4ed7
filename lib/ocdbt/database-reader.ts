/** Reads the manifest of a database, and finds its versions. */
import { DecodeError, InfoError } from '../base/errors.ts';
import { decompress } from '../compression/decompress.ts';
import type { Store } from '../storage/store.ts';
import { unwrapStructure } from './decode-structure.ts';
import {
  decodeManifest,
  MANIFEST_KEY,
  numberedGeneration,
  numberedManifestKey,
  type DatabaseConfig,
  type Manifest,
} from './format/manifest.ts';
import { describeVersionSpec } from './format/version-spec.ts';
import {
  checkVersionNode,
  decodeVersionNode,
  findVersion,
  findVersionNode,
  type Version,
  type VersionNodeRef,
  type VersionSpec,
} from './format/version-tree.ts';
import { NodeReader } from './node-reader.ts';
import { rangeOf } from './plan-slices.ts';
import { readSlice, type SliceOptions } from './read-slice.ts';

/** Most bytes of a manifest, or of a version node, decompressed. */
const MOST_VERSION_BYTES = 64 * 1024 * 1024;
/** How often the list of numbered manifests is read again, if the newest was deleted meanwhile. */
const LIST_ATTEMPTS = 3;

/** A version, and the configuration of its database. */
export interface OpenedVersion {
  version: Version;
  config: DatabaseConfig;
  /** The newest version at that time. */
  latest: Version;
}

/** A database in a store. It keeps nodes, and no manifest. */
export class DatabaseReader {
  readonly nodes: NodeReader;

  /**
   * @param data Holds the data files.
   * @param manifests Holds the manifests.
   */
  constructor(
    readonly data: Store,
    readonly manifests: Store,
  ) {
    this.nodes = new NodeReader(data);
  }

  /**
   * Reads the manifest, and finds a version in it.
   * @param wanted The latest version, if undefined.
   * @throws InfoError NOT_FOUND (no manifest, no such version), BAD_INFO; RequestError; `signal.reason`.
   */
  async openVersion(wanted: VersionSpec | undefined, options: SliceOptions): Promise<OpenedVersion> {
    const { config, versions, nodes } = await this.#readManifest(wanted, options),
      latest = versions[versions.length - 1];
    if (!wanted) return { version: latest, config, latest };
    const version =
      findVersion(versions, wanted) ?? (await this.#findOlder(wanted, versions[0], nodes, config, options));
    if (version) return { version, config, latest };
    throw new InfoError(
      'NOT_FOUND',
      `the OCDBT database at ${this.data.url} has no ${describeVersionSpec(wanted)}; its latest is ${latest.generation}`,
      `${this.manifests.url}/${MANIFEST_KEY}`,
    );
  }

  /** Descends the version tree. Each node is lower than the one before it, so this ends. */
  async #findOlder(
    wanted: VersionSpec,
    oldest: Version,
    nodes: readonly VersionNodeRef[],
    { arityLog2 }: DatabaseConfig,
    options: SliceOptions,
  ): Promise<Version | undefined> {
    if ('generation' in wanted && wanted.generation > oldest.generation) return undefined;
    for (let ref = findVersionNode(nodes, arityLog2, wanted); ref;) {
      const { file } = ref.location,
        range = rangeOf(ref.location),
        url = `${this.data.url}/${file.path}, bytes ${range.start} to ${range.end}`;
      const bytes = await readSlice(this.data, file.path, range, options);
      const node = await namingDecodeErrors(url, async () => {
        const content = await unwrapStructure(bytes, 'version node', MOST_VERSION_BYTES),
          decoded = decodeVersionNode(content, file.basePath);
        checkVersionNode(decoded, ref!, arityLog2, (message) => new DecodeError('BAD_HEADER', message));
        return decoded;
      });
      if (node.height === 0) return findVersion(node.versions, wanted);
      ref = findVersionNode(node.nodes, arityLog2, wanted);
    }
    return undefined;
  }

  async #readManifest(wanted: VersionSpec | undefined, options: SliceOptions): Promise<Manifest> {
    const { url } = this.manifests;
    const manifest = await this.#readManifestAt(MANIFEST_KEY, options);
    if (!manifest)
      throw new InfoError(
        'NOT_FOUND',
        `no ${MANIFEST_KEY} at ${url}: is the path that of an OCDBT database?`,
        `${url}/${MANIFEST_KEY}`,
      );
    if (!manifest.config.isNumbered) return manifest;
    for (let attempt = 0; attempt < LIST_ATTEMPTS; attempt++) {
      const newest = await this.#newestNumbered(wanted, options),
        key = numberedManifestKey(newest),
        numbered = await this.#readManifestAt(key, options);
      if (!numbered) {
        if (this.manifests.list) continue; // it was deleted, because there are newer ones
        throw new InfoError(
          'NOT_FOUND',
          `no ${key} at ${url}: there is no such version, or its manifest was deleted when newer ones came`,
          `${url}/${key}`,
        );
      }
      const last = numbered.versions.at(-1)?.generation,
        isSameDatabase = numbered.config.uuid === manifest.config.uuid;
      if (last === newest && isSameDatabase) return numbered;
      throw new InfoError(
        'BAD_INFO',
        `${url}/${key} ${isSameDatabase ? `ends with version ${last ?? 'none'}` : `belongs to another database than ${MANIFEST_KEY}`}`,
        `${url}/${key}`,
      );
    }
    throw new InfoError(
      'NOT_FOUND',
      `the numbered manifests at ${url} were deleted while they were read`,
      url,
    );
  }

  /** Finds the generation of the newest numbered manifest. */
  async #newestNumbered(wanted: VersionSpec | undefined, { signal }: SliceOptions): Promise<number> {
    const { manifests } = this;
    if (!manifests.list) {
      if (wanted && 'generation' in wanted) return wanted.generation;
      throw new InfoError(
        'UNSUPPORTED',
        `the OCDBT database at ${manifests.url} has one manifest for each commit, and this kind of store cannot list them: name a version, such as ocdbt:@v12, whose manifest is still there`,
        manifests.url,
      );
    }
    const keys = await manifests.list('manifest.', { signal }),
      generations = keys.flatMap((key) => numberedGeneration(key) ?? []);
    if (generations.length > 0) return Math.max(...generations);
    throw new InfoError(
      'NOT_FOUND',
      `no numbered manifest at ${manifests.url}: the database has no version`,
      manifests.url,
    );
  }

  async #readManifestAt(key: string, { signal, stop, meter }: SliceOptions): Promise<Manifest | undefined> {
    const url = `${this.manifests.url}/${key}`,
      object = await this.manifests.read(key, { signal, stop, meter, maxBytes: MOST_VERSION_BYTES });
    return (
      object &&
      namingDecodeErrors(url, async () => {
        const bytes = await decompress(object.bytes, object.contentEncoding, {
          maxBytes: MOST_VERSION_BYTES,
        });
        return decodeManifest(await unwrapStructure(bytes, 'manifest', MOST_VERSION_BYTES));
      })
    );
  }
}

/** Turns a decoding error into one that names the place. @throws InfoError BAD_INFO, UNSUPPORTED. */
async function namingDecodeErrors<T>(url: string, decode: () => Promise<T>): Promise<T> {
  try {
    return await decode();
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    throw new InfoError(
      error.code === 'UNSUPPORTED' ? 'UNSUPPORTED' : 'BAD_INFO',
      `${url}: ${error.message}`,
      url,
      { cause: error },
    );
  }
}
