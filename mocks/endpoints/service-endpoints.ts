/** Endpoints about the server itself: info, versions, start page. */
import type { MockGraphInfo } from '../graph/node-id-layout.ts';
import { DEFAULT_ORIGIN, reply, type MockResponse } from '../message.ts';
import { HTML_TYPE, jsonReply, JSON_TYPE } from './endpoint-replies.ts';
import type { EndpointRequest, TableContext } from './endpoint.ts';

export const PCG_VERSION = '2.21.1';
/** The version of servers whose supervoxels can split. */
const SPLITTING_VERSION = '3.1.7';
const versionOf = ({ splitSupervoxel }: TableContext): string =>
  splitSupervoxel ? SPLITTING_VERSION : PCG_VERSION;

/**
 * The info as JSON.
 * @param dataDir Replaces `{DATA_DIR}`. `{HOST}` stays: the endpoint replaces it by the request's origin.
 */
export const infoJsonOf = (info: MockGraphInfo, dataDir = '{DATA_DIR}'): string =>
  JSON.stringify(info).replaceAll('{DATA_DIR}', JSON.stringify(dataDir).slice(1, -1));

export const infoEndpoint = (
  { infoJson }: TableContext,
  { origin = DEFAULT_ORIGIN }: EndpointRequest,
): MockResponse => reply(200, JSON_TYPE, infoJson.replaceAll('{HOST}', origin));

export const apiVersionsEndpoint = (): MockResponse => jsonReply([0, 1]);

export const serverVersionEndpoint = (context: TableContext): MockResponse => jsonReply(versionOf(context));

export const startPageEndpoint = (context: TableContext): MockResponse =>
  reply(200, HTML_TYPE, `PyChunkedGraph Segmentation v${versionOf(context)}`);
