// Every page in its main states, against the real daemon, in both languages: accessible, whole,
// without an error in the console, and asking nobody but the kiosk. Takes the README's pictures.
import { afterEach, expect, test } from 'vitest';
import type { StageView } from '../src/lib/protocol';
import { Conductor, pin } from './conductor';
import { Hall, type Kind, type Screen } from './hall';
import type { Kiosk } from './kiosk';
import { fits, isAccessible, isWhole, picture } from './look';
import { config, type State, through } from './states';

// Before the hall's own hook, which closes the screens: later hooks run first.
const hall = Hall.open();
afterEach(() => expect(hall.complaints).toEqual([]));

const languages = ['id', 'en'] as const;
type Pair = readonly [Screen, Screen];

/** The same page in Indonesian and in English. */
async function pair(kiosk: Kiosk, kind: Kind): Promise<Pair> {
  const open = async (lang: string) => {
    const screen = await hall.screen(kiosk, kind, {
      name: `${kind} ${lang}`,
      context: { reducedMotion: 'reduce' },
    });
    if (lang !== 'id') await screen.tap(`language-${lang}`);
    await speaks(screen, lang);
    return screen;
  };
  return [await open('id'), await open('en')];
}

function speaks({ page }: Screen, lang: string): Promise<void> {
  return expect.poll(() => page.evaluate(() => document.documentElement.lang)).toBe(lang);
}

test('the projector', async () => {
  const kiosk = await hall.kiosk({ config });
  const conductor = await Conductor.at(hall, kiosk);
  const stage = await hall.screen(kiosk, 'stage', { context: { reducedMotion: 'reduce' } });
  type Page = 'auto' | 'join' | 'guidebook' | 'help';
  const look = async (name: string, sign: string, page: Page = 'auto') => {
    for (const lang of [...languages].reverse()) {
      await conductor.do({ do: 'setStage', page, count: true, lang, silent: false });
      await speaks(stage, lang);
      await stage.page.locator(sign).first().waitFor();
      await fits(stage, `${name} ${lang}`, true);
      await isWhole(stage, `${name} ${lang}`);
      await isAccessible(stage, `${name} ${lang}`);
    }
  };
  const scene = (name: StageView['scene']) => `[data-scene=${name}]`;
  const signs: Partial<Record<State, string>> = {
    doors: scene('welcome'),
    between: scene('between'),
    open: '[data-phase=open]',
    closed: '[data-phase=closed]',
    film: '[data-face=waiting]',
    revealed: '[data-phase=revealed]',
    long: '[data-phase=open]',
    closing: scene('guidebook'),
    ended: scene('thanks'),
  };
  await through(conductor, async (state) => {
    const sign = signs[state];
    if (sign) await look(state, sign);
    if (state === 'doors') {
      await stage.reads('count', 73);
      await picture(stage, 'stage-welcome');
      await look('join', scene('join'), 'join');
      await look('help', scene('help'), 'help');
    }
    if (state === 'open') {
      await stage.reads('ballots', 61);
      await picture(stage, 'stage-question');
    }
    if (state === 'film') {
      await conductor.do({ do: 'seekFilm', to: 14_000 });
      await conductor.do({ do: 'playFilm' });
      await look('halted', '[data-face=halted]');
    }
    if (state === 'revealed') await picture(stage, 'stage-reveal');
  });
});

test('the touch screen', async () => {
  const kiosk = await hall.kiosk({ config });
  const conductor = await Conductor.at(hall, kiosk);
  const touch = await pair(kiosk, 'touch');
  const look = async (screens: readonly Screen[], state: string, sign: string) => {
    for (const screen of screens) {
      await screen.sees(sign);
      for (const size of [
        { width: 800, height: 480 },
        { width: 1280, height: 800 },
      ]) {
        await screen.page.setViewportSize(size);
        const here = `${state} at ${size.width}x${size.height}`;
        await fits(screen, here, true);
        await isWhole(screen, here);
      }
      await isAccessible(screen, state);
    }
  };
  const signs: Partial<Record<State, string>> = {
    nothing: 'rest',
    doors: 'count-woman',
    open: 'option-18',
    closed: 'closed',
    film: 'rest',
    revealed: 'revealed',
    long: 'option-give-time',
    several: 'send',
    ended: 'rest',
  };
  await through(conductor, async (state) => {
    const sign = signs[state];
    if (sign) await look(touch, state, sign);
    if (state === 'doors') await picture(touch[0], 'touch-doors');
    if (state === 'open') {
      await picture(touch[0], 'touch-question');
      await touch[0].tap('option-18');
      await look([touch[0]], 'thanks', 'thanks');
    }
  });
});

// Three minutes before people come: nothing that is pressed meanwhile is counted.
test('the guided check of the box', async () => {
  const kiosk = await hall.kiosk({ config });
  const conductor = await Conductor.at(hall, kiosk);
  const stage = await hall.screen(kiosk, 'stage', { context: { reducedMotion: 'reduce' } });
  const touch = await hall.screen(kiosk, 'touch');
  await touch.tap('check-box');
  await touch.page.waitForURL((url) => url.pathname === '/check');
  await touch.page.close();
  const [check, english] = await pair(kiosk, 'check');
  await english.page.close(); // the last page to begin leads
  const look = async (place: string) => {
    await check.page.locator(`[data-place=${place}]`).waitFor();
    for (const size of [
      { width: 800, height: 480 },
      { width: 1280, height: 800 },
    ]) {
      await check.page.setViewportSize(size);
      await fits(check, `${place} at ${size.width}x${size.height}`, true);
    }
    await isWhole(check, place);
    await isAccessible(check, place);
  };
  await look('start');
  await check.tap('begin');
  await look('sound');
  await check.tap('good');
  await look('projector');
  await stage.sees('check-number');
  await isAccessible(stage, 'check');
  const number = await stage.at('check-number').innerText();
  await check.page.getByRole('button', { name: number, exact: true }).tap();
  await look('buttons');
  for (const key of ['1', '2', '3', '4', '0']) await check.page.keyboard.press(key);
  await check.page.locator('[data-testid=button-4][data-pressed=true]').waitFor();
  await check.tap('good');
  await look('touch');
  for (const corner of ['top-left', 'top-right', 'bottom-left', 'bottom-right']) {
    await check.tap(corner);
  }
  await look('result');
  await picture(check, 'check-result');

  // A screening begins while somebody is still at it.
  await check.tap('again');
  await check.page.locator('[data-place=sound]').waitFor();
  await conductor.plan('Balai Desa Noelbaki');
  await check.page.getByRole('heading', { name: 'Pemutaran sedang berlangsung' }).waitFor();
  await conductor.do({ do: 'moveTo', step: 'doors' });
  await check.page.keyboard.press('1'); // an evening's press again
  await expect.poll(async () => (await conductor.view()).attendance.total).toBe(1);
});

test('phones', async () => {
  const kiosk = await hall.kiosk({ config });
  const conductor = await Conductor.at(hall, kiosk);
  const phones = await pair(kiosk, 'vote');
  const look = async (state: string, sign: string) => {
    for (const phone of phones) {
      await phone.sees(sign);
      await isAccessible(phone, state);
      await fits(phone, state, false);
    }
  };
  const signs: Partial<Record<State, string>> = {
    nothing: 'wait',
    open: 'option-18',
    closed: 'closed',
    film: 'wait',
    revealed: 'revealed',
    several: 'send',
    closing: 'help', // this pack has no guidebook, so none is offered
    ended: 'thanks',
  };
  await through(conductor, async (state) => {
    const sign = signs[state];
    if (sign) await look(state, sign);
    if (state === 'open') {
      await phones[0].tap('option-18');
      await phones[1].tap('option-15');
      await look('voted', 'saved');
      await picture(phones[0], 'vote');
    }
  });
});

test('the facilitator, and the summary', async () => {
  const kiosk = await hall.kiosk({ config });
  const pages = await pair(kiosk, 'facilitator');
  const look = async (state: string, sign: string) => {
    for (const screen of pages) {
      await screen.sees(sign);
      await isAccessible(screen, state);
      await fits(screen, state, false);
    }
  };
  await look('first PIN', 'pin-1');
  const conductor = await Conductor.at(hall, kiosk); // sets the PIN
  for (const screen of pages) {
    await screen.page.reload();
    await screen.page.getByRole('heading', { name: /^(Masuk|Sign in)$/ }).waitFor();
    for (const digit of pin) await screen.tap(`pin-${digit}`);
    await screen.tap('pin-enter');
    await screen.tap('next');
  }
  await look('planning', 'plan');
  for (const { page } of pages) {
    await page.getByRole('button', { name: /^(Batal|Cancel)$/ }).tap();
  }

  await conductor.do({ do: 'setClock', now: new Date().toISOString() });
  const stage = await hall.screen(kiosk, 'stage');
  const signs: Partial<Record<State, string>> = {
    nothing: 'next',
    doors: 'people',
    open: 'current',
    revealed: 'current',
    ended: 'summary-link',
  };
  await through(conductor, async (state) => {
    if (state === 'revealed') await stage.page.close();
    const sign = signs[state];
    if (sign) await look(state, sign);
    if (state === 'open') await picture(pages[0], 'facilitator-questions');
    if (state === 'film') {
      await conductor.do({ do: 'playFilm' });
      await expect.poll(() => pages[0].words('position')).toMatch(/^0:0[4-9]/);
      await picture(pages[0], 'facilitator-film');
      await look('film runs', 'position');
    }
  });

  for (const [n, lang] of languages.entries()) {
    const page = pages[n] as Screen;
    const summary = await hall.screen(kiosk, 'summary', { name: `summary ${lang}`, beside: page });
    if (lang !== 'id') await summary.tap(`language-${lang}`);
    await speaks(summary, lang);
    await summary.sees('result-k1');
    for (const size of [
      { width: 360, height: 740 },
      { width: 1280, height: 800 },
    ]) {
      await summary.page.setViewportSize(size);
      await fits(summary, `${lang} at ${size.width}`, false);
    }
    await isAccessible(summary, lang);
    if (lang === 'id') {
      await summary.page.setViewportSize({ width: 1280, height: 1500 });
      await picture(summary, 'summary');
    }
  }
});

test('pages without a line: start, guidebook, the plain form', async () => {
  const kiosk = await hall.kiosk({ config });
  for (const screen of await pair(kiosk, 'start')) {
    await isAccessible(screen, 'start');
    await fits(screen, 'start', false);
    await screen.page.close();
  }
  const conductor = await Conductor.at(hall, kiosk);
  const look = async (path: string) => {
    const screen = await hall.screen(kiosk, 'vote', {
      name: path,
      path,
      before: () => {
        delete (window as { WebSocket?: unknown }).WebSocket;
      },
    });
    await screen.page.locator('.plain').waitFor();
    await isAccessible(screen, 'plain');
    await fits(screen, 'plain', false);
    await screen.page.close();
  };
  for (const lang of languages) await look(`/guidebook?lang=${lang}`);
  for (const question of ['k1', 'o5']) {
    await conductor.ask(question);
    for (const lang of languages) await look(`/vote?lang=${lang}`);
    await conductor.do({ do: 'closeQuestion', question });
  }
});
