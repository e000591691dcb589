import type { TestApp } from '../../emulator/src/testing.js';

/** A message as `GET /api/outbox` shows it. */
export interface Shown {
  to: string;
  subject: string;
  text: string;
  about: string;
  link?: { label: string; path: string };
}

/** The messages in the outbox of an app that delivers them, the latest first. */
export async function outboxOf(app: TestApp): Promise<Shown[]> {
  await app.quiet();
  return ((await (await app.get('/api/outbox')).json()) as { value: Shown[] }).value;
}

/** The path of the link in the latest message to a person. */
export async function linkTo(app: TestApp, person: string): Promise<string> {
  const found = (await outboxOf(app)).find(({ to, link }) => to === person && link !== undefined);
  if (found === undefined) throw new Error(`There is no link for ${person}`);
  return found.link!.path;
}

/** Sends the form of the page behind a link. */
export async function actBy(
  app: TestApp,
  path: string,
  action: string,
  more: Record<string, string> = {},
  headers: Record<string, string> = {},
): Promise<Response> {
  const { pathname, searchParams } = new URL(path, app.url);
  return app.request('POST', pathname, {
    headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
    body: new URLSearchParams({ link: searchParams.get('link')!, action, ...more }).toString(),
  });
}
