import type { HttpRequest } from '@azure/functions';
import { notFound } from './problem.js';

/** Reads the route parameter that names a resource. */
export interface ResourceRoute {
  /** The id in the route. @throws {Problem} 404 when it does not have the form of an id */
  idOf: (request: HttpRequest) => string;
  /** @throws {Problem} 404 with the id in its detail */
  unknown: (request: HttpRequest) => never;
}

/**
 * The requests for one resource. An id that does not have the form of an id is answered like one that does
 * not exist, and never reaches storage.
 *
 * @param options.missing the start of the 404's detail; the id follows
 * @param options.parameter the name of the route parameter. Default: `id`
 * @example
 * const { idOf, unknown } = resourceRoute({ missing: 'There is no order', pattern: /^order-[0-9a-f]{32}$/ });
 * const order = (await orders.read(idOf(request))) ?? unknown(request);
 */
export function resourceRoute({
  missing,
  pattern,
  parameter = 'id',
}: {
  missing: string;
  pattern: RegExp;
  parameter?: string;
}): ResourceRoute {
  const given = (request: HttpRequest): string => request.params[parameter] ?? '';
  const unknown = (request: HttpRequest): never => {
    throw notFound(`${missing} ${given(request)}.`);
  };
  return {
    idOf: (request) => {
      const id = given(request);
      return pattern.test(id) ? id : unknown(request);
    },
    unknown,
  };
}
