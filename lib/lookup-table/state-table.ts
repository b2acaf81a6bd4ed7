/** Reads Neuroglancer states as a table of points: each point is a row, with what its annotation says. */
import { open } from 'node:fs/promises';
import { StateError, TableError } from '../base/errors.ts';
import type { Vec3 } from '../base/vec3.ts';
import { fetchState, isStoredState, type StateServerOptions } from '../cave/state-server.ts';
import { createHttpClient } from '../failures/http-client.ts';
import { pointsOfState, type StatePoints } from '../neuroglancer/state-points.ts';
import { isStateLink, MAX_STATE_LENGTH, readStateText } from '../neuroglancer/state-text.ts';
import { type CloudOptions, parseTablePath, type TablePath } from '../table-files/cloud-input.ts';
import { ioError } from '../tables/files/byte-streams.ts';
import { streamInput } from '../tables/files/table-input.ts';

/** How the states of a look-up are read. */
export interface StateTableOptions extends Omit<StateServerOptions, 'http' | 'signal'> {
  /** Whether all paths are states, whatever their names. @default files `.json` that hold one, and links */
  isNamed: boolean;
  /** The only annotation layer that is read. @default all */
  layer?: string;
  /** Nanometres per unit of the coordinates in the table. @default that of the first state */
  resolution?: Vec3;
  cloud: CloudOptions;
  /** Standard input, for -. */
  stdin: AsyncIterable<Uint8Array>;
  signal: AbortSignal;
}

/** The table of one or more states, as CSV. */
export interface StateTable {
  table: TablePath;
  /** Nanometres per unit of its columns x, y and z. */
  resolution: Vec3;
}

/**
 * Reads the states that paths name. Returns undefined if none is a state.
 *
 * @throws StateError; TableError BAD_FORMAT if some are states and others are not; the errors of the server.
 */
export async function readStateTable(
  paths: readonly string[],
  options: StateTableOptions,
): Promise<StateTable | undefined> {
  const texts: (string | undefined)[] = [];
  for (const path of paths) texts.push(await readState(path, options));
  if (texts.every((text) => text === undefined)) return undefined;
  const other = texts.indexOf(undefined);
  if (other >= 0)
    throw new TableError(
      'BAD_FORMAT',
      `${paths[other]} is not a Neuroglancer state, and other inputs are: look them up apart`,
    );
  let { resolution } = options;
  const parts: string[] = [];
  for (const [k, text] of texts.entries()) {
    const points = naming(paths[k], () => pointsOfState(text!, { layer: options.layer, resolution }));
    resolution = points.resolution;
    for (const { layer, source } of points.elsewhere)
      options.warn(`layer ${layer} is left out: its annotations are at ${source}, and not in the state`);
    parts.push(toCsv(points));
  }
  const name = paths.length === 1 ? nameOf(paths[0]) : `${nameOf(paths[0])} and ${paths.length - 1} more`;
  return { table: csvTable(name, HEADER + parts.join('')), resolution: resolution! };
}

const nameOf = (path: string): string =>
  path === '-' ? 'standard input' : isStateLink(path) ? 'the state of the link' : path;

/** Names the input in an error of its state. */
function naming<T>(path: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof StateError)) throw error;
    const { code, message, layer, annotation } = error;
    throw new StateError(code, `${nameOf(path)}: ${message}`, { layer, annotation });
  }
}

/** Returns the text of a state, or undefined if a path does not name one. */
async function readState(path: string, options: StateTableOptions): Promise<string | undefined> {
  const isLink =
    isStateLink(path) && (path.includes('#!') || /[?&]json_url=/.test(path) || isStoredState(path.trim()));
  if (isLink) return readLinkedState(path, options);
  const mayBeState = options.isNamed || /\.json$/i.test(path);
  if (!mayBeState) return undefined;
  const bytes = await readWhole(path, options);
  if (bytes === undefined) return undefined;
  const text = new TextDecoder().decode(bytes);
  return options.isNamed || holdsState(text) ? text : undefined;
}

async function readLinkedState(link: string, options: StateTableOptions): Promise<string> {
  const read = naming(link, () => readStateText(link));
  if (read.state) return JSON.stringify(read.state);
  const http = createHttpClient({ retries: options.cloud.retries });
  try {
    return await fetchState(read.url, { ...options, http });
  } finally {
    http.close();
  }
}

/** Whether a JSON text is a state: it has layers. */
function holdsState(text: string): boolean {
  if (!/^\s*\{/.test(text)) return false;
  try {
    const { state } = readStateText(text);
    return typeof state?.layers === 'object' && state.layers !== null;
  } catch {
    return false;
  }
}

/** Reads a file, an object or standard input whole. Returns undefined if there is no such file. */
async function readWhole(
  path: string,
  { cloud, stdin, signal, isNamed }: StateTableOptions,
): Promise<Uint8Array | undefined> {
  if (path === '-') return joined(stdin, path);
  const { name, open: openObject } = parseTablePath(path, cloud);
  if (openObject) {
    const input = openObject(signal, undefined);
    return joined(input.bytes(), name).finally(() => input.close());
  }
  const handle = await open(name, 'r').catch((error: unknown) => {
    if (isNamed) throw ioError('read', name, error);
  });
  if (!handle) return undefined; // its absence is reported where tables are opened
  try {
    return await joined(handle.createReadStream({ autoClose: false }), name);
  } catch (error) {
    throw error instanceof StateError ? error : ioError('read', name, error);
  } finally {
    await handle.close();
  }
}

async function joined(bytes: AsyncIterable<Uint8Array>, name: string): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of bytes) {
    length += part.length;
    if (length > MAX_STATE_LENGTH)
      throw new StateError(
        'TOO_LARGE',
        `${name} has more than ${MAX_STATE_LENGTH} bytes, which no state has`,
      );
    parts.push(part);
  }
  return Buffer.concat(parts);
}

const HEADER = 'layer,id,part,x,y,z,description,tags,segments\n';

function toCsv({ points, layer, annotation, part, description, tags, segments }: StatePoints): string {
  const rows = layer.map((name, k) =>
    [
      name,
      annotation[k],
      part[k],
      points[3 * k],
      points[3 * k + 1],
      points[3 * k + 2],
      description[k] ?? '',
      tags[k].join('; '),
      segments[k].join(' '),
    ]
      .map(toField)
      .join(','),
  );
  return rows.length === 0 ? '' : `${rows.join('\n')}\n`;
}

const toField = (value: string | number): string => {
  const text = String(value);
  return /[",\r\n]/.test(text) || text !== text.trim() ? `"${text.replaceAll('"', '""')}"` : text;
};

function csvTable(name: string, text: string): TablePath {
  const encoded = Buffer.from(text);
  async function* bytes(): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < encoded.length; at += 2 ** 16) yield encoded.subarray(at, at + 2 ** 16);
  }
  return { name, url: name, open: (signal, folder) => streamInput(name, bytes, signal, folder) };
}
