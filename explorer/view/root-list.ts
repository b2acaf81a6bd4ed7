/** The roots, those with the most rows first. Pressing one shows its rows alone. */
import type { Answers } from '../answers/answers.ts';
import type { RootCount } from '../answers/counts.ts';
import type { RootColours } from './colours.ts';
import { byId, formatCount, make, plural } from './dom.ts';

/** Roots that are listed. The filter finds the others. */
const LISTED = 200;

export class RootList {
  readonly #list = byId('roots');
  readonly #summary = byId('roots-summary');

  constructor(onRoot: (root: string) => void) {
    this.#list.addEventListener('click', (event) => {
      const button = (event.target as HTMLElement).closest('button');
      if (button) onRoot(button.getAttribute('aria-pressed') === 'true' ? '' : button.dataset.root!);
    });
  }

  show(answers: Answers, counts: readonly RootCount[], colours: RootColours, pressed: string): void {
    const focused = (document.activeElement as HTMLElement | null)?.dataset.root;
    const listed = counts.slice(0, LISTED),
      most = counts[0]?.rows ?? 1;
    this.#summary.textContent = !answers.hasRoots
      ? 'No roots were looked up.'
      : counts.length === 0
        ? 'No row has a root.'
        : plural(counts.length, 'root') +
          (counts.length > LISTED ? `; the ${LISTED} with the most rows` : '');
    this.#list.replaceChildren(
      ...listed.map(({ root, rows }) => {
        const slot = colours.slotOf(root),
          id = answers.roots.texts[root];
        const bar = make('span', { className: 'bar-fill', ariaHidden: 'true' });
        bar.style.setProperty('width', `${Math.max(1, (100 * rows) / most)}%`);
        const swatch = make('span', { className: 'swatch', ariaHidden: 'true' });
        swatch.style.setProperty(
          'background',
          `var(${slot === undefined ? '--point-other' : `--root-${slot}`})`,
        );
        const button = make(
          'button',
          { type: 'button', title: `Show only the rows of root ${id}` },
          swatch,
          make('span', { className: 'id', textContent: id }),
          make('span', { className: 'count', textContent: formatCount(rows) }),
          bar,
        );
        button.dataset.root = id;
        button.setAttribute('aria-pressed', String(id === pressed));
        return make('li', {}, button);
      }),
    );
    if (focused !== undefined)
      [...this.#list.querySelectorAll<HTMLElement>('button')]
        .find((button) => button.dataset.root === focused)
        ?.focus();
  }
}
