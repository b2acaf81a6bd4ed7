/** docs/errors.md, out of the list of codes. */
import { ERROR_CODES, SHARED_CODES } from '../lib/base/error-codes.ts';

const HEAD = `# Errors

Everything that goes wrong outside your program is a subclass of \`LookupError\` with a \`code\`. Switch on codes: they stay, messages may be
reworded. Misuse (a wrong type of argument, an impossible option) is a plain \`TypeError\` or \`RangeError\`, and an aborted call throws its
signal's reason. A single answer that is missing is not an error: it shows in \`status\`.

\`\`\`ts
import { isLookupError } from 'graphene-points';

try {
  result = await volume.scatteredPoints(points);
} catch (error) {
  if (isLookupError(error, 'PARTIAL')) result = error.result; // a PartialResultError: error.causes says why
  else if (isLookupError(error, 'UNAUTHORIZED', 'FORBIDDEN')) console.error(error.message); // a GraphError
  else throw error;
}
\`\`\`

\`isLookupError(error, ...codes)\` is true for errors of this package, with one of the codes if any are named. It narrows the type to the
classes that have the code, and works where two copies of the package are loaded and \`instanceof\` does not.

\`error.toJSON()\`, and so \`JSON.stringify(error)\`, holds class name, code, message, fields and causes, and no token; \`reviveError(json)\` makes
an error of the same class of it, in another thread or process. The \`result\` of a \`PartialResultError\` is not in it. Of a cause that is not
an error of this package, such as what your own store threw, it holds name, message and code.

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
