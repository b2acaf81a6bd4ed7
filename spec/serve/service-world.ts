/** The service on a mocked graph and bucket, on loopback. */
import { serveMocks, type ServedMocks } from '../../mocks/index.ts';
import { createService, type Service } from '../../lib/serve/create-service.ts';
import type { ServiceOptions } from '../../lib/serve/service-types.ts';
import { worldBucket, worldGraph } from '../../testing/graph-world.ts';

/** A service and the mocks that it reads. */
export interface ServiceWorld {
  service: Service;
  mocks: ServedMocks;
  bucket: ReturnType<typeof worldBucket>;
  graph: ReturnType<typeof worldGraph>;
  close(): Promise<void>;
}

/** Serves the graph of `graph-world` as `world`, and its watershed as `watershed`. */
export async function startServiceWorld(options: Partial<ServiceOptions> = {}): Promise<ServiceWorld> {
  const bucket = worldBucket(),
    graph = worldGraph({ dataDir: '{HOST}/bucket' });
  const mocks = await serveMocks({ '/bucket': bucket, '/segmentation': graph });
  const service = await createService({
    volumes: [
      { name: 'world', path: `graphene://${mocks.url}/segmentation/table/${graph.table}` },
      { name: 'watershed', path: `precomputed://${mocks.url}/bucket` },
    ],
    open: { workers: 0 },
    port: 0,
    ...options,
  });
  return {
    service,
    mocks,
    bucket,
    graph,
    close: async () => {
      await service.close();
      await mocks.close();
    },
  };
}
