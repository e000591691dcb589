/** An exception as one line of JSON, as .NET serialises it, without the stack frames of the real host. */
export function dotnetException(
  className: string,
  assembly: string,
  message: string,
  inner: Record<string, unknown> | null,
): string {
  return JSON.stringify({
    $type: `${className}, ${assembly}`,
    ClassName: className,
    Message: message,
    Data: null,
    InnerException: inner,
    HelpURL: null,
    StackTraceString: null,
    RemoteStackTraceString: null,
    RemoteStackIndex: 0,
    ExceptionMethod: null,
    HResult: -2146233088,
    Source: null,
    WatsonBuckets: null,
  });
}
