/** Refused command lines, the help, and the modules that are loaded. */
import { readFileSync } from 'node:fs';
import { posix } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import type { AnyOptionTable } from '../../lib/base/option-table.ts';
import { attributeOfFlag, optionsFromFlags } from '../../lib/cli/options-from-flags.ts';
import { GRAPHENE_OPTIONS } from '../../lib/graphene/opening-options.ts';
import { SCATTERED_OPTIONS } from '../../lib/graphene/reading-options.ts';
import { STORAGE_OPTIONS } from '../../lib/storage/bucket-options.ts';
import { runCli } from './run-cli.ts';

const COMMANDS = [
  'lookup',
  'roots',
  'update',
  'latest',
  'graph',
  'info',
  'login',
  'doctor',
  'cache',
  'demo',
  'mock',
];

describe('an invalid command line', () => {
  test.each([
    ['lookup', 'volume', '--pionts', 'a.csv'],
    ['roots', '--ides', 'a'],
    ['update', 'graphene://h', '--inn', 'a'],
    ['latest', '--idz', 'a'],
    ['mock', '--volumes', 'a'],
    ['graph', 'delta', 'graphene://h', '--form', 'now'],
  ])('%j: an unknown option is reported before a missing one', async (...argv) => {
    const { code, stdout, stderr } = await runCli(argv);
    const unknown = argv.findLast((word) => word.startsWith('--'))!;
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(new RegExp(`^error: unknown option '${unknown}'\n`));
  });
});

describe('help', () => {
  test('lists all commands, and each has its own help, also as `help COMMAND`', async () => {
    const { code, stdout } = await runCli(['--help']);
    expect(code).toBe(0);
    for (const name of COMMANDS) {
      expect(stdout).toMatch(new RegExp(`^ {2}${name}\\b`, 'm'));
      const own = await runCli([name, '--help']);
      expect([own.code, own.stdout]).toEqual([0, expect.stringContaining(`Usage: graphene-points ${name} `)]);
      expect((await runCli(['help', name])).stdout).toBe(own.stdout);
    }
  });

  test('has headings and examples for lookup', async () => {
    const { stdout } = await runCli(['lookup', '--help']);
    const headings = [...stdout.matchAll(/^([A-Z][a-z, ]*):$/gm)].map(([, heading]) => heading);
    expect(headings).toEqual([
      'Arguments',
      'Table',
      'Output',
      'Points',
      'Roots',
      'Volume',
      'Bucket',
      'Speed, memory and disk',
      'Messages',
      'Neuroglancer',
      'Options',
      'Examples',
    ]);
    expect(stdout.match(/^ {2}graphene-points lookup \S/gm)).toHaveLength(3);
    for (const section of stdout.split(/^[A-Z][a-z, ]*:$/m).slice(2, 11))
      expect(section.match(/^ {2}--/gm)!.length).toBeLessThan(11);
  });
});

describe('flags', () => {
  test.each<[string, AnyOptionTable]>([
    ['opening', GRAPHENE_OPTIONS],
    ['reading', SCATTERED_OPTIONS],
    ['storage', STORAGE_OPTIONS],
  ])('for %s options are all in lookup or roots, with the text of the option table', async (_, table) => {
    const help = (
      (await runCli(['lookup', '--help'])).stdout + (await runCli(['roots', '--help'])).stdout
    ).replace(/\s+/g, ' ');
    for (const { flag, flagSays, says } of Object.values(table))
      if (flag !== undefined) expect(help).toContain(`${flag} ${flagSays ?? says}`);
  });

  test('become the options of their option table', () =>
    expect(
      optionsFromFlags(STORAGE_OPTIONS, {
        anonymous: true,
        awsProfile: 'p',
        requesterPays: true,
        endpoint: undefined,
        json: true,
      }),
    ).toEqual({ credentials: 'anonymous', profile: 'p', requesterPays: true }));

  test('that turn something off become false', () =>
    expect(optionsFromFlags(SCATTERED_OPTIONS, { supervoxelsOnly: true, timeout: 2500 })).toEqual({
      agglomerate: false,
      timeoutMs: 2500,
    }));

  test.each([
    ['--cache-dir <folder>', 'cacheDir'],
    ['--no-range-reads', 'rangeReads'],
    ['--requester-pays [project]', 'requesterPays'],
  ])('%s is the attribute %s', (flag, attribute) => expect(attributeOfFlag(flag)).toBe(attribute));
});

test('no module of a command is loaded before the command is named', () => {
  const loaded = new Set<string>();
  const load = (file: string): void => {
    if (loaded.has(file)) return;
    loaded.add(file);
    const source = readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8');
    for (const [, specifier] of source.matchAll(/^(?:import|export) (?!type\b)[^;']*?from '(\.[^']*)';$/gm))
      load(posix.join(posix.dirname(file), specifier));
  };
  load('lib/cli/main.ts');
  expect([...loaded].filter((file) => !/^lib\/base\//.test(file)).sort()).toEqual([
    'lib/cli/io.ts',
    'lib/cli/main.ts',
    'lib/cli/repeats.ts',
    'lib/cli/report.ts',
    'lib/cli/required.ts',
    'lib/cli/run.ts',
    'lib/http/user-agent.ts',
    'lib/jobs/messages.ts',
  ]);
});
