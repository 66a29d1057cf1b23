// For people who do not read: the kiosk reads questions aloud, and a speaker of a language
// records them. Sound really plays in Chromium; what espeak-ng makes is listened to by sox in
// internal/voice.
import { afterEach, expect, test } from 'vitest';
import { Conductor, pin } from './conductor';
import { Hall, type Screen } from './hall';
import { fits, isAccessible } from './look';

const hall = Hall.open();
afterEach(() => expect(hall.complaints).toEqual([]));

interface Heard {
  key: string;
  lang: string;
  volume: number;
  seconds: number; // that were heard
  whole: boolean; // to its end
}

/** Notes in the page what is played, and how much of it. */
function noteSounds(): void {
  const heard: Heard[] = [];
  Object.assign(window, { heard });
  const play = HTMLMediaElement.prototype.play;
  HTMLMediaElement.prototype.play = function () {
    // The film's player, and what tries whether sound is allowed, have no address.
    const [, , lang, key] = this.src ? new URL(this.src).pathname.split('/') : [];
    if (key && lang) {
      const note: Heard = { key, lang, volume: this.volume, seconds: 0, whole: false };
      heard.push(note);
      this.addEventListener('timeupdate', () => {
        note.seconds = this.currentTime;
      });
      this.addEventListener('ended', () => {
        note.seconds = this.currentTime;
        note.whole = true;
      });
    }
    return play.call(this);
  };
}

function heardBy({ page }: Screen): Promise<Heard[]> {
  return page.evaluate(() => (window as unknown as { heard: Heard[] }).heard);
}

const k1 = ['text', 'options.15', 'options.18', 'options.any-age', 'options.dont-know'].map(
  (part) => `questions.k1.${part}`,
);

test('questions are read aloud', async () => {
  const kiosk = await hall.kiosk({ config: '[voice]\nwords_per_minute = 220\n' });
  const conductor = await Conductor.at(hall, kiosk);
  const stage = await hall.screen(kiosk, 'stage', { before: noteSounds });
  const touch = await hall.screen(kiosk, 'touch', { before: noteSounds });
  await conductor.plan();
  await conductor.do({ do: 'setVolume', percent: 60 });
  await stage.sees('stage');

  // The question and each of its options, in order, each to its end; the option lights up.
  await conductor.ask('k1');
  await stage.page.locator('[data-testid=option-18].voiced').waitFor();
  await expect
    .poll(async () => (await heardBy(stage)).filter(({ whole }) => whole).length)
    .toBe(k1.length);
  const read = await heardBy(stage);
  expect(read.map(({ key }) => key)).toEqual(k1);
  for (const { key, seconds, volume, lang } of read) {
    expect(seconds, key).toBeGreaterThan(0.4);
    expect([volume, lang]).toEqual([0.6, 'id']);
  }
  expect(await heardBy(touch)).toEqual([]);

  // At the touch screen whoever cannot read asks for it, and answering ends it.
  await touch.tap('listen');
  await touch.page.locator('[data-testid=option-15].voiced').waitFor();
  await touch.tap('option-15');
  await touch.sees('thanks');
  const before = await heardBy(touch);
  expect(before.map(({ key }) => key)).toEqual(k1.slice(0, before.length));
  expect(before.length).toBeLessThan(k1.length);

  // Once more, when the facilitator asks for it; the answer when it is revealed.
  await conductor.do({ do: 'readAloud', question: 'k1' });
  await expect.poll(async () => (await heardBy(stage)).length).toBeGreaterThan(k1.length);
  await conductor.do({ do: 'closeQuestion', question: 'k1' });
  await conductor.ask('k1', 'discussion');
  await conductor.do({ do: 'closeQuestion', question: 'k1' });
  await conductor.do({ do: 'revealQuestion', question: 'k1' });
  await conductor.do({ do: 'readAloud', question: 'k1' });
  await expect
    .poll(async () => (await heardBy(stage)).at(-1)?.key)
    .toBe('questions.k1.explanation');

  // Not when the facilitator reads it, and in the language of the projector.
  const silent = (on: boolean) =>
    conductor.do({ do: 'setStage', page: 'auto', count: true, lang: 'en', silent: on });
  await silent(true);
  await conductor.ask('k2', 'discussion');
  await stage.page.locator('[data-testid=question][data-phase=open]').waitFor();
  await conductor.do({ do: 'readAloud', question: 'k2' });
  await expect
    .poll(async () => (await heardBy(stage)).at(-1))
    .toMatchObject({ key: 'questions.k2.text', lang: 'en' });
  expect((await heardBy(stage)).filter(({ key }) => key === 'questions.k2.text')).toHaveLength(1);
});

test('a speaker records the questions', async () => {
  const kiosk = await hall.kiosk();
  const conductor = await Conductor.at(hall, kiosk);
  const record = await hall.screen(kiosk, 'record', { before: noteSounds });
  for (const digit of pin) await record.tap(`pin-${digit}`);
  await record.tap('pin-enter');
  await record.at('record-lang').selectOption('aoz');
  await record.sees('record');
  await fits(record, 'record', false);
  await isAccessible(record, 'record');

  // With the microphone of this device, which beeps.
  await record.tap('record');
  await record.page.locator('[data-testid=record].on').waitFor();
  await isAccessible(record, 'recording');
  await record.page.waitForTimeout(2_500);
  await record.tap('record');
  await record.reads('record-state', 'Sudah direkam');
  await expect
    .poll(async () => (await heardBy(record)).at(-1))
    .toMatchObject({ key: 'questions.k1.text', lang: 'aoz', whole: true });

  // A phone on the Wi-Fi has no microphone for pages: it hands over a file.
  await record.page.addInitScript(() => {
    Object.defineProperty(window, 'MediaRecorder', { value: undefined });
  });
  await record.page.reload();
  await record.at('record-lang').selectOption('aoz');
  await record.tap('record-next');
  const recorded = await record.page
    .context()
    .request.get(`${kiosk.address}/voice/id/questions.k1.text`);
  await record.at('record-file').setInputFiles({
    name: 'suara.wav',
    mimeType: 'audio/wav',
    buffer: await recorded.body(),
  });
  await record.reads('record-state', 'Sudah direkam');

  // Nothing in it: a sentence says what to do.
  await record.at('record-file').setInputFiles({
    name: 'suara.wav',
    mimeType: 'audio/wav',
    buffer: Buffer.from('hello'),
  });
  await record.page.getByText('Tidak ada suara di rekaman ini.').waitFor();
  record.complaints.length = 0; // of the refusal
  await fits(record, 'refused', false);

  const kept = await record.page
    .context()
    .request.get(`${kiosk.address}/voice/aoz/questions.k1.text`);
  expect([kept.status(), kept.headers()['content-type']]).toEqual([200, 'audio/ogg']);
  const zip = await record.page.context().request.get(`${kiosk.address}/api/voices.zip`);
  expect((await zip.body()).toString('latin1')).toContain('audio/aoz/questions.k1.text.ogg');
  await conductor.plan();
});
