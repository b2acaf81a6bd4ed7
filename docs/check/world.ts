/**
 * What the examples of a page talk to: the demo's volume and graph, a bucket and a CAVE server, mocked on this machine, under the names
 * that the pages use; and the tables that the examples read. Everything comes from the packed package.
 */
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { GraphDescription } from '../../mocks/index.ts';

type Mocks = typeof import('../../mocks/index.ts');

export interface World {
  /** What the page writes, and what it means here. */
  readonly toHere: (text: string) => string;
  readonly toPage: (text: string) => string;
  readonly env: NodeJS.ProcessEnv;
  readonly close: () => Promise<void>;
}

/** Versions of the datastack: two before the demo's merge, one after it. */
const VERSIONS = { 117: '2024-02-01T08:10:00Z', 343: '2024-06-01T08:10:00Z', 943: '2024-09-01T08:10:00Z' };

/** Units of the tables' coordinates, as of many viewers. The volume has voxels of 8 x 8 x 40 nm. */
const VIEWER = { viewer_resolution_x: 4, viewer_resolution_y: 4, viewer_resolution_z: 40 };

/** @param installed Folder of the installed package. @param folder Folder of the page, in which its programs run. */
export async function openWorld(installed: string, folder: string): Promise<World> {
  const { createMockBucket, createMockChunkedGraph, mockCave, serveMocks } = (await import(
    pathToFileURL(join(installed, 'dist/mocks/index.js')).href
  )) as Mocks;
  const demo = join(installed, 'demo');
  const description = JSON.parse(readFileSync(join(demo, 'graph.json'), 'utf8')) as GraphDescription;
  const bucket = createMockBucket({ folder: join(demo, 'volume') });
  const served = await serveMocks({
    '/segmentation': createMockChunkedGraph({ ...description, table: 'NAME', dataDir: '{HOST}/BUCKET/PATH' }),
    '/BUCKET/PATH': bucket,
    ...mockCave({ datastack: 'DATASTACK', table: 'NAME', versions: VERSIONS, datastackInfo: VIEWER }),
  });
  const { host } = new URL(served.url);

  const home = join(folder, 'home');
  mkdirSync(join(home, '.cloudvolume/secrets'), { recursive: true });
  writeFileSync(
    join(home, '.cloudvolume/secrets/cave_datastack_to_server_map.json'), // as CAVEclient remembers it
    JSON.stringify({ DATASTACK: served.url }),
  );
  cpSync(join(import.meta.dirname, 'files'), folder, { recursive: true });
  cpSync(join(demo, 'volume'), join(folder, 'FOLDER'), { recursive: true });
  cpSync(join(demo, 'graph.json'), join(folder, 'graph.json'));
  return {
    toHere: (text) => text.replaceAll('https://HOST', served.url),
    toPage: (text) => text.replaceAll(served.url, 'https://HOST').replaceAll(host, 'HOST'),
    env: {
      PATH: `${join(folder, 'node_modules/.bin')}:${process.env.PATH}`,
      HOME: home,
      LANG: 'C.UTF-8',
      STORAGE_EMULATOR_HOST: served.url,
      AWS_ENDPOINT_URL_S3: served.url,
      npm_config_update_notifier: 'false',
    },
    close: () => served.close(),
  };
}
