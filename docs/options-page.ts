/** docs/options.md, out of the tables that check the options. */
import type { AnyOptionTable, OptionRow } from '../lib/base/option-table.ts';
import { CALL_OPTIONS } from '../lib/chunkedgraph/api/call-options.ts';
import { GRAPH_METHODS } from '../lib/chunkedgraph/api/graph-methods.ts';
import { BOUNDS_OPTIONS } from '../lib/chunkedgraph/api/check-arguments.ts';
import { CHUNK_OF_POINT_OPTIONS } from '../lib/chunkedgraph/ids/id-arithmetic.ts';
import {
  CACHE_OPTIONS,
  GRAPHENE_OPTIONS,
  OPEN_OPTIONS,
  ROOT_CACHE_OPTIONS,
} from '../lib/graphene/opening-options.ts';
import { MANY_OPTIONS, NAMED_GRAPHENE_OPTIONS } from '../lib/graphene/many-options.ts';
import {
  READ_OPTIONS,
  ROOT_OPTIONS,
  SCATTERED_OPTIONS,
  SNAP_OPTIONS,
} from '../lib/graphene/reading-options.ts';
import { SCATTERED_STREAM_OPTIONS } from '../lib/graphene/stream/stream-options.ts';
import { LOOKUP_TABLE_OPTIONS } from '../lib/lookup-table/lookup-table-options.ts';
import { SERVICE_OPTIONS } from '../lib/serve/service-options.ts';
import { STORAGE_OPTIONS } from '../lib/storage/bucket-options.ts';

const cell = (text: string): string => text.replaceAll('|', '\\|');
const code = (text: string | undefined): string => (text === undefined ? '' : `\`${text}\``);

const line = (cells: readonly string[]): string => `| ${cells.map(cell).join(' | ')} |\n`;
const table = (heads: readonly string[], rows: readonly (readonly string[])[]): string =>
  line(heads) + line(heads.map(() => '---')).replaceAll(' ', '') + rows.map(line).join('');

const HEADS = ['option', 'values', 'default', 'flag', 'effect'];
const rowOf = (name: string, { kind, default: fallback, required, flag, says }: OptionRow): string[] => [
  code(name),
  kind.expected,
  fallback ?? (required ? 'required' : ''),
  code(flag),
  says,
];
const options = (own: AnyOptionTable, known: AnyOptionTable = {}): string =>
  table(
    HEADS,
    Object.entries(own)
      .filter(([name, row]) => known[name] !== row)
      .map(([name, row]) => rowOf(name, row)),
  );

/** Options of a few calls, each with the calls that take it in the same sense. */
function ofCalls(): string {
  const calls = new Map<OptionRow, { name: string; calls: string[] }>();
  for (const [call, { options: own }] of Object.entries(GRAPH_METHODS))
    for (const [name, row] of Object.entries(own)) {
      if ((CALL_OPTIONS as AnyOptionTable)[name] === row) continue;
      const known = calls.get(row) ?? { name, calls: [] };
      calls.set(row, { name, calls: [...known.calls, call] });
    }
  return table(
    ['option', 'calls', ...HEADS.slice(1)],
    Array.from(calls, ([row, { name, calls: names }]) => {
      const [option, ...rest] = rowOf(name, row);
      return [option, names.map(code).join(', '), ...rest];
    }),
  );
}

export const optionsPage = (): string => `# Options

Options are checked when a call is made, by name and by value. An unknown name, or an impossible value, is a \`TypeError\` or a
\`RangeError\` that names the option, and nothing is sent:

<!-- run -->
\`\`\`ts
import { openPrecomputed } from 'graphene-points';

try {
  await openPrecomputed('gs://BUCKET/PATH', { concurrency: 0 });
} catch (error) {
  if (error instanceof RangeError) console.log(error.message);
  else throw error;
}
\`\`\`

<!-- output -->
\`\`\`
concurrency must be …, not 0
\`\`\`

Flags are those of the command line. \`graphene-points COMMAND --help\` says which flags a command takes.

## Opening a volume

\`openPrecomputed(path, options)\` and \`openGraphene(path, options)\`:

${options(OPEN_OPTIONS, CACHE_OPTIONS)}
### Chunks that are kept

${options(CACHE_OPTIONS)}
### A chunkedgraph

\`openGraphene\` also takes these:

${options(GRAPHENE_OPTIONS, OPEN_OPTIONS)}
### \`storage\`

Credentials of the bucket, or a store of your own: an object with \`read(key, { range, signal })\`.

${options(STORAGE_OPTIONS)}
### \`rootCache\`

${options(ROOT_CACHE_OPTIONS)}
## Reading points

\`volume.scatteredPoints(points, options)\`; \`supervoxelAt\` and \`rootAt\` take the same options, except \`onError\` and \`borrow\`:

${options(READ_OPTIONS)}
On a chunkedgraph also:

${options(SCATTERED_OPTIONS, READ_OPTIONS)}
### Several volumes

\`readMany(entries, points, options)\`:

${options(MANY_OPTIONS)}
Each entry has a \`name\` and a \`volume\`, and takes these (the last three only on a chunkedgraph):

${options(NAMED_GRAPHENE_OPTIONS)}
### Streams

\`volume.lookupStream(batches, options)\` takes the options of \`scatteredPoints\`, except \`onProgress\`, and these:

${options(SCATTERED_STREAM_OPTIONS, SCATTERED_OPTIONS)}
### Tables

\`lookupTable(source, sink, options)\`. Most flags of \`graphene-points lookup\` have the same names:

${options(LOOKUP_TABLE_OPTIONS)}
### \`snap\`

${options(SNAP_OPTIONS)}
## Roots of supervoxels

\`volume.roots(ids, options)\`; \`rootOf\` takes the same options, except \`onError\` and \`borrow\`:

${options(ROOT_OPTIONS)}
## \`serve\`

The limits of [the service](serve.md). \`volumes\` are the paths on the command line, and \`open\` the flags of volumes.

${options(SERVICE_OPTIONS)}
## Calls of \`volume.graph\`

All calls take these (\`roots\` without \`maxBytes\`):

${options(CALL_OPTIONS)}
Some calls take more:

${ofCalls()}
### \`bounds\`

${options(BOUNDS_OPTIONS)}
### \`graph.ids.chunkOfPoint\` and \`chunksOfPoints\`

${options(CHUNK_OF_POINT_OPTIONS)}`;
