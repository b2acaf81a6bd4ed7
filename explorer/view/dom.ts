/** Small helpers for the document. All text goes through textContent. */

/** Returns the element with this ID. */
export function byId<T extends HTMLElement = HTMLElement>(id: string): T {
  const element = document.getElementById(id);
  if (!element) throw new Error(`the page has no element ${id}`);
  return element as T;
}

type Child = Node | string;

/** Makes an element with properties and children. */
export function make<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  properties: Partial<HTMLElementTagNameMap[K]> = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  Object.assign(element, properties);
  element.append(...children);
  return element;
}

/** Makes an option of a select. */
export const option = (value: string, text: string): HTMLOptionElement =>
  make('option', { value, textContent: text });

/** `12,345`, whatever the language of the browser: the page is in English. */
export const formatCount = (count: number): string => count.toLocaleString('en');

/** `1 row`, `12,345 rows`. */
export const plural = (count: number, one: string, many = `${one}s`): string =>
  `${formatCount(count)} ${count === 1 ? one : many}`;

/** Lets the browser draw and listen. */
export const breathe = (): Promise<void> => new Promise((resolve) => setTimeout(resolve));

/** Calls a function at most once per interval, and always after the last call. */
export function throttle(interval: () => number, run: () => void): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined,
    last = -Infinity;
  return () => {
    timer ??= setTimeout(
      () => {
        timer = undefined;
        last = performance.now();
        run();
      },
      Math.max(0, last + interval() - performance.now()),
    );
  };
}
