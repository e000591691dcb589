/** Calls the app by plain HTTP, and polls. */

/** An answer as its caller reads it. */
export interface Answer {
  status: number;
  headers: Headers;
  text: string;
  /** The body as JSON; undefined when it is not JSON. */
  json: Record<string, unknown> | undefined;
}

/** The function key in `E2E_FUNCTION_KEY`, if it is set. A URL with a key of its own gets no other: the header would count. */
const key: Record<string, string> = process.env['E2E_FUNCTION_KEY']
  ? { 'x-functions-key': process.env['E2E_FUNCTION_KEY'] }
  : {};

/**
 * How long to wait for a workflow, in milliseconds. A real host may start cold, and polls its queues every
 * few seconds.
 */
export const PATIENCE = 90_000;

/**
 * Calls `url`, and does not follow redirections. A body that is text or bytes is sent as it is, any other as
 * JSON.
 */
export async function call(
  method: string,
  url: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const isRaw = typeof body === 'string' || body instanceof Uint8Array;
  const response = await fetch(url, {
    method,
    headers: {
      ...(!new URL(url).searchParams.has('code') && key),
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body !== undefined && { body: isRaw ? body : JSON.stringify(body) }),
    redirect: 'manual',
    signal: AbortSignal.timeout(PATIENCE),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, text, json: parsed(text) };
}

/**
 * Repeats `look` until its answer is `wanted`. @throws with the last answer when {@link PATIENCE} has passed
 */
export async function until(
  look: () => Promise<Answer>,
  wanted: (answer: Answer) => boolean,
): Promise<Answer> {
  for (const start = Date.now(); ;) {
    const answer = await look();
    if (wanted(answer)) return answer;
    if (Date.now() - start > PATIENCE)
      throw new Error(
        `The expected answer did not come. The last one: ${answer.status} ${answer.text.slice(0, 2000)}`,
      );
    await new Promise((resolve) => {
      setTimeout(resolve, 100);
    });
  }
}

function parsed(text: string): Record<string, unknown> | undefined {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return undefined;
  }
}
