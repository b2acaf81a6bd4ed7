/**
 * Endpoints of the CAVE info service: datastacks and aligned volumes. Source: CAVEclient,
 * caveclient/endpoints.py.
 */
import type { EndpointRequest } from '../endpoints/endpoint.ts';
import { DEFAULT_ORIGIN } from '../message.ts';
import { serviceVersion, type CaveContext, type CaveEndpoint } from './cave-endpoint.ts';

export const INFO_ENDPOINTS: readonly CaveEndpoint[] = [
  { path: /^\/info\/version$/, answer: serviceVersion },
  { path: /^\/info\/api\/v2\/datastacks$/, answer: ({ datastack }) => [datastack] },
  { path: /^\/info\/api\/v2\/aligned_volume$/, answer: (context) => [volumeOf(context).name] },
  { path: /^\/info\/api\/v2\/aligned_volume\/(?<name>[^/]+)$/, answer: alignedVolume },
  { path: /^\/info\/api\/v2\/datastack\/full\/(?<name>[^/]+)$/, answer: datastackEntry },
];

const volumeOf = ({ datastack }: CaveContext) => ({
  id: 1,
  name: datastack,
  image_source: '',
  description: 'mocked',
});

function alignedVolume(context: CaveContext, { parts }: EndpointRequest): unknown {
  const volume = volumeOf(context);
  return parts.name === volume.name ? volume : undefined;
}

function datastackEntry(context: CaveContext, { parts, origin = DEFAULT_ORIGIN }: EndpointRequest): unknown {
  if (parts.name !== context.datastack) return undefined;
  return {
    aligned_volume: volumeOf(context),
    analysis_database: null,
    description: 'mocked',
    local_server: origin,
    segmentation_source: `graphene://${origin}/segmentation/table/${context.table}`,
    skeleton_source: null,
    soma_table: null,
    synapse_table: null,
    viewer_resolution_x: 4,
    viewer_resolution_y: 4,
    viewer_resolution_z: 40,
    viewer_site: null,
    ...context.datastackInfo,
  };
}
