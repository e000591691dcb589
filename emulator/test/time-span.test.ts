/** .NET's time spans in host.json and in schedules. */
import { expect, test } from 'vitest';
import { formatTimeSpan, parseTimeSpan } from '../src/time-span.js';

test.each([
  ['00:00:01', 1000],
  ['00:05:00', 300_000],
  ['1.02:03:04', 93_784_000],
  ['00:00:00.5', 500],
  ['01:30', 5_400_000],
  ['2', 172_800_000],
  ['-00:00:01', -1000],
  ['-1', -86_400_000],
  // .NET reads the hours as days when they are above 23.
  ['24:00:00', 24 * 86_400_000],
])('%s is %i milliseconds', (text, milliseconds) => {
  expect(parseTimeSpan(text)).toBe(milliseconds);
});

test.each(['', 'soon', '1:2:3:4:5', '00:60:00', '1.24:00:00', '0 */5 * * * *'])(
  "'%s' is not a time span",
  (text) => {
    expect(parseTimeSpan(text)).toBeUndefined();
  },
);

test.each([
  [0, '00:00:00'],
  [300_000, '00:05:00'],
  [93_784_500, '1.02:03:04.5000000'],
  [-1000, '-00:00:01'],
])('%i milliseconds are written %s', (milliseconds, text) => {
  expect(formatTimeSpan(milliseconds)).toBe(text);
});
