import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { JobError } from '../../lib/base/errors.ts';
import type { StartedJob } from '../../lib/jobs/job-files.ts';
import { FAILURES, JobFolder, MANIFEST, PLAN } from '../../lib/jobs/job-folder.ts';
import { readManifest, readPlan, writeManifest } from '../../lib/jobs/job-plan.ts';
import { goOn, JOB, lookUpAtOnce, type Ran } from './small-job.ts';

const home = mkdtempSync(join(tmpdir(), 'job-folder-'));
afterAll(() => rmSync(home, { recursive: true }));

const startIn = (name: string): StartedJob => {
  const path = join(home, name);
  mkdirSync(path);
  return { folder: new JobFolder(path, { flushes: false }), job: JOB };
};
const openCopy = (from: string, name: string): StartedJob => {
  const path = join(home, name);
  cpSync(from, path, { recursive: true });
  return { folder: new JobFolder(path, { flushes: false }), job: JOB };
};

/** The text of a file of a job with its checksum. */
function checked(object: object): string {
  const rest: Record<string, unknown> = { ...object };
  delete rest.check;
  return JSON.stringify({ ...rest, check: crc32(JSON.stringify(rest)).toString(16) });
}

let one: Ran, whole: StartedJob;
beforeAll(async () => {
  one = await lookUpAtOnce();
  whole = startIn('whole');
});

describe('a job', () => {
  test('gives the bytes and the counts of one pass', async () => {
    const ran = await goOn(whole);
    expect(ran.text === one.text).toBe(true);
    expect(ran.statuses).toEqual(one.statuses);
    expect(ran.asked).toBeLessThan(240); // rows without a point are not looked up
    expect(readdirSync(whole.folder.tasks).length).toBeGreaterThan(4);
  });

  test('looks up nothing again when it is done', async () => {
    const { text, asked, statuses } = await goOn(whole);
    expect([text === one.text, asked, statuses]).toEqual([true, 0, one.statuses]);
  });

  test('lists the points that need attention in the order of the rows', () => {
    const REASONS: Record<string, string> = {
      failed: 'it broke: the disk is gone',
      invalid_point: 'the position is not three finite numbers',
    };
    const expected = one.text
      .trimEnd()
      .split('\n')
      .slice(1)
      .flatMap((line, k) => {
        const cells = /^\d+,(?:"\[.*?\]"|"")?,.*?,n+,(.*)$/.exec(line)![1].split(',');
        return ['pre', 'post'].flatMap((column, side) =>
          cells[3 * side + 2] in REASONS
            ? [`${k + 1},${column},,${cells[3 * side + 2]},${REASONS[cells[3 * side + 2]]}`]
            : [],
        );
      });
    expect(expected.length).toBeGreaterThan(20);
    const text = readFileSync(join(whole.folder.path, FAILURES), 'utf8');
    expect(text).toBe(`row,column,volume,status,reason\n${expected.map((line) => `${line}\n`).join('')}`);
  });

  test('goes on from every state in which it can be killed', async () => {
    const started = startIn('killed'),
      states: { path: string; left: number }[] = [];
    const all = await goOn(started, () => {
      const path = join(home, `state-${states.length}`);
      cpSync(started.folder.path, path, { recursive: true });
      const [first] = readdirSync(started.folder.tasks);
      // A run that is killed while it writes leaves a draft.
      if (first) writeFileSync(join(path, 'tasks', '000099.answers.x.draft'), 'half');
      states.push({ path, left: readdirSync(started.folder.tasks).length });
    });
    expect(states.length).toBeGreaterThan(4);
    for (const { path } of states) {
      const resumed = { folder: new JobFolder(path, { flushes: false }), job: JOB };
      const done = readdirSync(resumed.folder.tasks).filter((name) => name.endsWith('.answers')).length;
      const ran = await goOn(resumed);
      expect(ran.text === one.text).toBe(true);
      if (done > 0) expect(ran.asked).toBeLessThan(all.asked);
      expect(ran.statuses).toEqual(one.statuses);
    }
    // Killed while it planned: the points are cut, and there is no plan.
    const planning = openCopy(states[0].path, 'planning');
    rmSync(join(planning.folder.path, PLAN));
    writeFileSync(planning.folder.points, readFileSync(planning.folder.points).subarray(0, 1000));
    expect((await goOn(planning)).text === one.text).toBe(true);
  });

  test.each(['writeWhole', 'prepareTasks'] as const)('goes on after any failure of %s', async (step) => {
    for (let failing = 0; ; failing++) {
      const started = startIn(`${step}-${failing}`),
        real: (...args: never[]) => Promise<void> = started.folder[step].bind(started.folder);
      let calls = 0;
      Object.assign(started.folder, {
        [step]: async (...args: never[]) => {
          if (calls++ === failing) throw new Error('killed');
          return real(...args);
        },
      });
      const error: unknown = await goOn(started).then(
        () => undefined,
        (thrown: unknown) => thrown,
      );
      const resumed = { folder: new JobFolder(started.folder.path, { flushes: false }), job: JOB };
      expect((await goOn(resumed)).text === one.text).toBe(true);
      if (error === undefined) {
        expect(failing).toBeGreaterThan(0);
        return;
      }
      expect(error).toMatchObject({ message: 'killed' });
    }
  });

  test('does a task again whose file is cut or damaged, and never gives another answer', async () => {
    const [name] = readdirSync(whole.folder.tasks),
      bytes = readFileSync(join(whole.folder.tasks, name));
    const outcomes = { again: 0, refused: 0 };
    for (let k = 0; k < 24; k++) {
      const copy = openCopy(whole.folder.path, `damaged-${k}`),
        path = join(copy.folder.tasks, name);
      const at = Math.floor((k * bytes.length) / 24);
      if (k % 3 === 0) writeFileSync(path, bytes.subarray(0, at));
      else {
        const damaged = Buffer.from(bytes);
        damaged[at] ^= 1 << (k % 8);
        writeFileSync(path, damaged);
      }
      const ran = await goOn(copy).catch((error: unknown) => error);
      if (ran instanceof Error) {
        expect(ran).toMatchObject({
          code: 'JOB_DAMAGED',
          message: expect.stringContaining(`${name} is damaged`),
        });
        outcomes.refused++;
        rmSync(path);
        expect((await goOn(copy)).text === one.text).toBe(true);
      } else {
        expect((ran as Ran).text === one.text).toBe(true);
        expect((ran as Ran).warnings).toContain(`${path} is damaged: its task is done again`);
        outcomes.again++;
      }
    }
    expect([outcomes.again > 6, outcomes.refused > 3]).toEqual([true, true]);
  });

  test('refuses points that are damaged or cut', async () => {
    const points = readFileSync(whole.folder.points);
    for (const at of [0, 40, 400, points.length - 1]) {
      const copy = openCopy(whole.folder.path, `points-${at}`),
        damaged = Buffer.from(points);
      damaged[at] ^= 4;
      writeFileSync(copy.folder.points, damaged);
      await expect(goOn(copy)).rejects.toMatchObject({ code: 'JOB_DAMAGED' });
    }
    const cut = openCopy(whole.folder.path, 'points-cut');
    writeFileSync(cut.folder.points, points.subarray(1));
    await expect(goOn(cut)).rejects.toMatchObject({
      code: 'JOB_DAMAGED',
      message: `${cut.folder.points} has ${points.length - 1} bytes instead of ${points.length}: run the job again in a new folder`,
    });
  });

  test('refuses the answers of another job', async () => {
    const copy = openCopy(whole.folder.path, 'other');
    const plan = JSON.parse(readFileSync(join(copy.folder.path, PLAN), 'utf8')) as { job: string };
    writeFileSync(join(copy.folder.path, PLAN), checked({ ...plan, job: 'another-job' }));
    await expect(goOn(copy)).rejects.toMatchObject({ code: 'JOB_DAMAGED' });
    const { text, asked } = await goOn({ ...copy, job: 'another-job' });
    expect([text === one.text, asked > 0]).toEqual([true, true]);
  });

  test('stops before its next task when it is cancelled', async () => {
    const copy = openCopy(whole.folder.path, 'cancelled');
    await copy.folder.cancel();
    await expect(goOn(copy)).rejects.toMatchObject({ code: 'JOB_CANCELLED' });
    await copy.folder.removeData();
    expect(readdirSync(copy.folder.path).toSorted()).toEqual(['cancelled', PLAN]);
  });
});

describe('the files of a job', () => {
  const MANIFEST_OF = {
    job: JOB,
    isTemporary: false,
    volume: 'gs://b/v',
    flags: { mip: 1 },
    inputs: [{ name: 't.csv', path: '/t.csv', bytes: 5, modified: '1700000000000000000', ends: 'ab' }],
    output: '/out.csv',
    timestamps: ['2024-06-05T10:10:01.203Z', null],
  };

  test('are read as they were written', async () => {
    const { folder } = startIn('manifest');
    const written = await writeManifest(folder, MANIFEST_OF);
    expect(await readManifest(folder)).toEqual(written);
    expect(written).toMatchObject({ format: 1, program: expect.stringMatching(/^graphene-points\//) });
    expect(await readPlan(folder, JOB)).toBeUndefined();
  });

  test('of another version are refused, and damaged ones too', async () => {
    const { folder } = startIn('versions'),
      path = join(folder.path, MANIFEST);
    await expect(readManifest(folder)).rejects.toMatchObject({ code: 'JOB_MISSING' });
    const written = await writeManifest(folder, MANIFEST_OF);
    writeFileSync(path, JSON.stringify({ ...written, format: 2, program: 'graphene-points/9.0.0' }));
    await expect(readManifest(folder)).rejects.toMatchObject({
      code: 'JOB_VERSION',
      message: expect.stringMatching(
        /was made by graphene-points\/9\.0\.0, with files of version 2; this is .*, which reads version 1$/,
      ),
    });
    const text = JSON.stringify(written);
    for (const bad of [
      '',
      'null',
      text, // without its checksum
      text.slice(0, -1),
      text.replace('"inputs"', '"x"'),
      text.replace('"mip":1', '"mip":1}'),
    ]) {
      writeFileSync(path, bad);
      await expect(readManifest(folder)).rejects.toMatchObject({ code: 'JOB_DAMAGED' });
    }
  });

  test('are damaged after any change of one of their bytes that leaves them JSON', async () => {
    const { folder } = startIn('flipped');
    await writeManifest(folder, MANIFEST_OF);
    const planned = openCopy(whole.folder.path, 'flipped-plan').folder;
    const isDamaged = async (path: string, bytes: Buffer, read: () => Promise<unknown>): Promise<boolean> => {
      writeFileSync(path, bytes);
      try {
        await read();
        return false;
      } catch (error) {
        return error instanceof JobError && ['JOB_DAMAGED', 'JOB_VERSION'].includes(error.code);
      }
    };
    for (const [path, read] of [
      [join(folder.path, MANIFEST), () => readManifest(folder)],
      [join(planned.path, PLAN), () => readPlan(planned, JOB)],
    ] as const) {
      const bytes = readFileSync(path),
        missed: string[] = [];
      for (let at = 0; at < bytes.length; at += 1 + (at % 3)) {
        const changed = Buffer.from(bytes);
        changed[at] ^= 1 << (at % 7);
        const isSpace = (byte: number): boolean => [9, 10, 13, 32].includes(byte); // between values
        if (isSpace(bytes[at]) && isSpace(changed[at])) continue;
        if (!(await isDamaged(path, changed, read)))
          missed.push(changed.toString('latin1', Math.max(0, at - 9), at + 9));
      }
      expect(missed).toEqual([]);
      expect(await isDamaged(path, bytes, read)).toBe(false);
    }
  });

  test('of a plan must name each point once', async () => {
    type Plan = { tasks: number[][]; runs: { count: number; rows: number }[]; rows: number; check?: string };
    const changes: ((plan: Plan) => void)[] = [
      (plan) => plan.tasks.pop(),
      (plan) => plan.tasks.push(plan.tasks[0]),
      (plan) => plan.tasks[0].pop(),
      (plan) => plan.tasks[0][2]++,
      (plan) => (plan.tasks[0][0] = 99),
      (plan) => plan.runs[0].count++,
      (plan) => plan.rows++,
    ];
    for (const [k, change] of changes.entries()) {
      const { folder } = openCopy(whole.folder.path, `plan-${k}`),
        path = join(folder.path, PLAN),
        plan = JSON.parse(readFileSync(path, 'utf8')) as Plan;
      change(plan);
      writeFileSync(path, checked(plan));
      await expect(readPlan(folder, JOB)).rejects.toBeInstanceOf(JobError);
    }
  });

  test('are not made in a folder with other files', async () => {
    const path = join(home, 'occupied');
    mkdirSync(path);
    writeFileSync(join(path, 'thesis.tex'), '');
    await expect(JobFolder.create(path)).rejects.toMatchObject({ code: 'JOB_EXISTS' });
    await expect(JobFolder.create(whole.folder.path)).rejects.toMatchObject({ code: 'JOB_EXISTS' });
    const made = await JobFolder.create(join(home, 'deep', 'new'));
    await writeManifest(made, MANIFEST_OF);
    await expect(JobFolder.create(made.path)).rejects.toMatchObject({
      message: `${made.path} already holds a job: graphene-points job resume ${made.path} goes on with it`,
    });
    const unlock = await made.lock();
    await expect(made.lock()).rejects.toMatchObject({ code: 'IN_USE' });
    unlock();
    (await made.lock())();
  });

  test('name the lock that cannot be written', async () => {
    const { folder } = startIn('locked');
    mkdirSync(join(folder.path, 'job.lock'));
    await expect(folder.lock()).rejects.toMatchObject({
      name: 'TableError',
      code: 'UNREADABLE',
      message: expect.stringMatching(/job\.lock cannot be written: .*\(EISDIR\)$/),
    });
  });
});
