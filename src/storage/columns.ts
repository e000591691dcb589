import type { z } from 'zod';
import type { Columns } from './rows.js';

/**
 * A record as the columns of a row. Values that a table cannot store become JSON; `undefined` is left out.
 */
export function columnsOf(record: Readonly<Record<string, unknown>>): Columns {
  return Object.fromEntries(
    Object.entries(record).map(([name, value]) => [
      name,
      value === undefined ||
      typeof value === 'string' ||
      typeof value === 'number' ||
      typeof value === 'boolean'
        ? value
        : JSON.stringify(value),
    ]),
  );
}

/**
 * The record in a row. A text that the schema does not accept for its column is read as JSON. Columns that
 * the schema does not have are left out.
 *
 * @throws {z.ZodError} when the row does not contain such a record
 */
export function recordOf<Schema extends z.ZodObject>(schema: Schema, columns: Columns): z.output<Schema> {
  const shape: Readonly<Record<string, z.core.$ZodType>> = schema.shape;
  return schema.parse(
    Object.fromEntries(
      Object.entries(columns).map(([name, value]) => {
        const field = shape[name] as z.ZodType | undefined;
        const isJson = typeof value === 'string' && field !== undefined && !field.safeParse(value).success;
        return [name, isJson ? JSON.parse(value) : value];
      }),
    ),
  );
}
