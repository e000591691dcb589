import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { HtmlTagDescriptor, Plugin } from 'vite';

const head: HtmlTagDescriptor[] = [
  { tag: 'meta', attrs: { charset: 'utf-8' } },
  { tag: 'meta', attrs: { name: 'viewport', content: 'width=device-width, initial-scale=1' } },
  { tag: 'meta', attrs: { name: 'color-scheme', content: 'light dark' } },
  { tag: 'link', attrs: { rel: 'icon', href: '/src/torch.svg', type: 'image/svg+xml' } },
].map((tag) => ({ ...tag, injectTo: 'head-prepend' }));

const app: HtmlTagDescriptor[] = [
  { tag: 'div', attrs: { id: 'app' } },
  {
    tag: 'noscript',
    children: 'This page needs JavaScript. The README shows how to do the same with curl.',
  },
].map((tag) => ({ ...tag, injectTo: 'body' }));

/** The HTML files of `web/`, by name: each is a page. */
export function pages(): Record<string, string> {
  const folder = new URL('.', import.meta.url);
  return Object.fromEntries(
    readdirSync(folder)
      .filter((file) => file.endsWith('.html'))
      .map((file) => [file.slice(0, -'.html'.length), fileURLToPath(new URL(file, folder))]),
  );
}

/**
 * Adds what all pages have in common, so that an HTML file holds only its title, its description, its style
 * and its script. An empty body becomes the place that `mount` renders into.
 */
export function shell(): Plugin {
  return {
    name: 'shell',
    transformIndexHtml: {
      order: 'pre',
      handler: (html) => (/<body>\s*<\/body>/.test(html) ? [...head, ...app] : head),
    },
  };
}
