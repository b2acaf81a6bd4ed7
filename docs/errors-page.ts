/** Writes docs/errors.md from the list of error codes. */
import { ERROR_CODES, SHARED_CODES } from '../lib/base/error-codes.ts';

const HEAD = `# Errors

Everything that fails outside your program is a subclass of \`LookupError\` with a \`code\`. Switch on codes: they stay, while messages may be
reworded. A wrong argument or an impossible option is a plain \`TypeError\` or \`RangeError\`. An aborted call throws the reason of its signal. A
single missing answer is not an error: it shows in \`status\`.

<!-- run -->
\`\`\`ts
import { isLookupError, openPrecomputed } from 'graphene-points';

try {
  const volume = await openPrecomputed('gs://BUCKET/OTHER');
  await volume.close();
} catch (error) {
  if (isLookupError(error, 'NOT_FOUND')) console.log('not there:', error.name, error.message);
  else if (isLookupError(error)) console.log(error.code, error.message);
  else throw error;
}
\`\`\`

<!-- output -->
\`\`\`
not there: InfoError …
\`\`\`

\`isLookupError(error, ...codes)\` is true for errors of this package, with one of the codes if any are named. It narrows the type to the
classes that have the code. It works where two copies of the package are loaded and \`instanceof\` does not.

A call with many points throws a \`PartialResultError\` (code \`PARTIAL\`) if some of them failed: \`error.result\` is the whole result, and
\`error.causes\` says why. [Outages](outages.md) has an example.

\`error.toJSON()\`, and so \`JSON.stringify(error)\`, holds the class name, code, message, fields and causes, and no token. \`reviveError(json)\`
turns the parsed JSON into an error of the same class, in another thread or process. The \`result\` of a \`PartialResultError\` is not
included. If a cause is not an error of this package, such as what your own store threw, its name, message and code are included.

## Codes by class
`;

const section = ([name, codes]: [string, Readonly<Record<string, string>>]): string => `
### ${name}

| code | what it means |
|---|---|
${rows(codes)}`;

const rows = (codes: Readonly<Record<string, string>>): string =>
  Object.entries(codes)
    .map(([code, meaning]) => `| \`${code}\` | ${meaning} |\n`)
    .join('');

const shared = Object.entries(SHARED_CODES)
  .map(([code, meaning]) => {
    const classes = Object.entries(ERROR_CODES).filter(([, codes]) => code in codes);
    return `| \`${code}\` | ${classes.map(([name]) => name).join(', ')} | ${meaning} |\n`;
  })
  .join('');

export const errorsPage = (): string => `${HEAD}${Object.entries(ERROR_CODES).map(section).join('')}
## Codes of several classes

All other codes belong to one class. These mean the same wherever they are:

| code | classes | what it means |
|---|---|---|
${shared}`;
