// Every page in its main states, against the real daemon, in both languages: accessible, whole,
// without an error in the console, and asking nobody but the kiosk. Takes the README's pictures.
import { expect, test } from 'vitest';
import { Conductor, pin } from './conductor';
import { Hall, type Kind, type Screen } from './hall';
import type { Kiosk } from './kiosk';
import { fits, isAccessible, isWhole, picture } from './look';

const hall = Hall.open();
const languages = ['id', 'en'] as const;
type Pair = [Screen, Screen];

const touchSizes = [
  { width: 800, height: 480 },
  { width: 1280, height: 800 },
];

/** The same page in Indonesian and in English. */
async function pair(kiosk: Kiosk, kind: Kind, before?: () => void): Promise<Pair> {
  const open = async (lang: string) => {
    const screen = await hall.screen(kiosk, kind, {
      name: `${kind} ${lang}`,
      context: { reducedMotion: 'reduce' },
      ...(before && { before }),
    });
    if (lang !== 'id') await screen.tap(`language-${lang}`);
    await expect.poll(() => screen.page.evaluate(() => document.documentElement.lang)).toBe(lang);
    return screen;
  };
  return [await open('id'), await open('en')];
}

async function signIn(screen: Screen): Promise<void> {
  for (const digit of pin) await screen.tap(`pin-${digit}`);
  await screen.tap('pin-enter');
  await screen.sees('next');
}

/** Both languages of a page in a state that is there when `sign` is seen. */
async function look(screens: Pair, state: string, sign: string): Promise<void> {
  for (const screen of screens) {
    await screen.sees(sign);
    await isAccessible(screen, state);
    await fits(screen, state, false);
  }
}

async function lookAtTouch(screens: Pair, state: string, sign: string): Promise<void> {
  for (const screen of screens) {
    await screen.sees(sign);
    for (const size of touchSizes) {
      await screen.page.setViewportSize(size);
      const here = `${state} at ${size.width}x${size.height}`;
      await fits(screen, here, true);
      await isWhole(screen, here);
    }
    await isAccessible(screen, state);
  }
}

test('touch screen, phones, projector and facilitator, through an evening', async () => {
  const kiosk = await hall.kiosk({
    config:
      '[touch]\nidle = "30m"\nthank_you_pause = "10s"\n[wifi]\nname = "Mimpi"\npassword = "nonton bersama"\n',
  });
  const facilitator = await pair(kiosk, 'facilitator');
  await look(facilitator, 'first PIN', 'pin-1');
  const conductor = await Conductor.at(hall, kiosk); // sets the PIN
  for (const screen of facilitator) await screen.page.reload();
  await look(facilitator, 'PIN', 'pin-1');
  for (const screen of facilitator) await signIn(screen);
  await look(facilitator, 'nothing planned', 'next');
  for (const screen of facilitator) await screen.tap('next');
  await look(facilitator, 'planning', 'plan');
  for (const { page } of facilitator) {
    await page.getByRole('button', { name: /^(Batal|Cancel)$/ }).tap();
  }

  const touch = await pair(kiosk, 'touch');
  const vote = await pair(kiosk, 'vote');
  const stage = await hall.screen(kiosk, 'stage', { context: { reducedMotion: 'reduce' } });
  let page: 'auto' | 'join' | 'guidebook' | 'help' = 'auto';
  const lookAtStage = async (state: string, sign: string) => {
    for (const lang of [...languages].reverse()) {
      await conductor.do({ do: 'setStage', page, count: true, lang });
      await expect.poll(() => stage.page.evaluate(() => document.documentElement.lang)).toBe(lang);
      await stage.page.locator(sign).first().waitFor();
      await fits(stage, `${state} ${lang}`, true);
      await isWhole(stage, `${state} ${lang}`);
      await isAccessible(stage, `${state} ${lang}`);
    }
  };
  await stage.page.locator('[data-scene=welcome]').waitFor();
  await isAccessible(stage, 'nothing planned');
  await fits(stage, 'nothing planned', true);
  await lookAtTouch(touch, 'nothing planned', 'rest');
  await look(vote, 'nothing planned', 'wait');

  // Doors.
  await conductor.plan('Balai Desa Noelbaki');
  await conductor.do({ do: 'moveTo', step: 'doors' });
  await conductor.do({
    do: 'countRow',
    row: '1',
    counts: { woman: 31, man: 17, girl: 14, boy: 11 },
  });
  await stage.reads('count', 73);
  await lookAtStage('doors', '[data-scene=welcome]');
  await picture(stage, 'stage-welcome');
  await lookAtTouch(touch, 'doors', 'count-woman');
  await picture(touch[0], 'touch-doors');
  await look(facilitator, 'doors', 'people');
  page = 'join';
  await lookAtStage('join', '[data-scene=join]');
  page = 'auto';

  // A question, from open to closed.
  await conductor.do({ do: 'moveTo', step: 'poll_before' });
  await lookAtStage('between', '[data-scene=between]');
  await conductor.do({ do: 'openQuestion', question: 'k1', newRound: false });
  await lookAtTouch(touch, 'question', 'option-18');
  await picture(touch[0], 'touch-question');
  await touch[0].tap('option-18');
  await lookAtTouch([touch[0], touch[0]], 'thanks', 'thanks');
  await vote[0].tap('option-18');
  await vote[1].tap('option-15');
  await look(vote, 'voted', 'saved');
  await picture(vote[0], 'vote');
  const hands = (counts: Record<string, number>) =>
    conductor.do({ do: 'countHands', question: 'k1', counts });
  await hands({ '15': 9, '18': 23, 'any-age': 17, 'dont-know': 12 });
  await stage.reads('ballots', 64);
  await lookAtStage('question', '[data-phase=open]');
  await picture(stage, 'stage-question');
  await look(facilitator, 'question open', 'current');
  await conductor.do({ do: 'closeQuestion', question: 'k1' });
  await lookAtStage('closed', '[data-phase=closed]');
  await lookAtTouch(touch, 'closed', 'closed');
  await look(vote, 'closed', 'closed');

  // The film.
  await conductor.do({ do: 'moveTo', step: 'film' });
  await lookAtStage('film waits', '[data-face=waiting]');
  await lookAtTouch(touch, 'film', 'rest');
  await conductor.do({ do: 'setSubtitles', lang: 'id' });
  await conductor.do({ do: 'playFilm' });
  await facilitator[0].sees('position');
  await picture(facilitator[0], 'facilitator-film');
  await look(facilitator, 'film', 'position');
  await stage.sees('halted');
  await lookAtStage('film halted', '[data-face=halted]');

  // The reveal, before and after beside each other; a long question; several choices.
  await conductor.do({ do: 'moveTo', step: 'discussion' });
  await conductor.do({ do: 'openQuestion', question: 'k1', newRound: false });
  await hands({ '15': 2, '18': 58, 'any-age': 3, 'dont-know': 4 });
  await conductor.do({ do: 'closeQuestion', question: 'k1' });
  await conductor.do({ do: 'revealQuestion', question: 'k1' });
  await lookAtStage('reveal', '[data-phase=revealed]');
  await picture(stage, 'stage-reveal');
  await lookAtTouch(touch, 'reveal', 'revealed');
  await look(vote, 'reveal', 'revealed');
  await picture(facilitator[0], 'facilitator-questions');
  await look(facilitator, 'reveal', 'current');
  for (const question of ['o4', 'o5']) {
    await conductor.do({ do: 'openQuestion', question, newRound: false });
    await lookAtTouch(touch, question, question === 'o5' ? 'send' : 'option-give-time');
    await look(vote, question, question === 'o5' ? 'send' : 'option-give-time');
    await lookAtStage(question, '[data-phase=open]');
    await conductor.do({ do: 'closeQuestion', question });
  }

  // The end.
  await conductor.do({ do: 'moveTo', step: 'closing' });
  await lookAtStage('closing', '[data-scene=guidebook]');
  await look(vote, 'closing', 'guidebook');
  page = 'help';
  await lookAtStage('help', '[data-scene=help]');
  page = 'auto';
  await conductor.do({ do: 'moveTo', step: 'ended' });
  await lookAtStage('thanks', '[data-scene=thanks]');
  await lookAtTouch(touch, 'ended', 'rest');
  await look(vote, 'ended', 'thanks');
  await look(facilitator, 'ended', 'summary-link');
  for (const [n, lang] of languages.entries()) {
    const summary = await hall.screen(kiosk, 'summary', {
      name: `summary ${lang}`,
      beside: facilitator[n] as Screen,
    });
    await summary.page.setViewportSize({ width: 1280, height: 800 });
    if (lang !== 'id') await summary.tap(`language-${lang}`);
    await summary.sees('result-k1');
    if (lang === 'id') await picture(summary, 'summary');
    await isAccessible(summary, lang);
    await fits(summary, lang, false);
  }
  expect(hall.complaints).toEqual([]);
});

test('pages without a line: start, guidebook, the plain form', async () => {
  const kiosk = await hall.kiosk();
  const start = await pair(kiosk, 'start');
  for (const screen of start) {
    await isAccessible(screen, 'start');
    await fits(screen, 'start', false);
  }
  const conductor = await Conductor.at(hall, kiosk);
  for (const question of ['k1', 'o5']) {
    await conductor.ask(question);
    for (const lang of languages) {
      for (const path of [`/vote?lang=${lang}`, `/guidebook?lang=${lang}`]) {
        const screen = await hall.screen(kiosk, 'vote', {
          name: path,
          path,
          context: { javaScriptEnabled: false },
        });
        await screen.page.locator('.plain').waitFor();
        await isAccessible(screen, question);
        await fits(screen, question, false);
      }
    }
    await conductor.do({ do: 'closeQuestion', question });
  }
  expect(hall.complaints).toEqual([]);
});
