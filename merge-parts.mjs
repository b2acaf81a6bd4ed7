/**
 * Merges built files that are always loaded together. Where code is split, esbuild makes one file for each set of programs that share it:
 * the library would load 15 files, and each costs it 0.4 ms.
 */
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { build } from 'esbuild';

const SHARED = { bundle: true, format: 'esm', logLevel: 'warning' };
const keepImports = (path) => ({
  name: 'keep-imports',
  setup: ({ onResolve }) =>
    onResolve({ filter: /.*/ }, (args) => (args.kind === 'entry-point' ? undefined : path(args))),
});
const IMPORT = /^import (?:\{([^}]*)\} from )?"(\.[^"]+)";$/gm;

/**
 * Merges all that a built file imports, apart from what it imports while it runs, into one file. Files that shared some of the parts import
 * the merged file, too. The built file itself stays apart: what waits for it would wait forever if it imports some of the parts.
 *
 * @param entry The file.
 * @param folder The folder of all files that import each other.
 * @param parts The folder of the parts.
 * @param name The name of the merged file, without its suffix.
 * @param within Only what this file imports, too, is merged. @default everything
 * @param without Files that stay as they are, with all that they import.
 */
export async function mergeParts(entry, { folder, parts, name, within, without = [] }) {
  const target = join(parts, `${name}.js`),
    files = new Map(await readModules(folder)),
    others = new Set(without.flatMap((file) => [...closureOf(file, files, new Set())])),
    allowed = within === undefined ? new Set(files.keys()) : closureOf(within, files, new Set()),
    merged = [...closureOf(entry, files, others)].filter((file) => file !== entry && allowed.has(file));
  const nameOf = (file, exported) => `${exported}_${merged.indexOf(file)}`;
  const list = (file, toText) => files.get(file).exports.map(toText).join(', ');

  const all = merged.map(
    (file) =>
      `export { ${list(file, (one) => `${one} as ${nameOf(file, one)}`)} } from "./${relative(parts, file)}";`,
  );
  await build({
    ...SHARED,
    stdin: { contents: all.join('\n'), resolveDir: parts },
    outfile: target,
    minifyWhitespace: true, // a tenth less time to load
    lineLimit: 160,
    plugins: [
      keepImports(({ path, resolveDir, kind }) => {
        if (!path.startsWith('.')) return { path, external: true };
        const file = resolve(resolveDir, path);
        if (kind !== 'dynamic-import' && merged.includes(file)) return { path: file };
        return { path: pathFrom(target, file), external: true };
      }),
    ],
  });
  for (const file of files.keys()) {
    if (merged.includes(file)) {
      rmSync(file);
      continue;
    }
    const text = readFileSync(file, 'utf8');
    const changed = text.replace(IMPORT, (whole, names, path) => {
      const part = resolve(dirname(file), path);
      if (!merged.includes(part)) return whole;
      const renamed = names?.split(',').map((one) => one.trim().split(' as '));
      const from = JSON.stringify(pathFrom(file, target));
      return renamed
        ? `import { ${renamed.map(([one, as = one]) => `${nameOf(part, one)} as ${as}`).join(', ')} } from ${from};`
        : `import ${from};`;
    });
    if (changed !== text) writeFileSync(file, changed);
  }
  for (const [file, { imports }] of await readModules(folder))
    for (const { path } of imports)
      if (!existsSync(path)) throw new Error(`${file} imports ${path}, which was merged`);
}

const pathFrom = (file, other) => {
  const path = relative(dirname(file), other);
  return path.startsWith('.') ? path : `./${path}`;
};

/** Returns the imports and exports of all modules of a folder. */
async function readModules(folder) {
  const files = readdirSync(folder, { recursive: true }).filter((file) => file.endsWith('.js'));
  const { metafile } = await build({
    ...SHARED,
    entryPoints: files.map((file) => join(folder, file)),
    outdir: folder,
    write: false,
    metafile: true,
    plugins: [keepImports(({ path }) => ({ path, external: true }))],
  });
  return Object.values(metafile.outputs).map(({ entryPoint, imports, exports }) => {
    const file = resolve(entryPoint);
    const own = imports.filter(({ path }) => path.startsWith('.'));
    return [
      file,
      { exports, imports: own.map(({ path, kind }) => ({ path: resolve(dirname(file), path), kind })) },
    ];
  });
}

/** Returns a file and all that it imports, in the order in which they run. */
function closureOf(file, files, seen, found = new Set()) {
  seen.add(file);
  for (const { path, kind } of files.get(file).imports)
    if (kind === 'import-statement' && !seen.has(path)) closureOf(path, files, seen, found);
  return found.add(file);
}
