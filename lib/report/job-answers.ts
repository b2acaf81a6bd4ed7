/** Collects the answers of a job from its folder: those of all runs, as they are now. */
import { cooperativeRunner } from '../base/cooperative-work.ts';
import { type PlannedJob, scanTasks, type StartedJob, withPlannedJob } from '../jobs/job-files.ts';
import type { JobPlan } from '../jobs/job-plan.ts';
import type { StoredTask } from '../jobs/task-store.ts';
import { AnswerLayout } from '../spill/answer-layout.ts';
import { AnswerCollector, type AnswerSummary } from './model/answer-collector.ts';
import { rootWordsOf } from './report-watch.ts';

/** What the folder of a job has. */
export interface JobAnswers {
  answers: AnswerSummary;
  /** What the tasks did that are done. */
  tasks: readonly StoredTask[];
}

/**
 * Reads all answers of a job once, block by block.
 * @param hasRoots Whether roots are looked up in the main volume.
 * @throws JobError JOB_DAMAGED, JOB_CANCELLED; TableError UNREADABLE.
 */
export const collectJobAnswers = (
  started: StartedJob,
  plan: JobPlan,
  hasRoots: boolean,
): Promise<JobAnswers> =>
  withPlannedJob(started, plan, async (planned) => {
    const collector = new AnswerCollector(['', ...plan.also]),
      { done } = await scanTasks(planned);
    for (const [code, count] of plan.presets) collector.addUnread(code, count);
    for (const task of done) await addTask(collector, planned, task, hasRoots);
    return { answers: collector.summarize(), tasks: done };
  });

async function addTask(
  collector: AnswerCollector,
  { spill, store }: PlannedJob,
  task: StoredTask,
  hasRoots: boolean,
): Promise<void> {
  const layout = new AnswerLayout(task.layout);
  for (const block of store.blocksOf(task)) {
    const count = block.end - block.from,
      unpacked = layout.createAnswers(count),
      { points } = await spill.readPoints([block]);
    layout.unpack(
      await store.readBlock(block, layout.width),
      Uint32Array.from({ length: count }, (_, k) => k),
      unpacked,
    );
    const { also = [], ...main } = unpacked.answers;
    for (const [k, { columns, status }] of [main, ...also].entries()) {
      const roots = k === 0 ? rootWordsOf({ columns }, hasRoots ? 'graph' : 'values') : undefined;
      await cooperativeRunner.run(collector.addInSteps(k, points, { status, roots }));
    }
  }
}
