import { describe, expect, test } from '@jest/globals';
import { runCli } from './run-cli.ts';

describe('the command serve', () => {
  test.each([
    [['--name', 'a=mem://x', '--voxel-size', 'b=4,4,45'], '--voxel-size names b, and the volumes are a'],
    [['--name', 'a=mem://x', '--voxel-size', 'a=4,4'], 'three positive numbers'],
    [['--name', 'a=mem://x', '--voxel-size', 'a=viewer'], 'three positive numbers'],
    [
      ['--name', 'a=mem://x', '--voxel-size', 'a=4,4,4', '--voxel-size', 'a=4,4,4'],
      'the name a is given twice',
    ],
  ])('refuses %j', async (args, message) => {
    const { code, stderr } = await runCli(['serve', ...args]);
    expect(code).toBe(2);
    expect(stderr).toContain(message);
  });
});
