/** Compiles TypeScript to JavaScript for plain Node, once for all processes of a spec: twenty compilers at once would take too long. */
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { transformFile } from '@swc/core';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

const STRIPPED = {
  target: 'es2022',
  parser: { syntax: 'typescript' },
  rewriteRelativeImportExtensions: true,
} as const;

/** Compiles `spec/cache/NAME.ts`, `lib/base` and `lib/cache` into `folder`. @returns the path of the compiled script. */
export async function compiled(name: string, folder: string): Promise<string> {
  const inRooms = await Promise.all(
    ['lib/base', 'lib/cache'].map(async (room) =>
      (await readdir(join(ROOT, room))).map((file) => join(room, file)),
    ),
  );
  const files = [...inRooms.flat(), join('spec/cache', `${name}.ts`)];
  await Promise.all(
    files.map(async (file) => {
      const { code } = await transformFile(join(ROOT, file), { jsc: STRIPPED, module: { type: 'es6' } });
      await mkdir(join(folder, file, '..'), { recursive: true });
      await writeFile(join(folder, file, '..', `${basename(file, '.ts')}.js`), code);
    }),
  );
  await writeFile(join(folder, 'package.json'), '{"type":"module"}');
  return join(folder, 'spec/cache', `${name}.js`);
}
