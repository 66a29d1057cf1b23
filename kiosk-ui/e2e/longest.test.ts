// A made-up language whose every sentence, of the screens and of the pack, is a third longer than
// the Indonesian one: no word of it is cut on the projector or on the touch screen. It comes as
// a real one would, as a file of the pack.
import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, onTestFinished, test } from 'vitest';
import { Conductor } from './conductor';
import { Hall, type Screen } from './hall';
import { cutsNothing, fits, isWhole, picture } from './look';
import { daemon, pack } from './places';
import { config, type State, through } from './states';

const hall = Hall.open();
afterEach(() => expect(hall.complaints).toEqual([]));

const code = 'xx';

/** A third longer, with letters that stand high and hang low. */
function longer(sentence: string): string {
  const tail = 'ẦÊÜ gýp ņðö'.repeat(Math.ceil(sentence.length / 30));
  return `${sentence.replace(/[aeiou](?![^{]*})/g, (letter) => ({ a: 'å', e: 'é', i: 'î', o: 'ø', u: 'ü' })[letter] ?? letter)} ${tail.slice(0, Math.ceil(sentence.length / 3))}`;
}

/** The campaign's pack, with the made-up language as "mimpi-kiosk pack language" begins it. */
function longPack(): string {
  const folder = mkdtempSync(join(tmpdir(), 'mimpi-pack-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  cpSync(pack, folder, { recursive: true });
  execFileSync(daemon, ['pack', 'language', folder, code]);
  const file = join(folder, 'lang', `${code}.json`);
  const texts: Record<string, string> = JSON.parse(readFileSync(file, 'utf8'));
  for (const key of Object.keys(texts).filter((key) => key.startsWith('//'))) {
    texts[key.slice(2)] = longer(texts[key] ?? '');
  }
  texts['language.name'] = 'Bahasa Panjang Sekali';
  writeFileSync(file, JSON.stringify(texts));
  execFileSync(daemon, ['pack', 'verify', folder]); // complains when it is not what it should be
  return folder;
}

const said = ({ page }: Screen) =>
  expect.poll(() => page.evaluate(() => document.documentElement.lang)).toBe(code);

test('the projector and the touch screen in the longest language', async () => {
  const kiosk = await hall.kiosk({ config, pack: longPack() });
  const conductor = await Conductor.at(hall, kiosk);
  const context = { reducedMotion: 'reduce' } as const;
  const stage = await hall.screen(kiosk, 'stage', { context });
  const touch = await hall.screen(kiosk, 'touch', { context });
  await touch.tap('language-en'); // from one to the next
  await touch.tap(`language-${code}`);
  await said(touch);

  const onStage: Partial<Record<State, string>> = {
    doors: '[data-scene=welcome]',
    between: '[data-scene=between]',
    open: '[data-phase=open]',
    closed: '[data-phase=closed]',
    film: '[data-face=waiting]',
    revealed: '[data-phase=revealed]',
    long: '[data-phase=open]',
    several: '[data-phase=open]',
  };
  const onTouch: Partial<Record<State, string>> = {
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
  const look = async (screen: Screen, state: string) => {
    await fits(screen, state, true);
    await isWhole(screen, state);
    await cutsNothing(screen, state);
  };
  const projector = async (
    state: string,
    sign: string,
    page: 'auto' | 'join' | 'help' = 'auto',
  ) => {
    await conductor.do({ do: 'setStage', page, count: true, lang: code, silent: false });
    await said(stage);
    await stage.page.locator(sign).first().waitFor();
    await look(stage, state);
    await picture(stage, `longest-stage-${state}`);
  };
  await through(conductor, async (state) => {
    const sign = onStage[state];
    if (sign) await projector(state, sign);
    if (state === 'doors') {
      await projector('join', '[data-scene=join]', 'join');
      await projector('help', '[data-scene=help]', 'help');
      await conductor.do({ do: 'setStage', page: 'auto', count: true, lang: code, silent: false });
    }
    const place = onTouch[state];
    if (!place) return;
    await touch.sees(place);
    for (const size of [
      { width: 800, height: 480 },
      { width: 1280, height: 800 },
    ]) {
      await touch.page.setViewportSize(size);
      const here = `${state}-${size.width}`;
      await look(touch, here);
      await picture(touch, `longest-touch-${here}`);
    }
  });
});
