import { app, type HttpRequest, type HttpResponseInit, type InvocationContext } from '@azure/functions';
import { caching, serve } from './serve.js';
import { PagesNotBuilt, Site } from './site.js';

/** Where the build of `web/` lies: the same place seen from `src/pages/` and from `dist/pages/`. */
const built = new URL('../../dist/web/', import.meta.url);

let site: Promise<Site> | undefined;

/** The pages people use, by route. The home page's route matches the empty path alone, so that `/admin` and `/runtime` stay the host's. */
const pages = {
  homePage: { route: '{ignored:maxlength(0)?}', file: 'index.html' },
  dungeonPage: { route: 'dungeon', file: 'dungeon.html' },
};

for (const [name, { route, file }] of Object.entries(pages)) {
  app.http(name, {
    route,
    methods: ['GET', 'HEAD'],
    authLevel: 'anonymous',
    handler: (request, context) => answer(file, request, context, caching.page),
  });
}

app.http('pageAssets', {
  route: 'assets/{*file}',
  methods: ['GET', 'HEAD'],
  authLevel: 'anonymous',
  handler: (request, context) => answer(`assets/${request.params['file'] ?? ''}`, request, context, caching.asset),
});

async function answer(path: string, request: HttpRequest, context: InvocationContext, cacheControl: string): Promise<HttpResponseInit> {
  try {
    site ??= Site.open(built);
    const answer = await serve(await site, path, request, cacheControl);
    return answer ?? problem(404, 'There is no such file', 'Pages name the files they need; this one is not among them.');
  } catch (error) {
    site = undefined; // once the pages are built, the next request finds them
    if (!(error instanceof PagesNotBuilt)) throw error;
    context.error(error.message);
    return problem(503, 'The pages are not built', 'Run "npm run build:web".');
  }
}

function problem(status: number, title: string, detail: string): HttpResponseInit {
  return { status, jsonBody: { type: 'about:blank', title, status, detail }, headers: { 'Content-Type': 'application/problem+json' } };
}
