/** Reads the marked blocks of a page: what is run, and what it must print. docs/check/README.md lists the marks. No I/O. */

export type Language = 'ts' | 'js' | 'python' | 'sh';

/** One fence that is run. */
export interface Block {
  /** Line of the page on which the code begins, from 1. */
  readonly line: number;
  readonly code: string;
  /** What the code must print, and the line on which that begins. */
  output?: { readonly line: number; readonly text: string };
}

/** Blocks that are run as one process: one fence, and those after it that are marked `continue`. */
export interface Program {
  readonly language: Language;
  readonly blocks: Block[];
  /** Python with the packages of interop/requirements.txt, pandas among them. */
  readonly withPackages: boolean;
  readonly exitCode: number;
}

/** A file that the page shows and its later programs read. */
export interface PageFile {
  readonly name: string;
  readonly text: string;
}

export type Step = { readonly program: Program } | { readonly file: PageFile };

const LANGUAGES: Readonly<Record<string, Language>> = { ts: 'ts', js: 'js', python: 'python', sh: 'sh' };

/** The steps of a page, in order. @throws Error that names the page and the line of a mark that means nothing. */
export function readSteps(page: string, markdown: string): Step[] {
  const steps: Step[] = [];
  const lines = markdown.split('\n');
  let last: Block | undefined;
  for (let at = 0; at < lines.length; at++) {
    const mark = /^<!-- (run|output|file)\b ?(.*?) ?-->$/.exec(lines[at]);
    if (!mark) continue;
    const fail = (why: string): never => {
      throw new Error(`${page}:${at + 1}: ${lines[at]}: ${why}`);
    };
    const [, kind, words] = mark;
    const fence = /^```(\w*)$/.exec(lines[at + 1] ?? '');
    const end = lines.indexOf('```', at + 2);
    if (!fence || end < 0) return fail('the next line does not begin a fence that ends');
    const block: Block = { line: at + 3, code: lines.slice(at + 2, end).join('\n') };
    if (kind === 'file') {
      steps.push({ file: { name: words, text: `${block.code}\n` } });
    } else if (kind === 'output') {
      if (!last || last.output) return fail('there is no run block before it');
      last.output = { line: block.line, text: block.code };
    } else {
      const language = LANGUAGES[fence[1]] ?? fail(`a fence of language ${fence[1] || '(none)'} is not run`);
      const {
        again,
        packages,
        code = '0',
      } = /^(?<again>continue)?(?<packages>pandas)?(?:exit (?<code>\d+))?$/.exec(words)?.groups ??
      fail('write run, run continue, run pandas or run exit CODE');
      if (again) {
        const program = steps
          .flatMap((step) => ('program' in step ? [step.program] : []))
          .filter((before) => before.language === language)
          .at(-1);
        if (!program) return fail(`no run block before it is in ${language}`);
        program.blocks.push(block);
      } else {
        const program = {
          language,
          blocks: [block],
          withPackages: Boolean(packages),
          exitCode: Number(code),
        };
        steps.push({ program });
      }
      last = block;
    }
    at = end;
  }
  return steps;
}

/** Printed between the blocks of one program, to separate their outputs. */
export const SEPARATOR = '@@ next block @@';

const PRINT: Readonly<Record<Language, string>> = {
  ts: `console.log('${SEPARATOR}');`,
  js: `console.log('${SEPARATOR}');`,
  python: `print('${SEPARATOR}', flush=True)`,
  sh: `echo '${SEPARATOR}'`,
};

/** A program's source. Each line keeps its number in the page, so that messages of compilers and stack traces name it. */
export function sourceOf({ language, blocks }: Program): string {
  const lines: string[] = [];
  for (const { line, code } of blocks) {
    while (lines.length < line - 1) lines.push('');
    if (line !== blocks[0].line) lines[line - 2] = PRINT[language];
    lines.push(...code.split('\n'));
  }
  return `${lines.join('\n')}\n`;
}

/** Whether `actual` is what the page says: `…` stands for any text within a line, and a line of `…` alone for any lines. */
export function matches(expected: string, actual: string): boolean {
  const escape = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
  const pattern = trimLines(expected)
    .split('\n')
    .map((line) => (line.trim() === '…' ? '(?:.*\n)*?' : `${line.split('…').map(escape).join('.*?')}\n`));
  return new RegExp(`^${pattern.join('')}$`).test(`${trimLines(actual)}\n`);
}

/** Without blanks at the ends of lines and empty lines at the end. */
export const trimLines = (text: string): string => text.replace(/[ \t]+$/gm, '').trimEnd();
