import { expect, test } from 'vitest';
import { fromFields, momentInWords, span, spanInWords, toFields } from './times';

test('a moment is said in the time of East Nusa Tenggara, with its weekday', () => {
  expect(momentInWords('2026-11-24T11:05:00Z')).toBe('Selasa, 24 November 2026, pukul 19.05 WITA');
  expect(momentInWords('2026-11-24T16:00:00Z')).toBe('Rabu, 25 November 2026, pukul 00.00 WITA');
  expect(momentInWords('no date')).toContain('…');
});

test('fields and moments are the same both ways', () => {
  expect(toFields('2026-11-24T16:30:59Z')).toEqual({ date: '2026-11-25', time: '00:30' });
  expect(fromFields('2026-11-25', '00:30')).toBe('2026-11-25T00:30:00+08:00');
  expect(fromFields('2026-11-25', '00:30:15')).toBe('2026-11-25T00:30:00+08:00');
  for (const [date, time] of [
    ['', '19:00'],
    ['2026-11-24', ''],
    ['2026-13-40', '19:00'],
  ] as const) {
    expect(fromFields(date, time)).toBeNull();
  }
});

test('spans', () => {
  expect(span(0)).toBe('0:00');
  expect(span(65_999)).toBe('1:05');
  expect(span(3_723_000)).toBe('1:02:03');
  expect(span(-5)).toBe('0:00');
  expect(spanInWords(754_000)).toBe('12 menit 34 detik');
});
