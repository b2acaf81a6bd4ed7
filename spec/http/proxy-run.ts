/**
 * proxied.spec.ts runs this file in another process, which trusts the certificate of the fixture
 * (NODE_EXTRA_CA_CERTS). It reads a volume through the proxy that the environment names, by GET and by POST,
 * and prints the results.
 */
import { createHttpClient } from '../../lib/failures/http-client.ts';
import { openPrecomputed } from '../../lib/index.ts';

await using volume = await openPrecomputed(process.argv[2], { retries: 0 });
const { values, stats } = await volume.scatteredPoints([[1, 2, 3]]);
const http = createHttpClient();
const posted = await http.request({
  url: `${process.argv[2]}/posted`,
  method: 'POST',
  headers: { authorization: 'Bearer over-tls-it-may-go' },
  body: new TextEncoder().encode('body'),
});
http.close();
console.log(
  JSON.stringify({
    value: String(values[0]),
    requests: stats.requests,
    posted: [posted.status, Buffer.from(posted.body).toString(), posted.serverAddress ?? null],
  }),
);
