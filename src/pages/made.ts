import type { HttpResponseInit } from '@azure/functions';
import { markup, type Html } from './markup.js';
import { policy, security } from './serve.js';
import { builtSite } from './site.js';

/**
 * A page made for one request, from a built page with an empty `<main>`. It has no script, its form may be
 * sent to this app only, and nothing keeps it.
 *
 * @param file the name of the built page
 * @throws {PagesNotBuilt}
 */
export async function madePage(
  file: string,
  { status, title, body }: { status: number; title: string; body: Html },
): Promise<HttpResponseInit> {
  const built = (await builtSite()).find(file, () => false);
  if (built === undefined) throw new Error(`The build has no page ${file}`);
  const page = Buffer.from(await built.bytes())
    .toString()
    .replace(/<title>.*?<\/title>/s, () => markup`<title>${title}</title>`.source)
    .replace('<main></main>', () => markup`<main>${body}</main>`.source);
  return {
    status,
    headers: {
      ...security,
      'Content-Security-Policy': policy({ 'form-action': "'self'", 'script-src': "'none'" }),
      'Content-Type': built.type,
      'Cache-Control': 'no-store',
    },
    body: page,
  };
}
