/**
 * Reads the record of a datastack from the CAVE info service.
 * Source: CAVEclient, caveclient/infoservice.py and endpoints.py (`/info/api/v2/datastack/full/NAME`).
 */
import * as z from 'zod/mini';
import { InfoError, PathError } from '../base/errors.ts';
import type { Vec3 } from '../base/vec3.ts';
import { parseGraphPath, type Host } from '../chunkedgraph/server/graph-path.ts';
import type { GraphServer } from '../chunkedgraph/server/graph-server.ts';
import { requestJson, parseNamedServer } from './cave-server.ts';

/** What the info service says about one datastack. */
export interface DatastackRecord {
  name: string;
  /** The cloud path of the segmentation: `graphene://…`. */
  segmentationSource: string;
  /** The server of the chunkedgraph. */
  graphHost: Host;
  /** The server of the materialization service; without a value if the datastack has none. */
  localServer: RecordField<Host>;
  /**
   * Nanometres per voxel of the coordinates in the datastack's viewer; without a value if the record has
   * none.
   */
  viewerResolution: RecordField<Vec3>;
  /** The address of the datastack's viewer, if the record names one that is a web address. */
  viewerSite?: string;
}

/**
 * A field that few callers need. `error` says why the value cannot be used; only a caller that needs the
 * value throws it.
 */
export interface RecordField<T> {
  value?: T;
  error?: Error;
}

const AXES = ['x', 'y', 'z'] as const;
const schema = z.looseObject({ segmentation_source: z.nullish(z.string()) });

/** Returns the NAME of `cave://NAME`. @throws PathError BAD_PATH. */
export function parseDatastackPath(path: string): string {
  const [, name] = /^cave:\/\/([A-Za-z0-9][A-Za-z0-9_.-]*)\/?$/.exec(path) ?? [];
  if (name === undefined)
    throw new PathError(
      'BAD_PATH',
      'the path of a datastack is cave://NAME; its server is given by the option server (--server)',
    );
  return name;
}

/**
 * Requests the record of a datastack, and checks it.
 *
 * @throws GraphError; InfoError NOT_FOUND, BAD_INFO, or UNSUPPORTED (the segmentation is not a chunkedgraph);
 *   PathError BAD_PATH, or INSECURE_TOKEN (the graph's server must not get a token).
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
  // Some records omit the scheme.
  const segmentationSource = /^(middleauth\+)?https?:\/\//.test(source) ? `graphene://${source}` : source;
  if (!segmentationSource.startsWith('graphene://'))
    throw new InfoError(
      'UNSUPPORTED',
      `the segmentation of datastack ${name} is ${source === '' ? 'not named' : 'not a chunkedgraph'} at ${info.path.origin}: open its volume by its own path`,
      url,
    );
  return {
    name,
    segmentationSource,
    graphHost: parseNamedServer(parseGraphPath(segmentationSource).origin, info.path),
    localServer: localServerOf(record, info.path, url),
    viewerResolution: viewerResolutionOf(record, url),
    ...viewerSiteOf(record),
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
  const bad = given.findIndex((value, axis) => value !== undefined && !(nm[axis] > 0 && nm[axis] < Infinity));
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

/** A site that is no web address is left out: it is only a default, and links are shown to people. */
function viewerSiteOf({ viewer_site: site }: Record<string, unknown>): { viewerSite?: string } {
  const address = typeof site === 'string' ? site.trim() : '';
  return /^https?:\/\//i.test(address) && URL.canParse(address) ? { viewerSite: new URL(address).href } : {};
}

/** Some services write numbers as text. */
const asNumber = (value: unknown): number =>
  typeof value === 'number' || (typeof value === 'string' && /^\s*\d+(\.\d+)?\s*$/.test(value))
    ? Number(value)
    : NaN;
