import moment from 'moment';
import { z } from 'zod';

/** ISO 8601 durations. Only seconds may have a fraction. */
const iso8601 =
  /^P(?=.)(?:\d+W|(?:\d+Y)?(?:\d+M)?(?:\d+D)?(?:T(?=.)(?:\d+H)?(?:\d+M)?(?:\d+(?:\.\d+)?S)?)?)$/;

/**
 * A schema for durations in ISO 8601, such as `PT20S` or `P1DT12H`, from `min` to `max`, which have the same
 * form.
 */
export function duration(min: string, max: string): z.ZodString {
  return z
    .string()
    .max(50)
    .regex(iso8601, { error: 'It is not an ISO 8601 duration, such as PT20S or P1D', abort: true })
    .refine(
      (value) => length(value) >= length(min) && length(value) <= length(max),
      `It must be from ${min} to ${max}`,
    );
}

function length(value: string): number {
  return moment.duration(value).asMilliseconds();
}
