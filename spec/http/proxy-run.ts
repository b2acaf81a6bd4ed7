/**
 * Run by proxied.spec.ts in a process of its own, which trusts the fixture's certificate (NODE_EXTRA_CA_CERTS): reads a volume through the
 * proxy that the environment names, by GET and by POST, and prints what came.
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
