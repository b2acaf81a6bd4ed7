/** Defines `graphene-points job`: one subcommand per step of a job. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { DefineCommand } from '../command.ts';
import type { JobFlags, JobShard } from '../job-flags.ts';
import { parseText, parseWholeNumber } from '../option-values.ts';
import { markRequired } from '../required.ts';
import type { ResumeFlags } from '../run-job.ts';
import type { RefreshFlags } from '../run-refresh.ts';
import { lookupOptions } from './lookup-command.ts';
import { GRAPHENE_OPTIONS } from '../../graphene/opening-options.ts';
import { addFlags } from '../table-flags.ts';
import { statsOption } from './table-options.ts';

const FOLDER_HELP = 'the folder of the job';

const jobOption = (about: string): Option =>
  markRequired(new Option('--job <folder>', about).argParser(parseText));

const reportOption = (): Option =>
  new Option(
    '--report',
    'write report.html to the folder of the job, for people: what was asked, throughput, latencies, retries, statuses, where the points are, the biggest roots, warnings. Later steps of the job write it, too. It is also written when a step fails or is interrupted',
  );

export const defineJobCommand: DefineCommand = (job, { io, report, action }) => {
  const make = (name: string, about: string): Command => {
    const command = job
      .command(name)
      .description(about)
      .argument('[inputs...]', 'tables with one point per row, as for --points of lookup')
      .addOption(jobOption('folder of the job, which is made'))
      .option('--volume <cloudpath>', 'the volume, as for lookup', parseText)
      .option(
        '--task-points <n>',
        'about how many points a task has (default: 1000000)',
        parseWholeNumber(1),
      );
    const out = new Option(
      '--out <file>',
      'output file, or gs:// or s3:// URL, written when all tasks are done; it is required',
    ).argParser(parseText);
    return lookupOptions(command, {
      out,
      timestamp: 'the settled time when the job is made',
      report: reportOption(),
    });
  };
  /** A step of a job that exists. */
  const step = (name: string, about: string): Command =>
    job
      .command(name)
      .description(about)
      .argument('<folder>', FOLDER_HELP)
      .addOption(statsOption('file for counts, times and the timestamp used, as JSON; - is standard error'))
      .addOption(reportOption())
      .option('--quiet', 'show no progress and no summary; warnings are still shown');
  make('plan', 'Sorts the points of a table by chunk and cuts them into tasks. No chunk is read.').action(
    action(async (inputs: string[], flags: JobFlags) => {
      const { runNewJob } = await import('../run-job.ts');
      return runNewJob(inputs, flags, 'plan', io, report);
    }),
  );
  make('run', 'Makes a job and does all of it; or with --shard, a part of the tasks of a planned job.')
    .addOption(
      new Option(
        '--shard <i/n>',
        'do only the tasks of this shard of a planned job, from 0/N to N-1/N: $SLURM_ARRAY_TASK_ID or $JOB_COMPLETION_INDEX',
      ).argParser(parseShard),
    )
    .addHelpText('after', RUN_HELP)
    .action(
      action(async (inputs: string[], flags: JobFlags, command: Command) => {
        if (flags.shard) {
          const given = Object.keys(flags).filter((name) => command.getOptionValueSource(name) === 'cli');
          const { runShard } = await import('../run-shard.ts');
          return runShard(flags.shard, [...inputs, ...given], flags, io, report);
        }
        const { runNewJob } = await import('../run-job.ts');
        return runNewJob(inputs, flags, 'output', io, report);
      }),
    );
  step('resume', 'Goes on with a job that was stopped. Tasks that are done are not done again.').action(
    action(async (folder: string, flags: ResumeFlags) => {
      const { resumeJob } = await import('../run-resume.ts');
      return resumeJob(folder, flags, false, io, report);
    }),
  );
  step(
    'retry',
    'Looks up again the points of a job that failed, and writes the output anew. All other answers stay as they are, at the same timestamp.',
  ).action(
    action(async (folder: string, flags: ResumeFlags) => {
      const { resumeJob } = await import('../run-resume.ts');
      return resumeJob(folder, flags, true, io, report);
    }),
  );
  step('merge', 'Writes the output of a job whose tasks are done. Opens no volume.').action(
    action(async (folder: string, flags: ResumeFlags) => {
      const { runMerge } = await import('../run-merge.ts');
      return runMerge(folder, flags, io, report);
    }),
  );
  const refresh = step(
    'refresh',
    'Updates the roots of a job that is done to another timestamp, and writes the output anew. Looks up only the supervoxels whose root has expired, and reads a voxel only where its supervoxel was split.',
  )
    .addOption(
      new Option(
        '--out <file>',
        'output file, or gs:// or s3:// URL (default: the output of the job, which is replaced)',
      ).argParser(parseText),
    )
    .action(
      action(async (folder: string, flags: RefreshFlags) => {
        const { refreshJob } = await import('../run-refresh.ts');
        return refreshJob(folder, flags, io, report);
      }),
    );
  addFlags(refresh, GRAPHENE_OPTIONS, ['timestamp'], { timestamp: { default: 'the settled time now' } });
  job
    .command('status')
    .description('Shows how far a job is: rows, tasks, statuses and figures.')
    .argument('<folder>', FOLDER_HELP)
    .option('--json', 'as JSON')
    .action(
      action(async (folder: string, flags: { json?: boolean }) => {
        const { showJobStatus } = await import('../run-job-status.ts');
        return showJobStatus(folder, flags, io);
      }),
    );
  job
    .command('cancel')
    .description('Stops a job before its next task, and deletes its points and answers.')
    .argument('<folder>', FOLDER_HELP)
    .action(
      action(async (folder: string) => {
        const { cancelJob } = await import('../run-job-status.ts');
        return cancelJob(folder, report);
      }),
    );
};

function parseShard(value: string): JobShard {
  const [, index, of] = /^(\d{1,7})\/(\d{1,7})$/.exec(value) ?? [];
  if (index === undefined || !(Number(index) < Number(of)))
    throw new InvalidArgumentError('expected I/N with I from 0 to N - 1, such as 0/16.');
  return { index: Number(index), of: Number(of) };
}

const RUN_HELP = `
Examples:
  graphene-points job run synapses.parquet --volume cave://minnie65_public --position ctr_pt_position --resolution viewer --out roots.parquet --job synapses.job
  graphene-points job resume synapses.job
  graphene-points job status synapses.job

Without --timestamp, the roots are as of the settled time when the job is made, and all runs of the
job use it. The output is written whole or not at all, when all tasks are done.

Exit code: as of lookup.`;
