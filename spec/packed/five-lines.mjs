// Runs the README's first example against the demo's mocked servers: `node five-lines.mjs README.md [DENO]
// [BUN]`.
//
// The working folder has the packed package and TypeScript installed, and nothing else. The example becomes
// index.ts, is compiled with the settings of `tsc --init`, and runs on Node. Then the runtimes whose paths
// are given run index.ts as it is.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';

const [readme, ...runtimes] = process.argv.slice(2);
const [, example] = /```ts\n([^]*?)```/.exec(readFileSync(readme, 'utf8'));
const demo = 'node_modules/graphene-points/demo';
const serving = ['mock', '--volume', `${demo}/volume`, '--graph', `${demo}/graph.json`, '--port', '0'];
const mock = spawn('node_modules/.bin/graphene-points', serving, { stdio: ['ignore', 'pipe', 'inherit'] });
try {
  const [line] = await once(mock.stdout.setEncoding('utf8'), 'data');
  const { cloudpath } = JSON.parse(line);
  const points = '[[115, 74, 29], [72, 52, 29]]'; // the first two of demo/points.csv: the neurons that the merge joins
  const replaced = [
    ['graphene://https://HOST/segmentation/table/NAME', cloudpath],
    [/\[\[.*\]\]/, points],
    ['[4, 4, 40]', '[8, 8, 40]'],
  ];
  const source = replaced.reduce((text, [from, to]) => {
    assert.ok(
      text.search(from instanceof RegExp ? from : from.replaceAll('[', '\\[')) >= 0,
      `the example has ${from}`,
    );
    return text.replace(from, to);
  }, example);
  writeFileSync('index.ts', source);
  rmSync('tsconfig.json', { force: true });
  execFileSync('node_modules/.bin/tsc', ['--init'], { stdio: 'ignore' });
  execFileSync('node_modules/.bin/tsc', [], { stdio: 'inherit' });
  check('index.js', process.execPath, ['index.js']);
  for (const runtime of runtimes)
    check(
      'index.ts',
      runtime,
      basename(runtime) === 'deno' ? ['run', '--allow-all', 'index.ts'] : ['index.ts'],
    );
  const typescript = execFileSync('node_modules/.bin/tsc', ['--version'], { encoding: 'utf8' }).trim();
  console.log(`the README's first example was compiled with TypeScript ${typescript}`);
} finally {
  mock.kill();
}

/**
 * Runs a file. Both points are in neurons that a merge joined before the example's timestamp, so they have
 * the same root.
 */
function check(file, runtime, args) {
  const printed = execFileSync(runtime, args, { encoding: 'utf8' }).trim().split('\n');
  assert.equal(printed.length, 2);
  const roots = printed.map((row) => row.split(' ')).map(([, status, , root]) => [status, root]);
  assert.deepEqual(roots[0], roots[1]);
  assert.equal(roots[0][0], 'ok');
  const version = execFileSync(runtime, ['--version'], { encoding: 'utf8' }).split('\n')[0];
  console.log(`${file} ran on ${basename(runtime)} ${version}`);
}
