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

/** Where the build of `web/` lies: the same place seen from `src/pages/` and from `dist/pages/`. */
const built = new URL('../../dist/web/', import.meta.url);

let site: Promise<Site> | undefined;

/** `GET /` */
export const homePage: HttpHandler = (request, context) =>
  answer('index.html', caching.page, request, context);

/** `GET /dungeon` */
export const dungeonPage: HttpHandler = (request, context) =>
  answer('dungeon.html', caching.page, request, context);

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
    site = undefined; // once they are built, the next request finds them
    context.error('The pages are not there: %s', error.message);
    return new Problem(503, 'pages-not-built', 'The pages are not built', {
      detail: 'Run "npm run build:web".',
    }).response();
  }
}

// These need no durable client, so they are registered without one.
app.http('HomePage', {
  // It matches the empty path alone: `/admin` and `/runtime` stay the host's.
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
app.http('PageAssets', {
  route: 'assets/{*file}',
  methods: ['GET', 'HEAD'],
  authLevel: 'anonymous',
  handler: pageAssets,
});
