// Run in an empty folder in which the packed package and TypeScript are installed: writes the README's first example as index.ts, compiles it with
// what `tsc --init` makes, and runs it against the demo's mocked servers. README.md is the first argument.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';

const [, example] = /```ts\n([^]*?)```/.exec(readFileSync(process.argv[2], 'utf8'));
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
  const printed = execFileSync(process.execPath, ['index.js'], { encoding: 'utf8' }).trim().split('\n');
  assert.equal(printed.length, 2);
  const roots = printed.map((row) => row.split(' ')).map(([, status, , root]) => [status, root]);
  assert.deepEqual(roots[0], roots[1]); // at the example's timestamp the merge is there
  assert.equal(roots[0][0], 'ok');
  console.log(
    `the README's first example with TypeScript ${execFileSync('node_modules/.bin/tsc', ['--version'], { encoding: 'utf8' }).trim()} on Node ${process.version}`,
  );
} finally {
  mock.kill();
}
