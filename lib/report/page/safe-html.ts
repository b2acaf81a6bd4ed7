/**
 * HTML that is escaped by construction: every value in a template is escaped, unless it is HTML already. Registered
 * secrets are hidden in the same place.
 */
import { redactSecrets } from '../../base/secret-redaction.ts';

/** A piece of HTML. Only this room makes it. */
export class Html {
  readonly #text: string;

  /** @param text HTML that is safe: use {@link html} to make it. */
  constructor(text: string) {
    this.#text = text;
  }

  toString(): string {
    return this.#text;
  }
}

/** A value of a template. undefined, null and false give nothing. */
export type HtmlValue = Html | string | number | undefined | null | false | readonly HtmlValue[];

/** A template of HTML. Its texts are HTML; its values are escaped. Attributes need quotation marks. */
export const html = (texts: TemplateStringsArray, ...values: HtmlValue[]): Html =>
  new Html(texts.reduce((whole, text, k) => whole + toHtml(values[k - 1]) + text));

/** Marks SVG that our own charts made, from numbers and texts that the charts escape. */
export const trustedSvg = (svg: string): Html => new Html(svg);

function toHtml(value: HtmlValue): string {
  if (value === undefined || value === null || value === false) return '';
  if (value instanceof Html) return value.toString();
  return Array.isArray(value) ? value.map(toHtml).join('') : escapeHtml(redactSecrets(String(value)));
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Characters that XML and HTML do not allow, and those that change the direction of text. */
const FORBIDDEN =
  /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069\ufdd0-\ufdef\ufffe\uffff]/g;

/** Escapes a text for HTML and for attributes in quotation marks. */
export const escapeHtml = (text: string): string =>
  text
    .replace(/\p{Surrogate}/gu, '\ufffd')
    .replace(FORBIDDEN, '\ufffd')
    .replace(/[&<>"']/g, (character) => ENTITIES[character]);
