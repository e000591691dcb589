/** Converts between the messages of a storage queue and the worker's protocol. */
import { scalarText } from '../binding-data.js';
import type { TypedData } from '../worker/types.js';

/** A message with its properties. */
export interface ReceivedMessage {
  text: string;
  id: string;
  popReceipt: string;
  dequeueCount: number;
  insertedOn: Date;
  expiresOn: Date;
  nextVisibleOn: Date;
}

/** A message does not have the encoding that host.json sets. */
export class MessageEncodingError extends Error {
  override name = 'MessageEncodingError';
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** @throws MessageEncodingError when it is not in base64, TypeError when what it encodes is not UTF-8 */
export function decodeMessage(body: string, base64: boolean): string {
  if (!base64) return body;
  const compact = body.replaceAll(/\s/g, '');
  if (compact.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(compact))
    throw new MessageEncodingError('The message is not in base64.');
  return utf8.decode(Buffer.from(compact, 'base64'));
}

/** @throws Error when a message without encoding is not UTF-8, or has a character that XML does not allow */
export function encodeMessage(body: string | Uint8Array, base64: boolean): string {
  if (base64) return Buffer.from(body).toString('base64');
  const text = typeof body === 'string' ? body : utf8.decode(body);
  if (!/^[\t\n\r -\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]*$/u.test(text))
    throw new Error(
      'A message without encoding has a character that XML does not allow, and storage sends messages as XML. "messageEncoding": "base64" in host.json allows all.',
    );
  return text;
}

/** The trigger metadata of a message, as in recorded calls of a real host. */
export function messageMetadata(message: ReceivedMessage): Record<string, TypedData> {
  const time = (date: Date): TypedData => ({
    json: JSON.stringify(`${date.toISOString().slice(0, 19)}+00:00`),
  });
  return {
    QueueTrigger: { string: message.text },
    DequeueCount: { json: String(message.dequeueCount) },
    ExpirationTime: time(message.expiresOn),
    Id: { string: message.id },
    InsertionTime: time(message.insertedOn),
    NextVisibleTime: time(message.nextVisibleOn),
    PopReceipt: { string: message.popReceipt },
  };
}

/**
 * The messages of an output binding's value, as in recorded calls of a real host: one for each element of an
 * array; objects become indented JSON, text stays as it is. Text that looks like JSON is parsed first.
 * @throws SyntaxError when text looks like JSON but is not, as in production
 */
export function outputMessages(value: TypedData | null | undefined): (string | Uint8Array)[] {
  if (value === null || value === undefined) return [];
  if (value.bytes !== undefined) return [value.bytes];
  if (value.string !== undefined)
    return /^\s*(\{[\s\S]*\}|\[[\s\S]*\])\s*$/.test(value.string)
      ? elements(JSON.parse(value.string))
      : [value.string];
  if (value.json !== undefined) return elements(JSON.parse(value.json));
  const number = value.int ?? value.double;
  return number === undefined ? [] : [String(number)];
}

function elements(value: unknown): string[] {
  if (value === null) return [];
  return (Array.isArray(value) ? value : [value]).map((element: unknown) =>
    element === null
      ? ''
      : typeof element === 'object'
        ? JSON.stringify(element, null, 2)
        : typeof element === 'string'
          ? element
          : scalarText(element),
  );
}
