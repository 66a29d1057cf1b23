// Days, times and spans in words. The evenings are in East Nusa Tenggara, whatever zone the
// phone that looks at them is set to.

import { language, t } from './i18n.svelte';

const zone = 'Asia/Makassar'; // WITA, +08:00 all the year
const offset = 8 * 3_600_000; // ms

function format(when: string | Date, parts: Intl.DateTimeFormatOptions): string {
  const date = new Date(when);
  if (Number.isNaN(date.getTime())) return '…';
  // English as in Indonesia: the day before the month.
  const locale = language() === 'en' ? 'en-GB' : language();
  try {
    return new Intl.DateTimeFormat(locale, { timeZone: zone, ...parts }).format(date);
  } catch {
    return new Intl.DateTimeFormat('id', { timeZone: zone, ...parts }).format(date);
  }
}

/** "Selasa, 24 November 2026" */
export function dayInWords(when: string | Date): string {
  return format(when, { weekday: 'long', day: 'numeric', month: 'long', year: 'numeric' });
}

/** "19.05 WITA" */
export function timeOfDay(when: string | Date): string {
  return `${format(when, { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' })} WITA`;
}

/** "Selasa, 24 November 2026, pukul 19.05 WITA" */
export function momentInWords(when: string | Date): string {
  return t('common.moment', { day: dayInWords(when), time: timeOfDay(when) });
}

/** "Sel, 24 Nov 2026" */
export function shortDay(when: string | Date): string {
  return format(when, { weekday: 'short', day: 'numeric', month: 'short', year: 'numeric' });
}

/** What the fields of a date and a time show at a moment; rounded down to the minute. */
export function toFields(when: string | Date): { date: string; time: string } {
  const local = new Date(new Date(when).getTime() + offset).toISOString();
  return { date: local.slice(0, 10), time: local.slice(11, 16) };
}

/** The moment that the two fields say, ISO 8601 with offset; null while one is not filled in. */
export function fromFields(date: string, time: string): string | null {
  const moment = `${date}T${time.slice(0, 5)}:00+08:00`;
  return date && time && !Number.isNaN(Date.parse(moment)) ? moment : null;
}

/** A position or a span of a film: "1:05", "1:02:03". */
export function span(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const two = (n: number) => String(n).padStart(2, '0');
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor(seconds / 60) % 60;
  return hours > 0
    ? `${hours}:${two(minutes)}:${two(seconds % 60)}`
    : `${minutes}:${two(seconds % 60)}`;
}

/** The same to be read aloud: "12 menit 34 detik". */
export function spanInWords(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  return t('common.minutes_seconds', { m: Math.floor(seconds / 60), s: seconds % 60 });
}
