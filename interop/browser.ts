/** A headless Chromium that watches the pages it opens: errors, requests to other servers, violations of their policy. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

/** Finds Chromium: the path in CHROMIUM, or a program in PATH. @throws Error that says what is missing. */
export function findChromium(): string {
  if (process.env.CHROMIUM) return process.env.CHROMIUM;
  for (const name of NAMES) {
    const { stdout } = spawnSync('sh', ['-c', `command -v ${name}`], { encoding: 'utf8' });
    if (stdout.trim() !== '') return stdout.trim();
  }
  throw new Error(
    `no Chromium: install the package chromium, or set CHROMIUM to its path (tried ${NAMES.join(', ')})`,
  );
}

export const openBrowser = (): Promise<Browser> =>
  chromium.launch({
    executablePath: findChromium(),
    args: ['--no-sandbox', '--headless=new', '--disable-gpu', '--disable-lcd-text'],
  });

/** A page, and what went wrong in it. */
export interface WatchedPage {
  readonly page: Page;
  /** Errors and warnings of the console, thrown errors, requests to other servers, violations of the policy. */
  readonly troubles: string[];
}

/** Opens a page of a service. @param origin The only server that the page may ask. */
export async function openWatched(
  browser: Browser,
  origin: string,
  options: BrowserContextOptions = {},
): Promise<WatchedPage> {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, ...options });
  const page = await context.newPage(),
    troubles: string[] = [];
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type()))
      troubles.push(`console ${message.type()}: ${message.text()}`);
  });
  page.on('pageerror', (error) => troubles.push(`error: ${error.message}`));
  page.on('dialog', (dialog) => {
    troubles.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on('request', (request) => {
    const url = request.url();
    if (!url.startsWith(`${origin}/`) && !/^(?:blob:|data:)/.test(url))
      troubles.push(`request to ${url.slice(0, 100)}`);
  });
  await page.addInitScript(WATCHERS);
  return { page, troubles };
}

/** Runs in the page before its own script. */
const WATCHERS = `
  window.longTasks = [];
  new PerformanceObserver((list) => { for (const task of list.getEntries()) window.longTasks.push(task.duration); }).observe({ entryTypes: ['longtask'] });
  document.addEventListener('securitypolicyviolation', (event) => console.error('policy violated: ' + event.violatedDirective + ' ' + event.blockedURI));
`;

const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js');

/** Returns what axe finds: a line per rule, with the first place. */
export async function findAccessibilityFaults(page: Page): Promise<string[]> {
  // Through the debugger, so that the policy of the page stays in force.
  await page.evaluate(readFileSync(AXE, 'utf8'));
  return page.evaluate<string[]>(
    `axe.run(document).then(({ violations }) => violations.map(({ id, help, nodes }) => id + ': ' + help + ': ' + nodes[0].html.slice(0, 120)))`,
  );
}

/** Returns the size of a picture, and how many colours it has. */
export async function measurePicture(
  browser: Browser,
  png: Buffer,
): Promise<{ width: number; height: number; colours: number }> {
  const page = await browser.newPage();
  try {
    return await page.evaluate<{ width: number; height: number; colours: number }>(`(async (data) => {
      const bytes = Uint8Array.from(atob(data), (character) => character.charCodeAt(0));
      const image = await createImageBitmap(new Blob([bytes], { type: 'image/png' })),
        { width, height } = image;
      const context = new OffscreenCanvas(width, height).getContext('2d');
      context.drawImage(image, 0, 0);
      const colours = new Set(new Uint32Array(context.getImageData(0, 0, width, height).data.buffer)).size;
      return { width, height, colours };
    })(${JSON.stringify(png.toString('base64'))})`);
  } finally {
    await page.close();
  }
}
