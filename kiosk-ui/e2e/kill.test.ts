// kill -9 at the worst moments. What a screen was told is saved is there afterwards, once;
// what it was not told is sent again by the screen itself, and counts once.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { Conductor } from './conductor';
import { Hall, type Screen } from './hall';
import type { Kiosk } from './kiosk';
import { filmFile } from './places';

const hall = Hall.open();

/** The commands that a screen was told are done. */
function acknowledged(screens: Screen[]): string[] {
  return screens.flatMap((screen) =>
    [...screen.sent.keys()].filter((id) => screen.answers.get(id) === 'done'),
  );
}

/** How often the journal has the command. */
function times(kiosk: Kiosk, ids: string[]): Map<string, number> {
  const found = new Map(ids.map((id) => [id, 0]));
  for (const { command } of kiosk.events()) {
    const n = command === null ? undefined : found.get(command);
    if (command !== null && n !== undefined) found.set(command, n + 1);
  }
  return found;
}

/** Kills the kiosk, looks whether the journal has all that was acknowledged, starts it again. */
async function killAndLook(kiosk: Kiosk, screens: Screen[]): Promise<void> {
  const promised = acknowledged(screens); // before the kill, so that nothing later is in it
  await kiosk.killed();
  for (const [id, n] of times(kiosk, promised)) expect(n, `acknowledged command ${id}`).toBe(1);
  await kiosk.start();
}

/** Waits until every command of a screen has its answer, and it is "done". */
async function allDone(screen: Screen, kind: string, n: number): Promise<void> {
  await expect
    .poll(() => [...screen.outcomes(kind).values()], {
      message: `${kind} of ${screen.name}`,
      timeout: 60_000,
    })
    .toEqual(Array(n).fill('done'));
}

describe('kill -9', () => {
  test('in doors, while presses come in fast', async () => {
    const kiosk = await hall.kiosk();
    const conductor = await Conductor.at(hall, kiosk);
    await conductor.plan();
    await conductor.do({ do: 'moveTo', step: 'doors' });
    const stage = await hall.screen(kiosk, 'stage');
    const touch = await hall.screen(kiosk, 'touch');
    await stage.sees('count');
    await touch.sees('count-woman');

    // Two volunteers press as fast as they can, from before the first kill to after the second.
    const each = 40;
    const categories = ['woman', 'man', 'girl', 'boy'];
    const expected = Object.fromEntries(categories.map((id) => [id, 0]));
    const progress = { keys: 0, taps: 0 };
    const keys = async () => {
      for (; progress.keys < each; progress.keys++) {
        const n = progress.keys % 4;
        await stage.page.keyboard.press(String(n + 1));
        expected[categories[n] as string] = (expected[categories[n] as string] ?? 0) + 1;
      }
    };
    const places = {
      girl: await middle(touch, 'count-girl'),
      man: await middle(touch, 'count-man'),
    };
    const taps = async () => {
      for (; progress.taps < each; progress.taps++) {
        const id = progress.taps % 3 === 0 ? 'girl' : 'man';
        await touch.page.touchscreen.tap(...places[id]);
        expected[id] = (expected[id] ?? 0) + 1;
      }
    };
    const kills = async () => {
      for (const share of [0.3, 0.7]) {
        await expect
          .poll(() => Math.min(progress.keys, progress.taps), { interval: 10 })
          .toBeGreaterThan(share * each);
        await killAndLook(kiosk, [stage, touch]);
      }
    };
    await Promise.all([keys(), taps(), kills()]);

    await allDone(stage, 'pressKey', each);
    await allDone(touch, 'countAttendee', each);
    const total = 2 * each;
    await touch.reads('total', total);
    await stage.reads('count', total);
    for (const id of categories) await touch.reads(`number-${id}`, expected[id] ?? 0);
    const { attendance } = await conductor.view();
    expect(attendance.total).toBe(total);

    await kiosk.stopped();
    const ids = [...stage.sent.keys(), ...touch.sent.keys()];
    expect(ids).toHaveLength(total);
    for (const [id, n] of times(kiosk, ids)) expect(n, `command ${id}`).toBe(1);
    const net = kiosk.query<{ category: string; net: number }>(
      'SELECT category, net FROM attendance',
    );
    expect(Object.fromEntries(net.map((row) => [row.category, row.net]))).toEqual(expected);
  });

  test('in the film: it goes on, and an open page does not notice', async () => {
    const kiosk = await hall.kiosk({ film: longFilm() });
    const conductor = await Conductor.at(hall, kiosk);
    await conductor.plan();
    await conductor.do({ do: 'moveTo', step: 'film' });
    let stage = await projector(kiosk);
    await conductor.do({ do: 'playFilm' });
    await playsPast(stage, 5);

    // The page stays open.
    await stage.page.evaluate(() => {
      const video = document.querySelector('video');
      if (!video) throw new Error('no film');
      const seen = { seeks: 0, halts: 0, places: [] as number[] };
      video.addEventListener('seeking', () => seen.seeks++);
      video.addEventListener('pause', () => seen.halts++);
      const look = () => {
        seen.places.push(video.currentTime);
        requestAnimationFrame(look);
      };
      look();
      Object.assign(window, { seen });
    });
    const before = await place(stage);
    await kiosk.killed();
    const noted = kiosk
      .events()
      .findLast(({ kind }) => kind === 'FilmPositionNoted' || kind === 'FilmPlayed');
    expect(Number(noted?.data.at) / 1000, 'the place in the journal').toBeGreaterThan(before - 5);
    await kiosk.start();
    await expect.poll(async () => (await conductor.view()).screens.stage).toBe(1);
    const view = await conductor.view();
    expect(view.playback).toMatchObject({ playing: true, interrupted: false });
    await playsPast(stage, (await place(stage)) + 3);
    const seen = await stage.page.evaluate(
      () =>
        (window as unknown as { seen: { seeks: number; halts: number; places: number[] } }).seen,
    );
    expect(seen).toMatchObject({ seeks: 0, halts: 0 });
    const steps = seen.places.slice(1).map((at, n) => at - (seen.places[n] ?? 0));
    expect(Math.min(...steps), 'it never goes back').toBeGreaterThanOrEqual(0);
    // The kiosk knows again where it is.
    await expect
      .poll(async () => (await conductor.view()).playback.at / 1000 - (await place(stage)))
      .toBeGreaterThan(-5);

    // The page goes too, as when the power fails; only the clock of the machine runs on.
    const last = await place(stage);
    await kiosk.killed();
    await stage.page.close();
    await kiosk.start();
    stage = await projector(kiosk);
    await expect.poll(() => begunAt(stage)).not.toBeNull();
    const again = (await begunAt(stage)) ?? 0;
    expect(again, 'at most 5 s earlier').toBeGreaterThan(last - 5);
    expect(again, 'nothing is skipped').toBeLessThan(last + 1);
    await playsPast(stage, again + 2);
    expect((await conductor.view()).playback.playing).toBe(true);
  });

  test('in an open question, with ballots in flight', async () => {
    const kiosk = await hall.kiosk({ config: '[touch]\nthank_you_pause = "300ms"\n' });
    const conductor = await Conductor.at(hall, kiosk);
    await conductor.ask('k1');
    const stage = await hall.screen(kiosk, 'stage');
    const touch = await hall.screen(kiosk, 'touch');
    const phones = [
      await hall.screen(kiosk, 'vote', { name: 'phone 1' }),
      await hall.screen(kiosk, 'vote', { name: 'phone 2' }),
    ] as const;
    const voters = [touch, ...phones];
    for (const screen of voters) await screen.sees('option-18');

    // Acknowledged before the kill.
    for (const screen of voters) await screen.tap('option-15');
    await stage.reads('ballots', 3);
    await touch.misses('thanks');

    // Sent, and for certain not answered: the kiosk hangs before it dies.
    kiosk.signal('SIGSTOP');
    for (const screen of voters) await screen.tap('option-18');
    for (const screen of voters) await expect.poll(() => screen.sent.size).toBe(2);
    await killAndLook(kiosk, voters);
    for (const screen of voters) await allDone(screen, 'castBallot', 2);
    await stage.reads('ballots', 4);

    // A race: some are committed and not answered, some not even read.
    await touch.misses('thanks');
    for (const screen of voters) await screen.at('option-any-age').waitFor();
    await Promise.all([
      ...voters.map((screen) => screen.tap('option-any-age')),
      killAndLook(kiosk, voters),
    ]);
    for (const screen of voters) await allDone(screen, 'castBallot', 3);

    // Three people at the touch screen; each phone once, with its last choice.
    await stage.reads('ballots', 5);
    await expect.poll(() => touch.words('voted')).toContain('5 ');
    const tally = { '15': 1, '18': 1, 'any-age': 3, 'dont-know': 0 };
    expect(kiosk.tally('k1')).toMatchObject(tally);
    for (const phone of phones) {
      await expect.poll(() => phone.at('option-any-age').getAttribute('aria-pressed')).toBe('true');
    }

    await kiosk.stopped();
    const ids = voters.flatMap((screen) => [...screen.sent.keys()]);
    expect(ids).toHaveLength(9);
    for (const [id, n] of times(kiosk, ids)) expect(n, `command ${id}`).toBe(1);
    const results = kiosk.query<{ option: string; ballots: number }>(
      "SELECT option, ballots FROM poll_results WHERE question = 'k1' AND option != '(skipped)'",
    );
    expect(Object.fromEntries(results.map((row) => [row.option, row.ballots]))).toEqual(tally);
  });
});

/** Where a finger hits it, also when a line above it appears. */
async function middle(screen: Screen, id: string): Promise<[number, number]> {
  const box = await screen.at(id).boundingBox();
  if (!box) throw new Error(`${id} is not on the ${screen.name}`);
  return [box.x + box.width / 2, box.y + box.height / 2];
}

/** Two minutes of film: more than the browser loads at once, so it must ask for the rest. */
function longFilm(): string {
  const folder = mkdtempSync(join(tmpdir(), 'mimpi-film-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'film.mp4');
  execFileSync('ffmpeg', ['-v', 'error', '-stream_loop', '3', '-i', filmFile, '-c', 'copy', file]);
  writeFileSync(
    join(folder, 'film.toml'),
    'id = "long"\ntitle.id = "Film panjang"\nfile = "film.mp4"\n',
  );
  return folder;
}

/** A stage page that remembers where its film began. */
async function projector(kiosk: Kiosk): Promise<Screen> {
  return hall.screen(kiosk, 'stage', {
    before: () => {
      const begun = (event: Event) => {
        const video = event.target as HTMLVideoElement;
        (window as { begunAt?: number }).begunAt ??= video.currentTime;
      };
      document.addEventListener('playing', begun, true);
    },
  });
}

function begunAt(stage: Screen): Promise<number | null> {
  return stage.page.evaluate(() => (window as { begunAt?: number }).begunAt ?? null);
}

/** Where the film stands on the page, in seconds. */
function place(stage: Screen): Promise<number> {
  return stage.at('film').evaluate((video: HTMLVideoElement) => video.currentTime);
}

async function playsPast(stage: Screen, seconds: number): Promise<void> {
  await expect
    .poll(() => place(stage), { message: 'the film on the stage', timeout: 90_000 })
    .toBeGreaterThan(seconds);
}
