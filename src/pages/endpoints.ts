import {
  app,
  type HttpHandler,
  type HttpRequest,
  type HttpResponseInit,
  type InvocationContext,
} from '@azure/functions';
import { notFound, Problem } from '../http/index.js';
import { caching, serve } from './serve.js';
import { PagesNotBuilt, Site } from './site.js';

/** The build of `web/`. The path is right from `src/pages/` and from `dist/pages/`. */
const built = new URL('../../dist/web/', import.meta.url);

let site: Promise<Site> | undefined;

/** `GET /` */
export const homePage: HttpHandler = (request, context) =>
  answer('index.html', caching.page, request, context);

/** `GET /dungeon` */
export const dungeonPage: HttpHandler = (request, context) =>
  answer('dungeon.html', caching.page, request, context);

/** `GET /ingestions` */
export const ingestionsPage: HttpHandler = (request, context) =>
  answer('ingestions.html', caching.page, request, context);

/** `GET /assets/{*file}` */
export const pageAssets: HttpHandler = (request, context) =>
  answer(`assets/${request.params['file'] ?? ''}`, caching.asset, request, context);

async function answer(
  path: string,
  cacheControl: string,
  request: HttpRequest,
  context: InvocationContext,
): Promise<HttpResponseInit> {
  try {
    site ??= Site.open(built);
    return (
      (await serve(await site, path, request, cacheControl)) ??
      notFound('No page needs a file of this name.').response()
    );
  } catch (error) {
    if (!(error instanceof PagesNotBuilt)) throw error;
    site = undefined; // The next request looks again.
    context.error('The pages are not built: %s', error.message);
    return new Problem(503, 'pages-not-built', 'The pages are not built', {
      detail: 'Run "npm run build:web".',
    }).response();
  }
}

// These need no durable client, so they use `app.http` instead of `df.app.client.http`.
app.http('HomePage', {
  // Matches the empty path only. A catch-all would hide the host's own routes, such as `/admin` and
  // `/runtime`.
  route: '{ignored:maxlength(0)?}',
  methods: ['GET', 'HEAD'],
  authLevel: 'anonymous',
  handler: homePage,
});
app.http('DungeonPage', {
  route: 'dungeon',
  methods: ['GET', 'HEAD'],
  authLevel: 'anonymous',
  handler: dungeonPage,
});
app.http('IngestionsPage', {
  route: 'ingestions',
  methods: ['GET', 'HEAD'],
  authLevel: 'anonymous',
  handler: ingestionsPage,
});
app.http('PageAssets', {
  route: 'assets/{*file}',
  methods: ['GET', 'HEAD'],
  authLevel: 'anonymous',
  handler: pageAssets,
});
