/** argv to a command, errors to exit codes. Commands are loaded when one is named, so that `--version` and `--help` are quick. */
import { Command, CommanderError } from 'commander';
import { leaveOnAbort } from '../base/abort.ts';
import { USER_AGENT } from '../http/user-agent.ts';
import type { CommandContext } from './command.ts';
import { InterruptedError, type Io } from './io.ts';
import { refuseRepeats } from './repeats.ts';
import { Report } from './report.ts';
import { refuseMissing } from './required.ts';

/** Exit codes besides 0. */
export const EXIT = { rows: 1, refused: 2, interrupted: 130 } as const;

/** What each is for; `commands/all.ts` says what it takes and does. */
const COMMANDS: Readonly<Record<string, string>> = {
  lookup:
    'Writes the rows of a table again, with what is at their points: supervoxel_id, root_id and status; value for a plain volume.',
  roots:
    'Writes the rows of a table of supervoxel IDs again, with their root_id and status. No voxel is read.',
  update:
    'Brings the root_id of an earlier table to another moment: only what changed is asked, no voxel is read.',
  latest:
    'Writes the rows of a table of root IDs again, with what became of them: latest_root_id, confidence, changed and status.',
  graph: 'Asks the chunkedgraph server; answers are JSON Lines. `graph CALL --help` says what a call takes.',
  info: 'Says what a volume is: type, scales, bounds, graph.',
  login:
    'Keeps a token of a CAVE server where this and the Python tools look for it: names the page, reads the token, says what it wrote.',
  doctor:
    'Checks whether a volume can be read from here: Node, secrets, token, servers, clock, bucket, one look-up. Each with what to do next.',
  cache: 'Says what is in a cache folder, deletes it, or checks every entry.',
  demo: 'Looks up points of a small volume that comes with this package, before and after a merge.',
  mock: 'Serves a volume and a mocked chunkedgraph on this machine until it is interrupted, for tests in any language; prints one line of JSON with the URLs.',
};

/** Runs one command line, program name left out. @returns the exit code; never throws. */
export async function run(argv: readonly string[], io: Io): Promise<number> {
  const report = new Report(io);
  let lost: NodeJS.ErrnoException | undefined;
  io.stdout.on('error', (error) => (lost ??= error));
  io.stderr.on('error', () => undefined); // nobody is left to be told
  const code = await runCommand(argv, io, report);
  await leaveOnAbort(new Promise((resolve) => void io.stdout.write('', resolve)), io.signal, () => {}).catch(
    () => undefined,
  );
  // EPIPE: the reader has seen enough
  if (!lost || lost.code === 'EPIPE' || code === EXIT.refused) return code;
  const { ioError: unusable } = await import('../tables/files/byte-streams.ts');
  report.error(unusable('written', 'standard output', lost));
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
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : EXIT.refused; // already told
    report.error(error);
    return EXIT.refused;
  } finally {
    report.done();
  }
}

/** All commands by name, and the one that is meant with its flags; also of `help COMMAND`. */
async function programFor(argv: readonly string[], surroundings: CommandContext): Promise<Command> {
  const { stdout, stderr } = surroundings.io;
  const program = new Command('graphene-points')
    .description('Supervoxels, and root IDs at a time, at the points of a table.')
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
