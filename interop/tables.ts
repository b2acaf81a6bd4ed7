/**
 * Looks up the points of tables that pandas, PyArrow, polars and NumPy write. The same library reads each output:
 * the other columns must be equal, with their types, and the answers must be the truth. A second run over its own
 * output, in place, must change nothing.
 */
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Writable } from 'node:stream';
import { pathToFileURL } from 'node:url';
import { run } from '../lib/cli/run.ts';
import { loadFixture } from '../testing/fixtures.ts';
import type { Part } from './part.ts';
import { PythonClient } from './python-client.ts';

const VOLUME = 'seg_cseg_u64_gzip';

interface Finding {
  what: string;
  theirs: string;
  ours: string;
}

export const tables: Part = async ({ python, comparison }) => {
  await using client = new PythonClient(python, 'tables_client.py');
  const folder = mkdtempSync(join(tmpdir(), 'tables-'));
  const { folder: volume, scales } = loadFixture(VOLUME),
    { points, values } = scales[0];
  try {
    const written = await client.call<{ name: string; flags: string[] }[]>('write', {
      folder,
      points: Float64Array.from(points.flat()),
      values: values.map((value) => value ?? ''),
      statuses: values.map((value) =>
        value === null ? 'out_of_bounds' : value === '0' ? 'background' : 'ok',
      ),
    });
    for (const { name, flags } of written) {
      const lookUp = (input: string, out: string, more: string[] = []): Promise<string> =>
        runLookup([
          pathToFileURL(volume).href,
          ...['--points', join(folder, input), '--out', join(folder, out), ...flags, ...more],
        ]);
      const compare = async (what: string, out: string): Promise<void> => {
        for (const { what: part, theirs, ours } of await client.call<Finding[]>('compare', { name, out }))
          comparison.same(`${what}, ${part}`, theirs, ours);
      };
      const compareConverted = async (table: string, out: string): Promise<void> => {
        comparison.same(`${out}, errors`, '', await lookUp(table, out));
        for (const { what, theirs, ours } of await client.call<Finding[]>('compare_converted', { name, out }))
          if (theirs !== ours && isExplained(what, ours))
            comparison.explained('between Parquet and Arrow, docs/command-line.md lists what is not kept');
          else comparison.same(`${out}, ${what}`, theirs, ours);
      };
      try {
        const first = `out-${name}`,
          again = `again-${name}`;
        comparison.same(`${name}, errors`, '', await lookUp(name, first));
        await compare(name, first);
        copyFileSync(join(folder, first), join(folder, again));
        comparison.same(`${name}, errors in place`, '', await lookUp(again, again, ['--replace']));
        await compare(`${name}, in place`, again);
        if (!name.startsWith('numpy'))
          await compareConverted(
            name,
            `converted-${name}${name.endsWith('.parquet') ? '.arrow' : '.parquet'}`,
          );
      } catch (error) {
        comparison.failed(`${name}: ${String(error)}`);
      }
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
};

/** Whether a difference is one of those that the documentation lists. */
const isExplained = (what: string, ours: string): boolean =>
  what === 'lost metadata' ||
  what === 'attributes' ||
  (what === 'type of map' && /map<string, int16/.test(ours)) ||
  (what === 'columns' && /column name="kind".*\n.*"dtype"/s.test(ours));

/** Runs `graphene-points lookup` in this process. @returns What it prints to standard error. */
async function runLookup(args: readonly string[]): Promise<string> {
  let printed = '';
  const io = {
    stdin: new PassThrough(),
    stdout: new Writable({ write: (_bytes, _encoding, done) => done() }),
    stderr: new Writable({
      write: (bytes: Buffer, _encoding, done) => ((printed += bytes.toString()), done()),
    }),
    env: {},
    signal: new AbortController().signal,
  };
  const code = await run(['lookup', ...args, '--quiet'], io);
  return code === 0 ? printed : `exit code ${code}: ${printed}`;
}
