import { app, type HttpRequest, type HttpResponseInit, type InvocationContext } from '@azure/functions';
import * as df from 'durable-functions';
import { notFound, signedIn, withProblems, type Handler } from '../http/index.js';
import { caching, serve } from './serve.js';
import { builtSite, PagesNotBuilt } from './site.js';

/** Answers with a file of the build; 503 when there is none. */
async function answer(
  path: string,
  cacheControl: string,
  request: HttpRequest,
  context: InvocationContext,
): Promise<HttpResponseInit> {
  try {
    return (
      (await serve(await builtSite(), path, request, cacheControl)) ??
      notFound('No page needs a file of this name.').response()
    );
  } catch (error) {
    if (!(error instanceof PagesNotBuilt)) throw error;
    context.error(error);
    return error.response();
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
page('InboxPage', 'inbox', 'inbox.html');
page('NewApprovalPage', 'approvals/new', 'new-approval.html');
page('OutboxPage', 'outbox', 'outbox.html');
page('OperationsPage', 'operations', 'operations.html');
page('DevicesPage', 'devices', 'devices.html');

/** `GET /api/me`: the person whom the platform has signed in, if it signs people in. */
export const getMe: Handler = async (request) => ({ jsonBody: { name: signedIn(request)?.name } });

df.app.client.http('GetMe', {
  route: 'api/me',
  methods: ['GET'],
  authLevel: 'function',
  handler: withProblems(getMe),
});

app.http('PageAssets', {
  route: 'assets/{*file}',
  methods: ['GET', 'HEAD'],
  authLevel: 'anonymous',
  handler: (request, context) =>
    answer(`assets/${request.params['file'] ?? ''}`, caching.asset, request, context),
});
