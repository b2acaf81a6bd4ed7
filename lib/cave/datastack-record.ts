/**
 * A datastack: what its info service says of it.
 * Source: CAVEclient, caveclient/infoservice.py and endpoints.py (`/info/api/v2/datastack/full/NAME`).
 */
import * as z from 'zod';
import { InfoError, PathError } from '../base/errors.ts';
import type { Vec3 } from '../base/vec3.ts';
import { parseGraphPath, type Host } from '../chunkedgraph/server/graph-path.ts';
import type { GraphServer } from '../chunkedgraph/server/graph-server.ts';
import { requestJson, parseNamedServer } from './cave-server.ts';

export interface DatastackRecord {
  name: string;
  /** `graphene://…`. */
  segmentationSource: string;
  /** Where its chunkedgraph is. */
  graphHost: Host;
  /** Where its materialization service is; undefined when it has none. */
  localServer: RecordField<Host>;
  /** Nanometres per voxel of the coordinates that its viewer shows; undefined when the service does not say. */
  viewerResolution: RecordField<Vec3>;
}

/** What the service says of something that few need: `fault` is why it cannot be used, for whoever wants it. */
export interface RecordField<T> {
  value?: T;
  error?: Error;
}

const AXES = ['x', 'y', 'z'] as const;
const schema = z.looseObject({ segmentation_source: z.string().nullish() });

/** `cave://NAME` → `NAME`. @throws PathError BAD_PATH. */
export function parseDatastackPath(path: string): string {
  const [, name] = /^cave:\/\/([A-Za-z0-9][A-Za-z0-9_.-]*)\/?$/.exec(path) ?? [];
  if (name === undefined)
    throw new PathError(
      'BAD_PATH',
      'a datastack is opened as cave://NAME; its server has an option of its own',
    );
  return name;
}

/**
 * @throws GraphError; InfoError NOT_FOUND, BAD_INFO, or UNSUPPORTED (its segmentation is no chunkedgraph); PathError BAD_PATH, or
 *   INSECURE_TOKEN (its graph is at a server that must not get a token).
 */
export async function fetchDatastackRecord(
  info: GraphServer<Host>,
  name: string,
  signal?: AbortSignal,
): Promise<DatastackRecord> {
  const path = `/info/api/v2/datastack/full/${encodeURIComponent(name)}`;
  const url = `${info.path.origin}${path}`;
  const record = await requestJson(info, path, schema, `datastack ${JSON.stringify(name)}`, signal);
  const source = record.segmentation_source?.trim() ?? '';
  // Some records leave the scheme out.
  const segmentationSource = /^(middleauth\+)?https?:\/\//.test(source) ? `graphene://${source}` : source;
  if (!segmentationSource.startsWith('graphene://'))
    throw new InfoError(
      'UNSUPPORTED',
      `the segmentation of datastack ${name} is ${source === '' ? 'not named' : 'no chunkedgraph'} at ${info.path.origin}: open its volume by its own path`,
      url,
    );
  return {
    name,
    segmentationSource,
    graphHost: parseNamedServer(parseGraphPath(segmentationSource).origin, info.path),
    localServer: localServerOf(record, info.path, url),
    viewerResolution: viewerResolutionOf(record, url),
  };
}

function localServerOf(
  { local_server: address }: Record<string, unknown>,
  from: Host,
  url: string,
): RecordField<Host> {
  if (address === undefined || address === null || address === '') return {};
  if (typeof address !== 'string')
    return { error: new InfoError('BAD_INFO', `${url}: local_server is not text`, url) };
  try {
    return { value: parseNamedServer(address.trim(), from) };
  } catch (error) {
    if (!(error instanceof PathError)) throw error;
    return { error: new PathError(error.code, `${url}: local_server: ${error.message}`, { cause: error }) };
  }
}

function viewerResolutionOf(record: Record<string, unknown>, url: string): RecordField<Vec3> {
  const given = AXES.map((axis) => record[`viewer_resolution_${axis}`] ?? undefined),
    nm = given.map(asNumber);
  const bad = given.findIndex((told, axis) => told !== undefined && !(nm[axis] > 0 && nm[axis] < Infinity));
  if (bad >= 0) {
    const shown = JSON.stringify(given[bad]).slice(0, 60);
    return {
      error: new InfoError(
        'BAD_INFO',
        `${url}: viewer_resolution_${AXES[bad]} is ${shown}, not a positive number of nanometres: give three numbers`,
        url,
      ),
    };
  }
  return given.includes(undefined) ? {} : { value: [nm[0], nm[1], nm[2]] };
}

/** Some services write numbers as text. */
const asNumber = (told: unknown): number =>
  typeof told === 'number' || (typeof told === 'string' && /^\s*\d+(\.\d+)?\s*$/.test(told))
    ? Number(told)
    : NaN;
