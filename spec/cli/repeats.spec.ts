import { describe, expect, test } from '@jest/globals';
import { runCli } from './run-cli.ts';

const G = 'graphene://https://127.0.0.1:1/segmentation/table/t';

describe('options given twice', () => {
  test.each([
    ['lookup', ['--points', 'a.csv', '--out', 'b.csv', '--out', 'c.csv'], '--out <file>'],
    ['lookup', ['--points', 'a.csv', '--columns', 'a,b,c', '--columns', 'd,e,f'], '--columns <a,b,c>'],
    [
      'lookup',
      ['--points', 'a.csv', '--timestamp', '2024-01-01', '--timestamp', '2024-01-02'],
      '--timestamp <time>',
    ],
    ['lookup', ['--points', 'a.csv', '--quiet', '--quiet'], '--quiet'],
    ['lookup', ['--points', 'a.csv', '--no-range-reads', '--no-range-reads'], '--no-range-reads'],
    ['lookup', ['--points', 'a.csv', '--endpoint', 'http://a', '--endpoint', 'http://b'], '--endpoint <url>'],
    ['roots', ['--ids', 'a', '--stop-layer', '2', '--stop-layer', '3'], '--stop-layer <layer>'],
    ['update', ['--in', 'a', '--out', 'b', '--out', 'c'], '--out <file>'],
    ['latest', ['--ids', 'a', '--by', 'level2', '--by', 'supervoxels'], '--by <voters>'],
    ['info', ['--data-dir', 'a', '--data-dir', 'b'], '--data-dir <path>'],
    ['doctor', ['--json', '--json'], '--json'],
  ])('%s %j is refused', async (command, args, option) => {
    expect(await runCli([command, G, ...args])).toEqual({
      code: 2,
      stdout: '',
      stderr: `error: option '${option}' is given twice\n`,
    });
  });

  test('are also refused for the calls of graph, and for commands without a path', async () => {
    expect(
      (await runCli(['graph', 'is-latest', G, '1', '--timestamp', '2024-01-01', '--timestamp', '2024-01-02']))
        .stderr,
    ).toBe("error: option '--timestamp <time>' is given twice\n");
    expect((await runCli(['mock', '--volume', 'a', '--volume', 'b'])).stderr).toBe(
      "error: option '--volume <folder>' is given twice\n",
    );
  });

  test.each([
    ['lookup', '--position', '--points'],
    ['roots', '--column', '--ids'],
    ['latest', '--column', '--ids'],
    ['update', '--column', '--in'],
  ])('%s accepts %s several times, each value once', async (command, option, input) => {
    const { stdout } = await runCli([command, '--help']);
    expect(stdout.replace(/\s+/g, ' ')).toMatch(new RegExp(`${option} <\\w+> [^<]* may be repeated`));
    expect(await runCli([command, G, input, '-', option, 'a', option, 'a'])).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/the value is given twice\.\n$/) as unknown,
    });
  });
});
