/** What http-client.spec.ts says of requests with node:http holds over plain sockets, too. */
import { expect, test } from '@jest/globals';
import { createTestedClient, useSockets } from '../support/http-clients.ts';
import { serve } from '../support/http-server.ts';

useSockets();
await import('./http-client.spec.ts');

test('these requests go over plain sockets', async () => {
  const names: string[] = [];
  const server = await serve(({ rawHeaders }, response) => {
      names.push(rawHeaders[0]);
      response.end();
    }),
    client = createTestedClient();
  await client.request({ url: server.origin });
  await client.request({ url: server.origin, body: Uint8Array.of(1) });
  client.close();
  await server.close();
  // node:http sends `Host`, and got `user-agent` first.
  expect(names).toEqual(['host', 'user-agent']);
});
