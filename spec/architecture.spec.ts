/** Checks the structure of the source by its imports: the order of the rooms, pure rooms, unique names. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, posix, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';
import ts from 'typescript';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..');

/** The rooms of lib/. A room may import the rooms before it, and never those after it. */
const ROOMS = [
  'base',
  'cache',
  'http',
  'failures',
  'storage',
  'compression',
  'precomputed',
  'codecs',
  'chunks',
  'ocdbt',
  'workers',
  'points',
  'neuroglancer',
  'chunkedgraph',
  'cave',
  'graphene',
  'doctor',
  'tables',
  'spill',
  'table-files',
  'jobs',
  'report',
  'lookup-table',
  'serve',
  'cli',
] as const;
/** The rooms within a room, in the same order. */
const INNER: Readonly<Record<string, readonly string[]>> = {
  'lib/tables': ['files', 'text', 'columnar', 'arrow', 'numpy', 'parquet', 'convert'],
  'lib/report': ['model', 'page'],
  'lib/chunkedgraph': ['ids', 'server', 'roots', 'api', 'root-cache'],
  'lib/serve': ['bodies', 'access', 'api', 'transform', 'page'],
  mocks: ['graph', 'volume', 'ocdbt', 'endpoints', 'cave'],
};
/** Files that compute only, without Node: a browser build uses them unchanged. */
const PURE = [
  /^lib\/base\//,
  /^lib\/failures\/(verdict|delay)\.ts$/,
  /^lib\/precomputed\//,
  /^lib\/codecs\//,
  /^lib\/ocdbt\/format\//,
  /^lib\/neuroglancer\//,
  /^lib\/chunkedgraph\/ids\//,
  /^lib\/report\/model\//,
  /^lib\/points\/(status|input|result|cell-index|plan|ball|distances)\.ts$/,
];
const PURE_PACKAGES = ['zod/locales', 'zod/mini', 'ipaddr.js'];
/** A build for another platform replaces these files, so pure files may import them. */
const PLATFORM = ['lib/compression/image-platform.ts', 'lib/compression/platform.ts'];

interface Import {
  file: string;
  /** The path of a file from the project's root, or the name of a package. */
  target: string;
  ours: boolean;
  typeOnly: boolean;
}

const tree = (folder: string): string[] =>
  readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => relative(ROOT, join(entry.parentPath, entry.name)).split(sep).join('/'));

function importsOf(file: string): Import[] {
  const source = ts.createSourceFile(
    file,
    readFileSync(join(ROOT, file), 'utf8'),
    ts.ScriptTarget.ES2022,
    true,
  );
  const imports: Import[] = [];
  const add = (specifier: string, typeOnly: boolean): void => {
    const ours = specifier.startsWith('.');
    imports.push({
      file,
      ours,
      typeOnly,
      target: ours ? posix.join(posix.dirname(file), specifier) : specifier,
    });
  };
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node) && ts.isStringLiteral(node.moduleSpecifier))
      add(node.moduleSpecifier.text, node.importClause?.isTypeOnly ?? false);
    else if (ts.isExportDeclaration(node) && node.moduleSpecifier && ts.isStringLiteral(node.moduleSpecifier))
      add(node.moduleSpecifier.text, node.isTypeOnly);
    else if (
      ts.isCallExpression(node) &&
      node.expression.kind === ts.SyntaxKind.ImportKeyword &&
      ts.isStringLiteral(node.arguments[0])
    )
      add(node.arguments[0].text, false);
    ts.forEachChild(node, visit);
  };
  visit(source);
  return imports;
}

/** Names that a file declares and exports, each once; not those that it re-exports or that are deprecated. */
function exportedNames(file: string): Set<string> {
  const text = readFileSync(join(ROOT, file), 'utf8');
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.ES2022, true);
  const isExported = (statement: ts.Statement): boolean =>
    ts.canHaveModifiers(statement) &&
    ts.getModifiers(statement)?.[0]?.kind === ts.SyntaxKind.ExportKeyword &&
    !ts.getJSDocTags(statement).some((tag) => tag.tagName.text === 'deprecated');
  const declared = source.statements
    .filter(isExported)
    .flatMap((statement): readonly ts.NamedDeclaration[] =>
      ts.isVariableStatement(statement)
        ? statement.declarationList.declarations
        : [statement as ts.DeclarationStatement],
    );
  return new Set(declared.flatMap(({ name }) => (name && ts.isIdentifier(name) ? [name.text] : [])));
}

const imports = [...tree('lib'), ...tree('mocks')].flatMap(importsOf);
const roomOf = (file: string): string => file.split('/')[1];
const rank = (room: string): number => ROOMS.indexOf(room as (typeof ROOMS)[number]);
const isPure = (file: string): boolean => PURE.some((pattern) => pattern.test(file));
const shown = ({ file, target }: Import): string => `${file} -> ${target}`;

/**
 * The files in circles of imports, and those that lead into them: files that import none of the rest are
 * removed until none is left.
 */
function circlesOf(graph: ReadonlyMap<string, readonly string[]>): string[] {
  const left = new Map(graph);
  for (let before = -1; before !== left.size;) {
    before = left.size;
    for (const [file, targets] of left) if (!targets.some((target) => left.has(target))) left.delete(file);
  }
  return [...left.keys()];
}

describe('the structure', () => {
  test('has only listed rooms', () => {
    expect(imports.length).toBeGreaterThan(50);
    expect(
      [
        ...new Set(
          tree('lib')
            .filter((file) => file.split('/').length > 2)
            .map(roomOf),
        ),
      ].filter((room) => rank(room) < 0),
    ).toEqual([]);
  });

  test('has rooms that import only rooms before them', () => {
    const upwards = imports.filter(
      ({ file, target, ours }) =>
        ours &&
        file.startsWith('lib/') &&
        file !== 'lib/index.ts' &&
        target.startsWith('lib/') &&
        rank(roomOf(target)) > rank(roomOf(file)),
    );
    expect(upwards.map(shown)).toEqual([]);
  });

  test('has a tables room that imports statuses and compression, and nothing about volumes', () => {
    const beyond = imports.filter(
      ({ file, target, ours }) =>
        ours &&
        file.startsWith('lib/tables/') &&
        !/^lib\/(tables|base|compression|points\/status\.ts$)/.test(target),
    );
    expect(beyond.map(shown)).toEqual([]);
  });

  test.each(Object.entries(INNER))('has an order within %s', (outer, inner) => {
    const place = (file: string): number => inner.findIndex((room) => file.startsWith(`${outer}/${room}/`));
    const within = imports.filter(({ file, target }) => place(file) >= 0 && place(target) >= 0);
    expect(within.length).toBeGreaterThan(8);
    expect(within.filter(({ file, target }) => place(file) < place(target)).map(shown)).toEqual([]);
    const folders = tree(outer).filter((file) => file.split('/').length > outer.split('/').length + 1);
    expect(folders.filter((file) => place(file) < 0)).toEqual([]);
  });

  test('has a resolver that does not import volumes', () => {
    const known = /^lib\/graphene\/(resolve\/|(option-types|resolution|ocdbt|voxels-at)\.ts$)/;
    const reaching = imports.filter(
      ({ file, target }) => file.startsWith('lib/graphene/resolve/') && target.startsWith('lib/graphene/'),
    );
    expect(reaching.length).toBeGreaterThan(20);
    expect(reaching.filter(({ target }) => !known.test(target)).map(shown)).toEqual([]);
  });

  test('has no circles, types included', () => {
    const files = new Map<string, string[]>();
    for (const { file, target } of [
      ...imports,
      ...['testing', 'bench', 'interop'].flatMap(tree).flatMap(importsOf),
    ])
      files.set(file, [...(files.get(file) ?? []), target]);
    expect(circlesOf(files)).toEqual([]);
  });

  test('has no file name twice in lib/ and mocks/', () => {
    const names = [...tree('lib'), ...tree('mocks')]
      .map((file) => posix.basename(file))
      .filter((name) => name !== 'index.ts');
    expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
  });

  test('has no exported name with two meanings in lib/ and mocks/, except deprecated ones', () => {
    const files = new Map<string, string[]>();
    for (const file of [...tree('lib'), ...tree('mocks')])
      for (const name of exportedNames(file)) files.set(name, [...(files.get(name) ?? []), file]);
    expect(files.size).toBeGreaterThan(500);
    const repeated = [...files].filter(([, where]) => where.length > 1);
    expect(repeated.map(([name, where]) => `${name}: ${where.join(', ')}`)).toEqual([]);
  });

  test('lets only the command line reach the mocks, and only lazily', () => {
    const reaching = imports.filter(
      ({ file, target }) => file.startsWith('lib/') && target.startsWith('mocks/'),
    );
    expect(reaching.filter(({ file }) => !file.startsWith('lib/cli/')).map(shown)).toEqual([]);
    const eager = reaching.filter(({ file, target }) =>
      new RegExp(`^import (?!type).*${posix.basename(target)}`, 'm').test(
        readFileSync(join(ROOT, file), 'utf8'),
      ),
    );
    expect(eager.map(shown)).toEqual([]);
  });

  test('keeps the pure rooms free of Node and of packages that need it', () => {
    const impure = imports.filter(
      ({ file, target, ours, typeOnly }) =>
        isPure(file) &&
        !typeOnly &&
        (ours ? !isPure(target) && !PLATFORM.includes(target) : !PURE_PACKAGES.includes(target)),
    );
    expect(impure.map(shown)).toEqual([]);
  });

  test('has benchmarks and interoperability runs that import no specs', () => {
    const users = ['lib', 'mocks', 'testing', 'bench', 'interop'].flatMap(tree).flatMap(importsOf);
    expect(users.filter(({ target }) => target.startsWith('spec/')).map(shown)).toEqual([]);
  });

  test('imports Node in the rooms that decode points only through the platform’s inflater', () => {
    const rooms = /^lib\/(compression|chunks|points)\//,
      platform = /^lib\/compression\/node\//;
    const reaching = imports.filter(
      ({ file, target }) => rooms.test(file) && !platform.test(file) && /^node:/.test(target),
    );
    expect(reaching.map(shown)).toEqual([]);
    const choosing = imports.filter(({ file, target }) => !platform.test(file) && platform.test(target));
    expect([...new Set(choosing.map(({ file }) => file))].sort()).toEqual(PLATFORM);
  });

  test('imports nock in one file only', () => {
    expect([...new Set(imports.filter(({ target }) => target === 'nock').map(({ file }) => file))]).toEqual([
      'mocks/nock.ts',
    ]);
  });

  test('has specs that restore nock, because specs of one worker share its patches', () => {
    const texts = tree('spec').map((file) => ({ file, text: readFileSync(join(ROOT, file), 'utf8') }));
    const patching = texts.filter(({ text }) => /^import nock from 'nock';$/m.test(text));
    expect(patching.length).toBeGreaterThan(10);
    expect(patching.filter(({ text }) => !text.includes('nock.restore()')).map(({ file }) => file)).toEqual(
      [],
    );
  });

  test('joins signals by listeners, because AbortSignal.any and AbortSignal.timeout can be garbage-collected', () => {
    const texts = [...tree('lib'), ...tree('mocks')].map((file) => [
      file,
      readFileSync(join(ROOT, file), 'utf8'),
    ]);
    expect(
      texts.filter(([, text]) => /AbortSignal\.(any|timeout)\(/.test(text)).map(([file]) => file),
    ).toEqual([]);
  });

  test('imports HTTP clients only in the HTTP room', () => {
    const talking = imports.filter(
      ({ file, target }) =>
        file.startsWith('lib/') &&
        /^(got|undici|(node:)?https?2?)$/.test(target) &&
        !file.startsWith('lib/http/'),
    );
    expect(talking.map(shown)).toEqual([]);
  });
});
