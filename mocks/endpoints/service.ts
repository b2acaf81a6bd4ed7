/** Endpoints that are not about the graph: info, versions. */
import { DEFAULT_ORIGIN, reply } from '../message.ts';
import type { GraphInfo } from '../graph/id-layout.ts';
import { HTML, json, JSON_TYPE, type Endpoint } from './answers.ts';

export const PCG_VERSION = '2.21.1';

/** @param dataDir In place of `{DATA_DIR}`; `{HOST}` in either stands for the origin the request came to. */
export function serviceEndpoints(info: GraphInfo, dataDir = '{DATA_DIR}'): Endpoint[] {
  const text = JSON.stringify(info).replaceAll('{DATA_DIR}', JSON.stringify(dataDir).slice(1, -1));
  return [
    {
      method: 'GET',
      path: /^\/segmentation\/table\/(?<table>[^/]+)\/info$/,
      need: 'view',
      answer: ({ origin = DEFAULT_ORIGIN }) => reply(200, JSON_TYPE, text.replaceAll('{HOST}', origin)),
    },
    { method: 'GET', path: /^\/segmentation\/api\/versions$/, need: 'token', answer: () => json([0, 1]) },
    { method: 'GET', path: /^\/segmentation\/api\/version$/, need: 'token', answer: () => json(PCG_VERSION) },
    {
      method: 'GET',
      path: /^\/segmentation\/(api\/v1\/)?(index)?$/,
      need: 'token',
      answer: () => reply(200, HTML, `PyChunkedGraph Segmentation v${PCG_VERSION}`),
    },
  ];
}
