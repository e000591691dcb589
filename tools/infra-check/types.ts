/** What Azure takes for a resource, as Microsoft publishes it in https://github.com/Azure/bicep-types-az. `update-types.ts` writes it. */

/** `cut`: published, but nothing in infra/ named it when the file was written. `any`: published without saying what it takes. */
export type Shape = 'string' | 'int' | 'bool' | 'any' | 'cut' | OneOf | ListOf | ObjectShape | Variants;

/** One of these texts. */
export interface OneOf {
  oneOf: string[];
}

export interface ListOf {
  items: Shape;
}

export interface ObjectShape {
  properties: Record<string, Shape>;
  required?: string[];
  readOnly?: string[];
  /** What properties of other names take; without it there are none. */
  others?: Shape;
}

/** Which properties there are depends on the value of one. */
export interface Variants {
  by: string;
  variants: Record<string, Shape>;
}

export interface Types {
  /** The commit of bicep-types-az. */
  commit: string;
  /** By `Microsoft.Storage/storageAccounts@2024-01-01`. */
  resources: Record<string, Shape>;
}
