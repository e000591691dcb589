import type { HttpResponseLike } from '../../http-message.js';

type Headers = HttpResponseLike['headers'];

/** An exception as the extension reports it. The stack trace, if there is one, is the emulator's. */
export interface ToldException {
  message: string;
  type: string;
  stack?: string | undefined;
}

export function answer(status: number, headers: Headers = []): HttpResponseLike {
  return { status, headers, body: new Uint8Array() };
}

/** @param json JSON text. */
export function answerJson(status: number, json: string, headers: Headers = []): HttpResponseLike {
  return {
    status,
    headers: [['Content-Type', 'application/json; charset=utf-8'], ...headers],
    body: Buffer.from(json),
  };
}

export function answerString(status: number, text: string): HttpResponseLike {
  return answerJson(status, JSON.stringify(text));
}

export function answerError(status: number, message: string, exception?: ToldException): HttpResponseLike {
  return answerJson(
    status,
    JSON.stringify({
      Message: message,
      ...(exception && {
        ExceptionMessage: exception.message,
        ExceptionType: exception.type,
        StackTrace: stackTrace(exception.stack),
      }),
    }),
  );
}

/**
 * A URL as .NET's `Uri` writes it into a header: letters, digits, `-`, `.`, `_` and `~` are not encoded, and in
 * the path the web server has decoded what may be there, too.
 */
export function asUri(url: string): string {
  const [path = '', ...query] = url.split(/(?=\?)/);
  return (path.replaceAll(/%(?:2[146-9a-e]|3[abd]|40)/gi, decodeURIComponent) + query.join('')).replaceAll(
    /%(?:2[de]|3\d|4[1-9a-f]|5[\daf]|6[1-9a-f]|7[\dae])/gi,
    decodeURIComponent,
  );
}

/** The frames of a stack, indented as in .NET. */
function stackTrace(stack = ''): string {
  return (stack.match(/^\s+at .*$/gm) ?? []).map((frame) => `   ${frame.trim()}`).join('\n');
}

/** The extension's answer to an `ArgumentException`. */
export function answerBadArgument({ message, stack }: Error): HttpResponseLike {
  return answerError(400, 'One or more of the arguments submitted is incorrect', {
    message,
    type: 'System.ArgumentException',
    stack,
  });
}

/** The extension's answer to any other exception. */
export function answerFailure(exception: ToldException): HttpResponseLike {
  return answerError(500, 'Something went wrong while processing your request', exception);
}
