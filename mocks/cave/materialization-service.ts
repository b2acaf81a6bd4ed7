/**
 * Endpoints of the CAVE materialization service: the versions of a datastack. Source: CAVEclient,
 * caveclient/endpoints.py.
 */
import { toMs } from '../graph-description.ts';
import { serviceVersion, type CaveContext, type CaveEndpoint } from './cave-endpoint.ts';

export const MATERIALIZE_ENDPOINTS: readonly CaveEndpoint[] = [
  { path: /^\/materialize\/version$/, answer: serviceVersion },
  { path: /^\/materialize\/api\/versions$/, answer: () => [2, 3] },
  ofDatastack('versions', numbersOf),
  ofDatastack('metadata', (context) => numbersOf(context).map((version) => entryOf(context, version))),
  ofDatastack('version/(?<version>\\d+)', entryOf),
  ofDatastack('version/(?<version>\\d+)/tables', (context, version) =>
    entryOf(context, version) ? [] : undefined,
  ),
];

/** An endpoint below the path of a datastack. Other datastacks get status 404. */
function ofDatastack(path: string, answer: (context: CaveContext, version: number) => unknown): CaveEndpoint {
  return {
    path: new RegExp(`^/materialize/api/v[23]/datastack/(?<name>[^/]+)/${path}$`),
    answer: (context, { parts }) =>
      parts.name === context.datastack ? answer(context, Number(parts.version)) : undefined,
  };
}

function numbersOf({ versions }: CaveContext): number[] {
  return Object.keys(versions).map(Number);
}

function entryOf({ datastack, versions }: CaveContext, version: number): unknown {
  if (!Object.hasOwn(versions, version)) return undefined;
  const time = new Date(toMs(versions[version])).toISOString().replace('Z', '000');
  return {
    id: version,
    version,
    datastack,
    time_stamp: time,
    expires_on: '2121-11-10T07:10:00.000000',
    valid: true,
    status: 'AVAILABLE',
    is_merged: true,
    parent_version: null,
  };
}
