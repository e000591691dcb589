/** Between the messages of a storage queue and what the Functions worker hears and answers. */
import { scalarText } from '../binding-data.js';
import type { TypedData } from '../worker/types.js';

/** What a queue says of a message beside its text. */
export interface ReceivedMessage {
  text: string;
  id: string;
  popReceipt: string;
  dequeueCount: number;
  insertedOn: Date;
  expiresOn: Date;
  nextVisibleOn: Date;
}

/** A message that is not in the encoding that host.json asks for. */
export class MessageEncodingError extends Error {
  override name = 'MessageEncodingError';
}

/** @throws MessageEncodingError */
export function decodeMessage(body: string, base64: boolean): string {
  if (!base64) return body;
  const compact = body.replaceAll(/\s/g, '');
  if (compact.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(compact))
    throw new MessageEncodingError('The message is not in base64.');
  return Buffer.from(compact, 'base64').toString('utf8');
}

export function encodeMessage(body: string | Uint8Array, base64: boolean): string {
  return base64 ? Buffer.from(body).toString('base64') : Buffer.from(body).toString('utf8');
}

/** The trigger metadata of a message, as recorded. */
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
 * The messages that an output binding's value stands for, as recorded: one for each element of an array, objects as indented
 * JSON, text as it is. Text that looks like JSON is read as such first.
 * @throws SyntaxError when text looks like JSON and is none, as in production
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
