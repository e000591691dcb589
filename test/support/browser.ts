import { existsSync } from 'node:fs';
import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright-core';
import { expect, onTestFinished } from 'vitest';

const found = [
  process.env['CHROMIUM_PATH'],
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
].find((path) => path !== undefined && existsSync(path));

/** Whether there is a browser. Without one, the tests log one line. */
export const hasBrowser = found !== undefined;
if (!hasBrowser)
  console.warn('The tests of the pages are skipped: there is no Chromium. Install it, or set CHROMIUM_PATH.');

/**
 * What Chromium leaves off. It makes two hidden pages for the suggestions of the address bar with each page, and a
 * process ahead of the next page: together more processor time than the pages under test take. The last list of
 * features is the one that counts, so it repeats those of Playwright's that change how pages load.
 */
const FEATURES_OFF = [
  'WebUIOmniboxPopup',
  'WebUIOmniboxAimPopup',
  'WebUIOmniboxFullPopup',
  'SpareRendererForSitePerProcess',
  'AvoidUnnecessaryBeforeUnloadCheckSync',
  'AvoidCorsURLLoaderRestartOnRedirect',
  'PaintHolding',
  'HttpsUpgrades',
  'HttpsFirstBalancedModeAutoEnable',
  'ThirdPartyStoragePartitioning',
  'MediaRouter',
  'DestroyProfileOnBrowserClose',
  'LensOverlay',
  'OptimizationHints',
  'NetworkTimeServiceQuerying',
  'AimEnabled',
  'PreconnectToSearch',
];
const SWITCHES = [
  '--no-sandbox',
  '--disable-gpu',
  '--in-process-gpu',
  `--disable-features=${FEATURES_OFF.join(',')}`,
];

/** The browser of this process. It ends with the process. */
let launched: Promise<Browser> | undefined;

/** Gives tests a browser. @returns a function that opens a page in it, with a context of its own */
export function useBrowser(): (options?: BrowserContextOptions) => Promise<Page> {
  return async (options) => {
    launched ??= chromium.launch({ executablePath: found!, args: SWITCHES });
    const context = await (await launched).newContext({ reducedMotion: 'reduce', ...options });
    context.setDefaultTimeout(60_000);
    const page = await context.newPage();
    const wrong: string[] = [];
    page.on('pageerror', (error) => wrong.push(error.message));
    await context.exposeBinding('violated', (_, directive: string) => wrong.push(`violates ${directive}`));
    await context.addInitScript(
      "addEventListener('securitypolicyviolation', (event) => violated(`${event.violatedDirective} with ${event.blockedURI}`))",
    );
    onTestFinished(async () => {
      await context.close();
      expect(wrong, 'errors and violations of the Content-Security-Policy').toEqual([]);
    });
    return page;
  };
}

/** How much wider the page is than its window, in pixels. More than 0 makes people scroll sideways. */
export const overhang = (page: Page): Promise<number> =>
  page.evaluate('document.documentElement.scrollWidth - innerWidth');

/** The texts with too little contrast to their background: less than 4.5 : 1 (WCAG 2.2, AA). */
export const faintTexts = (page: Page): Promise<string[]> => page.evaluate(findFaintTexts);

/** Runs in the page. */
const findFaintTexts = `(() => {
  const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  const channels = (color) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = color;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const luminance = (color) => {
    const [r, g, b] = channels(color).map((value) => (value / 255 <= 0.03928 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const { backgroundColor } = getComputedStyle(at);
      if (channels(backgroundColor)[3] === 255) return backgroundColor;
    }
    return 'Canvas';
  };
  return [...document.querySelectorAll('body *')]
    .filter((element) => element.checkVisibility() && [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim()))
    .filter((element) => {
      const [light, dark] = [luminance(getComputedStyle(element).color), luminance(behind(element))].sort((a, b) => b - a);
      return (light + 0.05) / (dark + 0.05) < 4.5;
    })
    .map((element) => element.textContent.trim());
})()`;
