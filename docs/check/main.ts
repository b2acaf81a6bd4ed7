/**
 * `npm run docs:check -- [FOLDER] [PAGE.md …] [--write]`: runs the examples of README.md and of the pages in docs/.
 *
 * FOLDER has the packed package installed, with TypeScript and @types/node. Without it, `dist/` of this checkout is used. `--write` puts
 * what the examples print into the pages.
 */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { makePython } from '../../interop/environment.ts';
import { matches, readSteps, type Block } from './blocks.ts';
import { compile, programsOf, runProgram, writeSource, type Page } from './programs.ts';
import { openWorld } from './world.ts';

const ROOT = join(import.meta.dirname, '../..');

const args = process.argv.slice(2);
const write = args.includes('--write');
const named = args.filter((arg) => arg.endsWith('.md')).map((path) => relative(ROOT, resolve(path)));
const installedIn = args.find((arg) => arg !== '--write' && !arg.endsWith('.md'));
const scratch = mkdtempSync(join(tmpdir(), 'docs-check-'));
try {
  const began = performance.now();
  const modules = installedIn === undefined ? linkCheckout() : resolve(installedIn, 'node_modules');
  const pages = await Promise.all(pathsOf().map((path) => openPage(path, modules)));
  try {
    if (pages.some((page) => programsOf(page).some(({ withPackages }) => withPackages))) makePython();
    const errors = compile(pages, scratch, modules);
    for (const error of errors) console.error(`${error}\n`);
    let failed = errors.length;
    const waiting = [...pages];
    const checkNext = async (): Promise<void> => {
      for (let page = waiting.shift(); page; page = waiting.shift()) failed += await checkPage(page);
    };
    await Promise.all(Array.from({ length: availableParallelism() }, checkNext));
    const blocks = pages.flatMap((page) => programsOf(page).flatMap((program) => program.blocks)).length;
    const seconds = ((performance.now() - began) / 1000).toFixed(1);
    console.log(`${blocks} examples of ${pages.length} pages run in ${seconds} s: ${failed} failed`);
    process.exitCode = failed === 0 ? 0 : 1;
  } finally {
    await Promise.all(pages.map(({ world }) => world.close()));
  }
} finally {
  rmSync(scratch, { recursive: true, force: true });
}

function pathsOf(): string[] {
  if (named.length > 0) return named;
  const docs = readdirSync(join(ROOT, 'docs')).filter((file) => file.endsWith('.md'));
  return ['README.md', ...docs.map((file) => `docs/${file}`)];
}

/** A node_modules that has this checkout in it, as `npm run build` left it. */
function linkCheckout(): string {
  const bin = join(ROOT, 'dist/lib/cli/main.js');
  if (!existsSync(bin))
    throw new Error('npm run build first, or name the folder in which the package is installed');
  const modules = join(scratch, 'node_modules');
  mkdirSync(join(modules, '.bin'), { recursive: true });
  symlinkSync(ROOT, join(modules, 'graphene-points'));
  symlinkSync(bin, join(modules, '.bin/graphene-points'));
  for (const name of ['typescript', '@types', 'undici-types'])
    symlinkSync(join(ROOT, 'node_modules', name), join(modules, name));
  return modules;
}

async function openPage(path: string, modules: string): Promise<Page> {
  const folder = join(scratch, path.replace(/^docs\//, '').replace(/\.md$/, ''));
  mkdirSync(folder);
  symlinkSync(modules, join(folder, 'node_modules'));
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }\n');
  const steps = readSteps(path, readFileSync(join(ROOT, path), 'utf8'));
  const world = await openWorld(join(modules, 'graphene-points'), folder);
  const page = { path, folder, steps, world };
  for (const program of programsOf(page)) writeSource(page, program);
  return page;
}

/** @returns How many blocks failed. */
async function checkPage(page: Page): Promise<number> {
  let failed = 0;
  const changed: { output: NonNullable<Block['output']>; text: string }[] = [];
  for (const step of page.steps) {
    if ('file' in step) {
      writeFileSync(join(page.folder, step.file.name), page.world.toHere(step.file.text));
      continue;
    }
    const { outputs, failure } = await runProgram(page, step.program);
    if (failure !== undefined) {
      failed++;
      console.error(`${page.path}:${failure}\n`);
    }
    step.program.blocks.forEach(({ line, output }, k) => {
      const text = outputs[k];
      if (!output || text === undefined || matches(output.text, text)) return;
      failed++;
      changed.push({ output, text });
      console.error(
        `${page.path}:${output.line}: the example at line ${line} printed something else\n${quote('expected', output.text)}\n${quote('printed', text)}\n`,
      );
    });
  }
  if (write && changed.length > 0) {
    const lines = readFileSync(join(ROOT, page.path), 'utf8').split('\n');
    for (const { output, text } of changed.sort((a, b) => b.output.line - a.output.line))
      lines.splice(
        output.line - 1,
        lines.indexOf('```', output.line - 1) - (output.line - 1),
        ...text.split('\n'),
      );
    writeFileSync(join(ROOT, page.path), lines.join('\n'));
  }
  return failed;
}

function quote(title: string, text: string): string {
  return `  ${title}:\n${text.replace(/^/gm, '    | ')}`;
}
