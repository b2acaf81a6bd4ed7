/** Reads the HTML of a report for specs: whether it is well formed, and what its tables say. */

const VOID = new Set(['meta', 'br', 'hr', 'img', 'input', 'link']);
const ENTITIES: Readonly<Record<string, string>> = {
  '&lt;': '<',
  '&gt;': '>',
  '&quot;': '"',
  '&#39;': "'",
  '&amp;': '&',
};

/** Returns what is wrong with the tags of a page: unknown syntax, bad nesting, an ID twice, text outside of tags. */
export function faultsOf(page: string): string[] {
  const faults: string[] = [],
    open: string[] = [],
    ids = new Set<string>();
  if (!page.startsWith('<!doctype html>')) faults.push('no doctype');
  const body = page.replace(/^<!doctype html>/, '').replace(/<style>[^<]*<\/style>/g, '');
  let at = 0;
  for (const match of body.matchAll(/<[^>]*>/g)) {
    const text = body.slice(at, match.index);
    at = match.index + match[0].length;
    if (/[<>]/.test(text) || /&(?!(?:lt|gt|quot|amp|#39);)/.test(text)) faults.push(`unescaped: ${text}`);
    const [, closing, name, attributes, selfClosing] =
      /^<(\/?)([a-z][a-z\d]*)((?:\s+[a-z][\w:-]*(?:="[^"<>]*")?)*)\s*(\/?)>$/i.exec(match[0]) ?? [];
    if (name === undefined) {
      faults.push(`no tag: ${match[0]}`);
      continue;
    }
    const names = Array.from(attributes.matchAll(/\s([a-z][\w:-]*)(?:="[^"<>]*")?/gi), ([, own]) => own);
    if (
      names.some((own) => /^on|^(?:href|src|srcset|action|data|xlink:href)$/i.test(own)) ||
      /="[^"]*url\(/.test(attributes)
    )
      faults.push(`may load or run something: ${match[0]}`);
    const [, id] = /\sid="([^"]*)"/.exec(attributes) ?? [];
    if (id !== undefined && ids.has(id)) faults.push(`the ID ${id} twice`);
    if (id !== undefined) ids.add(id);
    if (closing) {
      const last = open.pop();
      if (last !== name) faults.push(`</${name}> closes <${last}>`);
    } else if (!selfClosing && !VOID.has(name)) open.push(name);
  }
  if (open.length > 0) faults.push(`not closed: ${open.join(' ')}`);
  return faults;
}

/** Returns the text of a piece of HTML. */
export const textOf = (page: string): string =>
  page
    .replace(/<style>[^<]*<\/style>/g, '')
    .replace(/<[^>]*>/g, ' ')
    .replace(/&(?:lt|gt|quot|amp|#39);/g, (entity) => ENTITIES[entity])
    .replace(/\s+/g, ' ')
    .trim();

/** Returns the cells of the table whose caption begins with a text, row by row, without its head. */
export function rowsOf(page: string, caption: string): string[][] {
  for (const [whole] of page.matchAll(/<table>[\s\S]*?<\/table>/g)) {
    const [, title = ''] = /<caption>([\s\S]*?)<\/caption>/.exec(whole) ?? [];
    if (!textOf(title).startsWith(caption)) continue;
    const [, body = ''] = /<tbody>([\s\S]*?)<\/tbody>/.exec(whole) ?? [];
    return Array.from(body.matchAll(/<tr>[\s\S]*?<\/tr>/g), ([row]) =>
      Array.from(row.matchAll(/<t[hd][^>]*>([\s\S]*?)<\/t[hd]>/g), ([, cell]) => textOf(cell)),
    );
  }
  throw new Error(`the report has no table ${caption}`);
}

/** Returns the value of a name in the list of what was asked; undefined if it is not there. */
export function factOf(page: string, name: string): string | undefined {
  for (const [, term, value] of page.matchAll(/<dt>([\s\S]*?)<\/dt>\s*<dd>([\s\S]*?)<\/dd>/g))
    if (textOf(term) === name) return textOf(value);
  return undefined;
}
