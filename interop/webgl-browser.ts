/** Pages in headless Chromium that draw with WebGL, and what goes wrong in them. */
import { chromium, type Browser, type Page } from 'playwright-core';
import { findChromium } from './browser.ts';

/** WebGL without a graphics card. */
const ARGUMENTS = [
  '--no-sandbox',
  '--use-gl=angle',
  '--use-angle=swiftshader',
  '--enable-unsafe-swiftshader',
];

/** A browser. It is closed when it is disposed of. */
export interface OpenBrowser extends AsyncDisposable {
  readonly browser: Browser;
  /** Opens an empty page. */
  openPage(options?: PageOptions): Promise<DrawnPage>;
}

/** How a page is opened. */
export interface PageOptions {
  /** Size in pixels. @default 1000 x 800 */
  viewport?: { width: number; height: number };
  /** Messages of the console that are no problem. @default none */
  ignore?: RegExp;
}

/** A page, and its errors. */
export interface DrawnPage {
  page: Page;
  /** Errors of scripts, and errors and warnings in the console, so far. */
  problems: string[];
}

/** Starts the browser. @throws Error if there is none. */
export async function openWebglBrowser(): Promise<OpenBrowser> {
  const browser = await chromium.launch({ executablePath: findChromium(), args: ARGUMENTS });
  return {
    browser,
    async openPage({ viewport = { width: 1000, height: 800 }, ignore } = {}) {
      const page = await browser.newPage({ viewport }),
        problems: string[] = [];
      // tsx puts calls of this helper into functions, also into those that run in a page.
      await page.addInitScript('globalThis.__name = (named) => named');
      page.on('pageerror', (error) => problems.push(`error: ${error.message}`));
      page.on('console', (message) => {
        const text = `${message.text()} ${message.location().url}`;
        if (['error', 'warning'].includes(message.type()) && !ignore?.test(text))
          problems.push(`${message.type()}: ${text}`);
      });
      return { page, problems };
    },
    [Symbol.asyncDispose]: () => browser.close(),
  };
}
