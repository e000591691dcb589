/** HTTP as the parts of the host see it, free of sockets, so that a test can call them as a server does. */

export interface HttpRequestLike {
  /** Upper case, as on the wire. */
  method: string;
  /** Absolute: its origin is where the caller found the host, and answers link back there. */
  url: string;
  /** By lower-case name. */
  headers: Record<string, string>;
  body?: Uint8Array;
}

export interface HttpResponseLike {
  status: number;
  /** In the order in which they are sent; a name may repeat. */
  headers: [name: string, value: string][];
  body: Uint8Array;
}
