import type { HttpRequest } from '@azure/functions';
import type { z } from 'zod';
import { invalid, Problem } from './problem.js';
import { streamBody, type StreamedBody } from './stream.js';

/** The most bytes that a JSON body may have: 64 KB. */
export const BODY_LIMIT = 64 * 1024;

/**
 * Reads a JSON body; `undefined` when it is empty. It keeps no more than 64 KB of it in memory.
 *
 * Browsers ask the app before they send JSON to another site. They do not ask before they send a form or
 * text, so such a body from another site's page is refused: the browser may be signed in to this app.
 *
 * @param options.fromAnyPage takes such a body. For endpoints that anybody may call
 * @throws {Problem} 413 when it is longer, 400 when it is not JSON, 415 for a form of another site
 */
export async function readJson(
  request: HttpRequest,
  { fromAnyPage = false }: { fromAnyPage?: boolean } = {},
): Promise<unknown> {
  if (!fromAnyPage && isForeignForm(request)) {
    await streamBody(request).drop();
    throw new Problem(415, 'not-json', 'The body is not JSON', {
      detail: 'Send JSON, with the header Content-Type: application/json.',
    });
  }
  const bytes = await readBytes(request);
  if (bytes.byteLength === 0) {
    return undefined;
  }
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    throw new Problem(400, 'not-json', 'The body is not JSON', {
      detail: `Send JSON in UTF-8. ${error instanceof Error ? error.message : ''}`.trimEnd(),
    });
  }
}

/**
 * Reads the fields of an HTML form. Other bodies have none of the fields that a form has.
 *
 * @throws {Problem} 413 when it is longer than {@link BODY_LIMIT}
 */
export async function readForm(request: HttpRequest): Promise<URLSearchParams> {
  return new URLSearchParams(new TextDecoder().decode(await readBytes(request)));
}

async function readBytes(request: HttpRequest): Promise<Buffer> {
  const body = streamBody(request);
  const bytes = await readAtMost(body, request);
  if (bytes === undefined) {
    await body.drop();
    throw new Problem(413, 'too-large', 'The body is too large', {
      detail: `The limit is ${BODY_LIMIT} bytes.`,
    });
  }
  return bytes;
}

/** @returns `undefined` when it is longer, which `Content-Length` may say before the body comes */
async function readAtMost(body: StreamedBody, request: HttpRequest): Promise<Buffer | undefined> {
  if (Number(request.headers.get('content-length') ?? 0) > BODY_LIMIT) {
    return undefined;
  }
  const chunks: Buffer[] = [];
  for await (const chunk of body.chunks) {
    if (body.read() > BODY_LIMIT) {
      return undefined;
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** Whether a page of another site has sent the body, with a type for which its browser did not ask the app. */
function isForeignForm(request: HttpRequest): boolean {
  const { headers } = request;
  const origin = headers.get('origin');
  if (
    origin === null ||
    !/^(?:$|text\/plain|multipart\/form-data|application\/x-www-form-urlencoded)/i.test(
      headers.get('content-type')?.trim() ?? '',
    )
  ) {
    return false;
  }
  // In Azure the function's own address may be one behind the front end.
  const own = [new URL(request.url).host, headers.get('host'), headers.get('x-forwarded-host')];
  return !own.includes(URL.canParse(origin) ? new URL(origin).host : origin);
}

/**
 * Checks input against a schema.
 *
 * @param where the name of the whole input in the answer, for errors that belong to no field
 * @throws {Problem} 400 with each field that is wrong, and why
 */
export function check<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
  where = 'body',
): z.output<Schema> {
  const result = schema.safeParse(value);
  if (!result.success) {
    throw invalid(result.error.issues.flatMap((issue) => fieldsOf(issue, where)));
  }
  return result.data;
}

function fieldsOf(issue: z.core.$ZodIssue, where: string): { field: string; message: string }[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({
      field: [...issue.path, key].join('.'),
      message: 'There is no such field',
    }));
  }
  return [{ field: issue.path.join('.') || where, message: issue.message }];
}

/** The query's parameters without empty ones. If a name is repeated, the last value counts. */
export function queryOf(request: HttpRequest): Record<string, string> {
  return Object.fromEntries([...request.query].filter(([, value]) => value !== ''));
}
