/** A caller of the app: plain HTTP, and patience. */

/** An answer as its caller reads it. */
export interface Answer {
  status: number;
  headers: Headers;
  text: string;
  /** The body as JSON; undefined when it is none. */
  json: Record<string, unknown> | undefined;
}

/** Function keys go along when there are any: `E2E_FUNCTION_KEY`. */
const key: Record<string, string> = process.env['E2E_FUNCTION_KEY']
  ? { 'x-functions-key': process.env['E2E_FUNCTION_KEY'] }
  : {};

/** Whoever waits for a workflow waits this long, in milliseconds: a real host may be cold, and looks into its queues every few seconds. */
export const PATIENCE = 90_000;

/** Calls `url`, with `body` as JSON if there is one. */
export async function call(
  method: string,
  url: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const response = await fetch(url, {
    method,
    headers: { ...key, ...(body !== undefined && { 'content-type': 'application/json' }), ...headers },
    ...(body !== undefined && { body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(PATIENCE),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, text, json: parsed(text) };
}

/** Looks again and again until `wanted`. @throws with what was seen last */
export async function until(
  look: () => Promise<Answer>,
  wanted: (answer: Answer) => boolean,
): Promise<Answer> {
  for (const start = Date.now(); ;) {
    const answer = await look();
    if (wanted(answer)) return answer;
    if (Date.now() - start > PATIENCE)
      throw new Error(
        `What was waited for did not come. Last: ${answer.status} ${answer.text.slice(0, 2000)}`,
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
