/**
 * Would HTTP/2 pay? Fetches the chunks of a volume over TLS with our senders of HTTP/1.1, with node:http2, and with the
 * least that a client of our own could do. No chunk is decompressed. Needs Go: the server speaks both protocols, at the
 * end of a line with the given round trip (see `server/tls.go`).
 *
 *   npx tsx bench/http2.ts --volumes DIR [--volume cseg64_gzip] [--lines 0,20,50,100] [--of NAME,…] [--runs 5]
 *
 * Each figure is a fresh process; the cases take turns. Rows that are not measured stay as they were.
 */
import { execFile, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs, promisify } from 'node:util';
import { build } from 'esbuild';
import { HERE, median, spread } from './harness.ts';
import { machine } from './machine.ts';

const { values: args } = parseArgs({
  options: {
    volumes: { type: 'string' },
    volume: { type: 'string', default: 'cseg64_gzip' },
    lines: { type: 'string', default: '0,20,50,100' },
    of: { type: 'string' },
    runs: { type: 'string', default: '5' },
  },
});
if (!args.volumes) throw new Error('--volumes DIR is needed');

const CASES = [
  { name: 'ours', where: 'threads', client: 'socket', says: 'our sender over sockets, HTTP/1.1' },
  { name: 'http2', where: 'threads', client: 'http2', says: '`node:http2`, one connection per thread' },
  { name: 'http2-16', where: 'threads', client: 'http2s', says: '`node:http2`, 16 requests per connection' },
  { name: 'frames', where: 'threads', client: 'frames', says: 'frames alone, one connection per thread' },
  { name: 'main', where: 'main', client: 'node', says: '`node:https`, as in our main thread' },
  { name: 'main-got', where: 'main', client: 'got', says: 'got, as in our main thread' },
  { name: 'main-http2', where: 'main', client: 'http2', says: '`node:http2`, one connection' },
] as const;
/** Requests at once: as `concurrency: 'auto'` begins, and where it ends with a distant server. */
const requestsAtOnce = (lineMs: number): number => (lineMs === 0 ? 32 : 240);

interface Run {
  wall_s: number;
  cpu_s: number;
  peak_mb: number;
  bytes: number;
  connections: number;
}
interface Row {
  lineMs: number;
  name: string;
  runs: Run[];
}

const work = join(HERE, '.work/http2'),
  results = join(HERE, 'results/http2.json');
mkdirSync(work, { recursive: true });
await build({
  entryPoints: ['send-over-socket', 'send-get', 'send-with-got'].map((name) =>
    join(HERE, `../lib/http/${name}.ts`),
  ),
  outdir: work,
  outExtension: { '.js': '.mjs' },
  bundle: true,
  format: 'esm',
  platform: 'node',
  target: 'node20.19',
  external: ['got'],
});
const folder = join(args.volumes, args.volume),
  [scale] = (JSON.parse(readFileSync(join(folder, 'info'), 'utf8')) as { scales: { key: string }[] }).scales;
const names = readdirSync(join(folder, scale.key)).map((name) => name.replace(/\.(gz|br|zst)$/, ''));
const namesFile = join(work, 'names.txt');
writeFileSync(namesFile, names.join('\n'));

const binary = join(work, 'server'),
  certificate = join(work, 'certificate.pem');
execFileSync('go', ['build', '-o', binary, '.'], { cwd: join(HERE, 'server'), stdio: 'inherit' });
const server = spawn(binary, ['-root', args.volumes, '-tls', certificate], {
  stdio: ['pipe', 'pipe', 'ignore'],
});
const lines = createInterface(server.stdout);
const [plain] = (await once(lines, 'line')) as [string],
  [secure] = (await once(lines, 'line')) as [string];
const ask = async (path: string): Promise<string> =>
  (await fetch(`http://127.0.0.1:${plain.split(' ')[1]}${path}`)).text();

async function measureOnce({ where, client }: (typeof CASES)[number], lineMs: number): Promise<Run> {
  await ask('/__reset');
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [
      join(HERE, 'http2-fetch.mjs'),
      where,
      client,
      String(requestsAtOnce(lineMs)),
      secure.split(' ')[1],
      `/${args.volume}/${scale.key}`,
      namesFile,
    ],
    { env: { ...process.env, NODE_EXTRA_CA_CERTS: certificate } },
  );
  const { requests, bytes, connections } = JSON.parse(await ask('/__stats')) as Record<string, number>;
  const run = JSON.parse(stdout) as Run;
  if (requests !== names.length || bytes !== run.bytes)
    throw new Error(`${client}: ${requests} requests, ${bytes} bytes, received ${run.bytes}`);
  return { ...run, connections };
}

const rows: Row[] = existsSync(results)
  ? (JSON.parse(readFileSync(results, 'utf8')) as { rows: Row[] }).rows
  : [];
const chosen = CASES.filter(({ name }) => !args.of || args.of.split(',').includes(name));
for (const lineMs of args.lines.split(',').map(Number)) {
  await ask(`/__line?ms=${lineMs}`);
  const measured = chosen.map((one) => ({ one, row: { lineMs, name: one.name, runs: [] as Run[] } }));
  for (let k = 0; k < Number(args.runs); k++)
    for (const { one, row } of measured) row.runs.push(await measureOnce(one, lineMs));
  for (const { row } of measured) {
    const at = rows.findIndex(({ name, lineMs: ms }) => name === row.name && ms === lineMs);
    rows.splice(at < 0 ? rows.length : at, at < 0 ? 0 : 1, row);
  }
}
server.kill();

const order = (row: Row): number =>
  row.lineMs * CASES.length + CASES.findIndex(({ name }) => name === row.name);
rows.sort((a, b) => order(a) - order(b));
const about = machine();
writeFileSync(results, `${JSON.stringify({ about, rows })}\n`);

const table = rows.map(({ lineMs, name, runs }) => {
  const { where, says } = CASES.find((one) => one.name === name)!;
  const of = (pick: (run: Run) => number, digits: number): string => spread(runs.map(pick), digits);
  return `| ${lineMs} | ${where === 'main' ? 'main thread' : '2 threads'}: ${says} | ${median(runs.map((run) => run.connections))} | ${of((run) => run.wall_s, 2)} | ${of((run) => run.cpu_s, 2)} | ${of((run) => run.peak_mb, 0)} |`;
});
writeFileSync(
  join(HERE, 'results/http2.md'),
  `# HTTP/2 and HTTP/1.1 over TLS

${about}

All ${names.length.toLocaleString('en-US')} chunks of \`${args.volume}\` (${(rows[0].runs[0].bytes / 1e6).toFixed(0)} MB as stored) are fetched once over TLS from a server in Go on the same machine, and not
decompressed. Each run is a fresh process. Median (least–most). 32 requests at once without a line, 240 with one.

The line adds a round trip to each handshake and reply, and gives each connection a slow start from ten segments that
doubles per round trip. It loses nothing and has no limit on bytes per second.

"Frames alone" cuts the connection into frames, decodes no headers and checks nothing: a client of our own would take more.

| round trip, ms | client | connections | wall s | CPU s | peak MB |
|--:|---|--:|--:|--:|--:|
${table.join('\n')}
`,
);
console.log(table.join('\n'));
