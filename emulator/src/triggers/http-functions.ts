/** What the registration of an HTTP function says: its route, its methods and its authorization level. */
import type { Log } from '../log.js';
import type { FunctionDefinition } from '../worker/types.js';
import { UnsupportedBindingError } from './bindings.js';
import { Route, Router, RouteTemplateError } from './http-routes.js';

const LEVELS: readonly string[] = ['anonymous', 'function', 'admin'];

/**
 * The methods of an HTTP function, in upper case. `@azure/functions` always registers some; its default is
 * GET and POST.
 */
export function methodsOf({ trigger }: FunctionDefinition): string[] {
  return (trigger['methods'] as string[]).map((method) => method.toUpperCase());
}

/** The authorization level of an HTTP function: `anonymous`, `function` or `admin`. */
export function authLevel({ trigger }: FunctionDefinition): string {
  return typeof trigger['authLevel'] === 'string' ? trigger['authLevel'].toLowerCase() : 'anonymous';
}

/** The route template of an HTTP function with the prefix of host.json, without a slash at its start. */
export function routeTemplate({ name, trigger }: FunctionDefinition, routePrefix: string): string {
  // The host takes an empty route for a missing one.
  const route = typeof trigger['route'] === 'string' && trigger['route'] !== '' ? trigger['route'] : name;
  return (routePrefix === '' ? route : `${routePrefix}/${route}`).replace(/^\//, '');
}

/** The URL of an HTTP function, its route template included. */
export function functionUrl(origin: string, definition: FunctionDefinition, routePrefix: string): string {
  return `${origin}/${routeTemplate(definition, routePrefix)}`;
}

/**
 * Makes the router of an app's HTTP functions, and logs a warning for each route that another one hides.
 * @throws UnsupportedBindingError for an unknown authorization level
 * @throws RouteTemplateError
 */
export function routerOf(
  functions: readonly FunctionDefinition[],
  routePrefix: string,
  log: Log,
): Router<FunctionDefinition> {
  const router = new Router<FunctionDefinition>();
  for (const definition of functions)
    if (definition.trigger.type === 'httpTrigger')
      router.add(definition.name, routeOf(definition, routePrefix));
  for (const { route, method, by } of router.shadowed()) {
    log(
      'warning',
      'Host.Startup',
      `${method} /${route.template} reaches '${by.name}', not '${route.target.name}': the Functions host tries routes in the order of the functions' names.`,
    );
  }
  return router;
}

function routeOf(definition: FunctionDefinition, routePrefix: string): Route<FunctionDefinition> {
  const level = authLevel(definition);
  if (!LEVELS.includes(level))
    throw new UnsupportedBindingError(
      `The function '${definition.name}' has the authLevel '${level}', which is none of ${LEVELS.join(', ')}.`,
    );
  try {
    return new Route(routeTemplate(definition, routePrefix), methodsOf(definition), definition);
  } catch (error) {
    throw error instanceof RouteTemplateError
      ? new RouteTemplateError(`The route of '${definition.name}' cannot be read. ${error.message}`)
      : error;
  }
}
