import type { HttpRequest } from '@azure/functions';
import type { z } from 'zod';
import { invalid, Problem } from './problem.js';

/** The most bytes a JSON body may have, unless its endpoint says otherwise: 64 KB. */
export const BODY_LIMIT = 64 * 1024;

/**
 * Reads a JSON body; `undefined` when it is empty.
 *
 * @throws {Problem} 413 when it is longer than `limit` bytes, 400 when it is not JSON
 */
export async function readJson(request: HttpRequest, limit = BODY_LIMIT): Promise<unknown> {
  const bytes = await request.arrayBuffer();
  if (bytes.byteLength > limit) {
    throw new Problem(413, 'too-large', 'The body is too large', {
      detail: `It has ${bytes.byteLength} bytes; the limit is ${limit}.`,
    });
  }
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
