/**
 * Runs one command line and turns errors into exit codes. Commands are loaded only when named, so that
 * `--version` and `--help` are fast.
 */
import { Command, CommanderError } from 'commander';
import { leaveOnAbort } from '../base/abort.ts';
import { USER_AGENT } from '../http/user-agent.ts';
import type { CommandContext } from './command.ts';
import { InterruptedError, type Io } from './io.ts';
import { refuseRepeats } from './repeats.ts';
import { Report } from './report.ts';
import { refuseMissing } from './required.ts';

/** The exit codes besides 0: a row needs attention, the command failed, the run was interrupted. */
export const EXIT = { rows: 1, refused: 2, interrupted: 130 } as const;

/** The summary of each command. `commands/all.ts` defines its arguments and its action. */
const COMMANDS: Readonly<Record<string, string>> = {
  lookup:
    'Adds supervoxel_id, root_id and status to each row of a table of points. For a volume without a graph, adds value and status.',
  job: 'Looks up a table of any size in steps that can be stopped, resumed and shared among machines. `job STEP --help` shows the options of a step.',
  roots: 'Adds root_id and status to each row of a table of supervoxel IDs. Reads no voxels.',
  update:
    'Updates the root_id column of an earlier table to another timestamp. Looks up only the roots that changed, and reads no voxels.',
  latest:
    'Adds what became of each root to a table of root IDs: latest_root_id, confidence, changed and status.',
  graph:
    'Calls the chunkedgraph server and writes the answers as JSON Lines. `graph CALL --help` shows the options of a call.',
  serve:
    'Answers look-ups of points and roots over HTTP, for clients in any language, until it is interrupted.',
  info: "Shows a volume's type, scales, bounds and graph.",
  login: 'Saves your token of a CAVE server where this program and the Python tools look for it.',
  doctor:
    'Checks whether a volume can be read from this machine: Node, secrets, token, servers, clock, bucket and one look-up. Says what to do about each problem.',
  cache: 'Shows what a cache folder holds, clears it, or checks each entry.',
  demo: 'Looks up points in a small volume that comes with this package, before and after a merge.',
  mock: 'Serves a volume and a mock chunkedgraph on this machine until it is interrupted, for tests in any language. Prints one line of JSON with the URLs.',
};

/** Runs one command line, without the program name. Never throws. @returns The exit code. */
export async function run(argv: readonly string[], io: Io): Promise<number> {
  const report = new Report(io);
  let lost: NodeJS.ErrnoException | undefined;
  io.stdout.on('error', (error) => (lost ??= error));
  io.stderr.on('error', () => undefined); // there is nowhere to report it
  const code = await runCommand(argv, io, report);
  await leaveOnAbort(new Promise((resolve) => void io.stdout.write('', resolve)), io.signal, () => {}).catch(
    () => undefined,
  );
  // EPIPE: the reader has closed the output.
  if (!lost || lost.code === 'EPIPE' || code === EXIT.refused) return code;
  const { ioError } = await import('../tables/files/byte-streams.ts');
  report.error(ioError('written', 'standard output', lost));
  return EXIT.refused;
}

async function runCommand(argv: readonly string[], io: Io, report: Report): Promise<number> {
  let code = 0;
  try {
    const program = await programFor(argv, {
      io,
      report,
      action:
        (work) =>
        async (...args) =>
          void (code = (await work(...args)) ? EXIT.rows : 0),
    });
    await program.parseAsync(argv, { from: 'user' });
    return code;
  } catch (error) {
    if (io.signal.aborted) {
      report.done();
      report.line(error instanceof InterruptedError ? error.message : 'interrupted');
      return EXIT.interrupted;
    }
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : EXIT.refused; // commander has printed it
    report.error(error);
    return EXIT.refused;
  } finally {
    report.done();
  }
}

/**
 * Creates the program with the names of all commands, and the flags of the command that is named, also in
 * `help COMMAND`.
 */
async function programFor(argv: readonly string[], surroundings: CommandContext): Promise<Command> {
  const { stdout, stderr } = surroundings.io;
  const program = new Command('graphene-points')
    .description('Looks up which supervoxel, and which root ID at a timestamp, is at each point of a table.')
    .version(USER_AGENT.split('/')[1])
    .exitOverride()
    .configureOutput({ writeOut: (line) => stdout.write(line), writeErr: (line) => stderr.write(line) });
  const meant = argv.find((word) => Object.hasOwn(COMMANDS, word));
  for (const [name, about] of Object.entries(COMMANDS)) {
    const command = program.command(name).description(about);
    if (name === meant) await (await import('./commands/all.ts')).DEFINITIONS[name](command, surroundings);
  }
  refuseRepeats(program);
  refuseMissing(program);
  return program;
}
