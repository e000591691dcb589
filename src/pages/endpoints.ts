import { app, type HttpRequest, type HttpResponseInit, type InvocationContext } from '@azure/functions';
import { notFound, Problem } from '../http/index.js';
import { caching, serve } from './serve.js';
import { PagesNotBuilt, Site } from './site.js';

/** The build of `web/`. The path is right from `src/pages/` and from `dist/pages/`. */
const built = new URL('../../dist/web/', import.meta.url);

let site: Promise<Site> | undefined;

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

/**
 * Serves a built page, without a key.
 *
 * @param file its name in `web/`
 */
function page(name: string, route: string, file: string): void {
  // These need no durable client, so they use `app.http` instead of `df.app.client.http`.
  app.http(name, {
    route,
    methods: ['GET', 'HEAD'],
    authLevel: 'anonymous',
    handler: (request, context) => answer(file, caching.page, request, context),
  });
}

// Matches the empty path only. A catch-all would hide the host's own routes, such as `/admin` and `/runtime`.
page('HomePage', '{ignored:maxlength(0)?}', 'index.html');
page('DungeonPage', 'dungeon', 'dungeon.html');
page('IngestionsPage', 'ingestions', 'ingestions.html');
page('OperationsPage', 'operations', 'operations.html');
page('DevicesPage', 'devices', 'devices.html');

app.http('PageAssets', {
  route: 'assets/{*file}',
  methods: ['GET', 'HEAD'],
  authLevel: 'anonymous',
  handler: (request, context) =>
    answer(`assets/${request.params['file'] ?? ''}`, caching.asset, request, context),
});
