import { z } from 'zod';

/** A person or a program that the platform has signed in. */
export interface Principal {
  /** The user name, such as `kim@contoso.com`; of a program without a name, its object id. */
  name: string;
  /** All that identifies it: the name, and the object id in Entra ID. */
  ids: readonly string[];
  /** Whether it has the app role `operator`, which may see every record. */
  isOperator: boolean;
}

/**
 * The content of the header `x-ms-client-principal`, decoded from base64. App Service's authentication writes
 * claims (https://learn.microsoft.com/azure/app-service/configure-authentication-user-identities), Static Web
 * Apps writes `userDetails`.
 */
const headerSchema = z.object({
  name_typ: z.string().nullish(),
  role_typ: z.string().nullish(),
  claims: z.array(z.object({ typ: z.string(), val: z.string() })).nullish(),
  userDetails: z.string().nullish(),
});

/** The claims that can hold the name, best first, for principals that do not name the claim. */
const NAME_CLAIMS = [
  'preferred_username',
  'http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress',
  'http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name',
  'name',
];
const OBJECT_ID_CLAIMS = ['http://schemas.microsoft.com/identity/claims/objectidentifier', 'oid'];
const ROLE_CLAIMS = ['roles', 'http://schemas.microsoft.com/ws/2008/06/identity/claims/role'];
const OPERATOR = 'operator';

/**
 * Whether App Service authentication is in front of the app. The platform sets `WEBSITE_AUTH_ENABLED` then,
 * and replaces the header of every request. Without it, any caller can send the header, and it proves nothing.
 */
export function isSignInOn(): boolean {
  return process.env['WEBSITE_AUTH_ENABLED']?.toLowerCase() === 'true';
}

/**
 * Reads the header.
 *
 * @param nameOf the text as the name of a person; `undefined` when it is none
 * @returns `undefined` when the header holds no principal with a name
 */
export function principalOf(
  header: string,
  nameOf: (text: string | undefined) => string | undefined,
): Principal | undefined {
  const content = contentOf(header);
  if (content === undefined) return undefined;
  const { name_typ: nameType, role_typ: roleType, userDetails } = content;
  const claims = content.claims ?? [];
  const valueOf = (types: readonly (string | null | undefined)[]): string | undefined =>
    types.map((type) => claims.find(({ typ }) => typ === type)?.val).find((value) => value !== undefined);
  const objectId = nameOf(valueOf(OBJECT_ID_CLAIMS));
  const name = nameOf(valueOf([nameType, ...NAME_CLAIMS]) ?? userDetails ?? objectId);
  if (name === undefined) return undefined;
  const roles = claims.filter(({ typ }) => typ === roleType || ROLE_CLAIMS.includes(typ));
  return {
    name,
    ids: objectId === undefined ? [name] : [name, objectId],
    isOperator: roles.some(({ val }) => val === OPERATOR),
  };
}

/** Whether two names are of one person. Case counts, but not in addresses such as `kim@contoso.com`. */
export function samePerson(one: string, other: string): boolean {
  return folded(one) === folded(other);
}

/** Whether a name in a record is that of the principal. */
export function identifies(principal: Principal, name: string): boolean {
  return principal.ids.some((id) => samePerson(id, name));
}

/** A name as it is compared. */
export function folded(name: string): string {
  return name.includes('@') ? name.toLowerCase() : name;
}

function contentOf(header: string): z.infer<typeof headerSchema> | undefined {
  try {
    return headerSchema.parse(JSON.parse(Buffer.from(header, 'base64').toString('utf8')));
  } catch {
    return undefined;
  }
}
