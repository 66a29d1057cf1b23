// What the screens say of a USB stick.

import { number, t, text } from './i18n.svelte';
import type { Stick } from './protocol';

export interface StickFace {
  icon: string;
  look: 'busy' | 'good' | 'bad';
  title: string;
  what: string;
  /** 0 to 1, or null when nobody knows. */
  part: number | null;
  /** whether taking it out now would spoil something */
  hold: boolean;
}

export function stickFace(stick: Stick): StickFace {
  const part = stick.all > 0 ? Math.min(1, stick.done / stick.all) : null;
  const state = stick.waitsFor === 'power' ? 'waiting_power' : stick.phase;
  const busy = (icon: string, what: string, known: number | null = null): StickFace => ({
    icon,
    look: 'busy',
    title: t(`stick.${state}`),
    what,
    part: known,
    hold: true,
  });
  switch (stick.phase) {
    case 'copying':
      return busy('usb', t('stick.of', { done: number(stick.done), all: number(stick.all) }), part);
    case 'taking':
      return busy('download', '', part);
    case 'waiting':
      return busy(stick.waitsFor === 'power' ? 'warning' : 'clock', t(`stick.${state}_what`));
    case 'plugged':
    case 'logging':
    case 'finishing':
      return busy('usb', '');
    case 'safe':
      return {
        icon: 'check',
        look: 'good',
        title: t('stick.safe'),
        what:
          stick.task === 'export' && stick.screenings > 0
            ? t('stick.safe_what', { n: number(stick.screenings), new: number(stick.written) })
            : t(`stick.safe_${stick.task}`),
        part: null,
        hold: false,
      };
    case 'trouble':
      return {
        icon: 'warning',
        look: 'bad',
        title: stick.message ? text(stick.message) : t('stick.trouble'),
        what: stick.hint ? text(stick.hint) : '',
        part: null,
        hold: stick.here && !stick.safe,
      };
  }
}

/** What had no room, in words; '' when all had. */
export function missing(stick: Stick): string {
  if (stick.missing === 0) return '';
  return t('stick.missing', { n: number(stick.missing), mb: number(stick.needMB) });
}
