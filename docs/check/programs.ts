/** Writes, compiles and runs the programs of pages. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { makePython } from '../../interop/environment.ts';
import { SEPARATOR, sourceOf, trimLines, type Language, type Program, type Step } from './blocks.ts';
import type { World } from './world.ts';

/** Longest that a program may run. */
const TIMEOUT_MS = 60_000;

const SUFFIXES: Readonly<Record<Language, string>> = { ts: '.ts', js: '.js', python: '.py', sh: '.sh' };

export interface Page {
  /** From the root of the repository. */
  readonly path: string;
  /** In which its programs run. */
  readonly folder: string;
  readonly steps: readonly Step[];
  readonly world: World;
}

export const programsOf = ({ steps }: Page): Program[] =>
  steps.flatMap((step) => ('program' in step ? [step.program] : []));

/** Named for the line on which it begins. */
const fileOf = ({ blocks, language }: Program): string => `line-${blocks[0].line}${SUFFIXES[language]}`;

export const writeSource = ({ folder, world }: Page, program: Program): void =>
  writeFileSync(join(folder, fileOf(program)), world.toHere(sourceOf(program)));

/** Checks the types of the TypeScript programs of all pages at once, and writes their JavaScript. @returns The errors. */
export function compile(pages: readonly Page[], scratch: string, modules: string): string[] {
  const files = pages.flatMap((page) =>
    programsOf(page)
      .filter(({ language }) => language === 'ts')
      .map((program) => ({ path: page.path, file: relative(scratch, join(page.folder, fileOf(program))) })),
  );
  if (files.length === 0) return [];
  const compilerOptions = {
    target: 'es2022',
    lib: ['es2023', 'esnext.disposable'],
    module: 'nodenext',
    strict: true,
    skipLibCheck: true,
    sourceMap: true,
    types: ['node'],
    typeRoots: [join(modules, '@types')],
  };
  writeFileSync(
    join(scratch, 'tsconfig.json'),
    JSON.stringify({ compilerOptions, files: files.map(({ file }) => file) }),
  );
  const tsc = join(modules, 'typescript/bin/tsc');
  const { status, stdout } = spawnSync(process.execPath, [tsc, '--pretty', 'false'], {
    cwd: scratch,
    encoding: 'utf8',
  });
  if (status === 0) return [];
  return stdout
    .trimEnd()
    .split(/\n(?=\S)/)
    .map((error) =>
      files
        .reduce((text, { path, file }) => text.replace(`${file}(`, `${path}(`), error)
        .replace(/\((\d+),\d+\):/, ':$1:'),
    );
}

/**
 * @returns What each block printed, as far as the program came; and a failure, with the line that it is of, where the exit code is not the
 *   expected one.
 */
export async function runProgram(
  { folder, world }: Page,
  program: Program,
): Promise<{ outputs: string[]; failure?: string }> {
  const { code, stdout, stderr } = await execute(commandOf(program), folder, world.env);
  const outputs = world
    .toPage(stdout)
    .split(`${SEPARATOR}\n`)
    .map((text) => trimLines(text));
  if (code === program.exitCode) return { outputs };
  const { line } = program.blocks[Math.min(outputs.length, program.blocks.length) - 1];
  const said = [outputs.at(-1), world.toPage(stderr)].filter(Boolean).join('\n').replace(/^/gm, '    | ');
  return { outputs, failure: `${line}: the exit code is ${code}, not ${program.exitCode}\n${said}` };
}

function commandOf(program: Program): string[] {
  const file = fileOf(program);
  switch (program.language) {
    case 'ts':
    case 'js':
      return [process.execPath, '--enable-source-maps', file.replace(/\.ts$/, '.js')];
    case 'python':
      return [program.withPackages ? makePython() : 'python3', file];
    case 'sh':
      return ['bash', '-eu', file];
  }
}

async function execute(
  [command, ...args]: string[],
  cwd: string,
  env: NodeJS.ProcessEnv,
): Promise<{ code: number | string; stdout: string; stderr: string }> {
  // A process group of its own: whatever the program started is ended with it.
  const child = spawn(command, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
  let stdout = '',
    stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const timer = setTimeout(() => {
    stderr += `\nended after ${TIMEOUT_MS / 1000} s`;
    process.kill(-child.pid!, 'SIGKILL');
  }, TIMEOUT_MS);
  try {
    const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
    return { code: code ?? signal!, stdout, stderr };
  } finally {
    clearTimeout(timer);
  }
}
