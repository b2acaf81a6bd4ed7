/**
 * A datastack: what its info service says of it.
 * Source: CAVEclient, caveclient/infoservice.py and endpoints.py (`/info/api/v2/datastack/full/NAME`).
 */
import * as z from 'zod';
import { InfoError, PathError } from '../base/errors.ts';
import type { Vec3 } from '../base/vec3.ts';
import { parseGraphPath, type Host } from '../chunkedgraph/graph-path.ts';
import type { GraphServer } from '../chunkedgraph/graph-server.ts';
import { askJson, learntServer } from './server.ts';

export interface Datastack {
  name: string;
  /** `graphene://…`. */
  segmentationSource: string;
  /** Where its chunkedgraph is. */
  graphHost: Host;
  /** Where its materialization service is; undefined when it has none. */
  localServer: Host | undefined;
  /** Nanometres per voxel of the coordinates that its viewer shows; undefined when the service does not say. */
  viewerResolution: Vec3 | undefined;
}

const positive = z.number().positive().nullish();

const schema = z.looseObject({
  segmentation_source: z.string().nullish(),
  local_server: z.string().nullish(),
  viewer_resolution_x: positive,
  viewer_resolution_y: positive,
  viewer_resolution_z: positive,
});

/** `cave://NAME` → `NAME`. @throws PathError BAD_PATH. */
export function parseDatastack(path: string): string {
  const [, name] = /^cave:\/\/([A-Za-z0-9][A-Za-z0-9_.-]*)\/?$/.exec(path) ?? [];
  if (name === undefined) throw new PathError('BAD_PATH', 'a datastack is opened as cave://NAME; its server has an option of its own');
  return name;
}

/**
 * @throws GraphError; InfoError NOT_FOUND, BAD_INFO, or UNSUPPORTED (its segmentation is no chunkedgraph); PathError BAD_PATH, or
 *   INSECURE_TOKEN (it names a server that must not get a token).
 */
export async function readDatastack(info: GraphServer<Host>, name: string, signal?: AbortSignal): Promise<Datastack> {
  const path = `/info/api/v2/datastack/full/${encodeURIComponent(name)}`;
  const url = `${info.path.origin}${path}`;
  const record = await askJson(info, path, schema, `datastack ${JSON.stringify(name)}`, signal);
  const source = record.segmentation_source?.trim() ?? '';
  // Some records leave the scheme out.
  const segmentationSource = /^(middleauth\+)?https?:\/\//.test(source) ? `graphene://${source}` : source;
  if (!segmentationSource.startsWith('graphene://')) throw new InfoError('UNSUPPORTED', `the segmentation of datastack ${name} is ${source === '' ? 'not named' : 'no chunkedgraph'} at ${info.path.origin}: open its volume by its own path`, url);
  const { viewer_resolution_x: x, viewer_resolution_y: y, viewer_resolution_z: z } = record;
  return {
    name,
    segmentationSource,
    graphHost: learntServer(parseGraphPath(segmentationSource).origin, info.path),
    localServer: record.local_server ? learntServer(record.local_server, info.path) : undefined,
    viewerResolution: x && y && z ? [x, y, z] : undefined,
  };
}
