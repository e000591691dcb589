/** Connection strings of storage accounts. */

/** The services of a storage account. */
export const SERVICES = ['blob', 'queue', 'table'] as const;
export type Service = (typeof SERVICES)[number];

/**
 * The addresses of the services that a connection string names.
 *
 * @throws Error when it has no account key: a request that is signed in another way does not pass the proxy
 */
export function endpointsOf(connectionString: string): Record<Service, URL> {
  const fields = fieldsOf(connectionString);
  const get = (name: string): string | undefined => fields.get(name.toLowerCase());
  if (get('UseDevelopmentStorage') === 'true')
    return each(
      (service) => new URL(`http://127.0.0.1:${10_000 + SERVICES.indexOf(service)}/devstoreaccount1`),
    );
  const account = get('AccountName');
  if (account === undefined || get('AccountKey') === undefined)
    throw new Error(
      'The connection string needs AccountName and AccountKey: the proxy forwards signatures as they are.',
    );
  const protocol = get('DefaultEndpointsProtocol') ?? 'https';
  const suffix = get('EndpointSuffix') ?? 'core.windows.net';
  return each(
    (service) => new URL(get(`${service}Endpoint`) ?? `${protocol}://${account}.${service}.${suffix}`),
  );
}

/**
 * The connection string with other origins. Paths stay: the signature of a request covers its path, and does not cover
 * its host.
 */
export function withOrigins(connectionString: string, origins: Record<Service, string>): string {
  const endpoints = endpointsOf(connectionString);
  const fields = fieldsOf(connectionString);
  const development = fields.has('usedevelopmentstorage');
  const account = development ? 'devstoreaccount1' : fields.get('accountname')!;
  return [
    'DefaultEndpointsProtocol=http',
    `AccountName=${account}`,
    `AccountKey=${development ? DEVELOPMENT_KEY : fields.get('accountkey')!}`,
    ...SERVICES.map((service) => {
      const path = endpoints[service].pathname.replace(/\/$/, '');
      return `${service[0]!.toUpperCase()}${service.slice(1)}Endpoint=${origins[service]}${path}`;
    }),
  ].join(';');
}

/** The public key of Azurite's account, to which `UseDevelopmentStorage=true` refers. */
const DEVELOPMENT_KEY =
  'Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==';

function each<Value>(of: (service: Service) => Value): Record<Service, Value> {
  return { blob: of('blob'), queue: of('queue'), table: of('table') };
}

/** The fields by their names in lower case. A value may contain `=`. */
function fieldsOf(connectionString: string): Map<string, string> {
  return new Map(
    connectionString.split(';').flatMap((field): [string, string][] => {
      const end = field.indexOf('=');
      return end < 0 ? [] : [[field.slice(0, end).trim().toLowerCase(), field.slice(end + 1)]];
    }),
  );
}
