/** What Azurite cannot read in transactions on tables. */
import type { TableClient } from '@azure/data-tables';

/** In JSON, they need no escape. */
const LINE_SEPARATORS = /[\u2028\u2029]/;

/**
 * Has U+2028 and U+2029 escaped in a client's requests, as .NET's client does. Azurite ends a line there: it fails
 * this transaction, and then often all later ones, also of others, until it is started again.
 */
export function escapeLineSeparators({ pipeline }: Pick<TableClient, 'pipeline'>): void {
  pipeline.addPolicy(
    {
      name: 'escapeLineSeparators',
      sendRequest: (request, next) => {
        if (typeof request.body === 'string' && LINE_SEPARATORS.test(request.body)) {
          request.body = request.body.replaceAll('\u2028', '\\u2028').replaceAll('\u2029', '\\u2029');
          request.headers.set('content-length', String(Buffer.byteLength(request.body)));
        }
        return next(request);
      },
    },
    { afterPhase: 'Serialize' },
  );
}
