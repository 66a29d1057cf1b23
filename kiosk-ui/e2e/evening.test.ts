// One whole evening, with everybody in it at once: the projector, the touch screen, the
// facilitator's phone and two phones of the audience.
import { join } from 'node:path';
import { expect, test } from 'vitest';
import id from '../lang/id.json';
import type { Suggestion } from '../src/lib/protocol';
import { readCSV, unzip, verifySums } from './archive';
import { Hall, type Screen } from './hall';

const hall = Hall.open();
const says = id as Record<string, string>;
const pin = '258014';

/** What people answer in one question; [] is "skip". */
interface Answers {
  touch: string[][];
  phones: [string[], string[]];
  hands?: Record<string, number>;
}

const before: Record<string, Answers> = {
  k1: {
    touch: [['18'], ['15'], ['18']],
    phones: [['18'], ['any-age']],
    hands: { '15': 3, '18': 4, 'dont-know': 2 },
  },
  k2: { touch: [['work-visa']], phones: [['tourist-visa'], []] },
  k3: { touch: [[]], phones: [['recruiter'], ['village-head']] },
  k4: { touch: [['yes']], phones: [['yes'], ['only-abroad']] },
  k5: { touch: [['no']], phones: [['from-wages'], ['no']] },
  o3: { touch: [['important']], phones: [['very-important'], ['important']] },
};
const after: Record<string, Answers> = {
  k1: { touch: [['18']], phones: [['18'], ['18']], hands: { '18': 8, '15': 1 } },
  k2: { touch: [['work-visa']], phones: [['work-visa'], ['work-visa']] },
  k3: { touch: [], phones: [['village-head'], ['recruiter']] },
  k4: { touch: [], phones: [['yes'], ['yes']] },
  k5: { touch: [['no']], phones: [['no'], []] },
  o1: { touch: [], phones: [['labour-office'], ['labour-office']] },
  o2: { touch: [], phones: [['talk-with-family'], ['wait']] },
  o3: { touch: [['very-important']], phones: [['very-important'], ['important']] },
  o4: { touch: [['give-time']], phones: [['warm-welcome'], ['warm-welcome']] },
  o5: {
    touch: [['keep-number', 'talk-with-family']],
    phones: [['talk-with-family'], ['keep-number', 'ask-village-office']],
  },
};

function people({ touch, hands }: Answers): number {
  return touch.length + 2 + Object.values(hands ?? {}).reduce((sum, n) => sum + n, 0);
}

/** How many answered, and did not skip. */
function answered(given: Answers): number {
  const skips = [...given.touch, ...given.phones].filter((choices) => choices.length === 0);
  return people(given) - skips.length;
}

/** Of fewer nobody is shown a result. */
const enough = 10;

/** How many chose an option. */
function chose(option: string, { touch, phones, hands }: Answers): number {
  const ballots = [...touch, ...phones].filter((choices) => choices.includes(option));
  return ballots.length + (hands?.[option] ?? 0);
}

test('a whole evening', async () => {
  const kiosk = await hall.kiosk();
  const stage = await hall.screen(kiosk, 'stage');
  const touch = await hall.screen(kiosk, 'touch');
  const facilitator = await hall.screen(kiosk, 'facilitator');
  const phones = [
    await hall.screen(kiosk, 'vote', { name: 'phone 1' }),
    await hall.screen(kiosk, 'vote', { name: 'phone 2' }),
  ] as const;
  const audience = [stage, touch, ...phones];

  /** Presses the one next thing to do, which must be this. */
  const next = async (label: Suggestion['label']) => {
    const ready = `[data-testid=next][data-next=${label}][aria-disabled=false]`;
    await facilitator.page.locator(ready).tap();
  };
  const scene = (name: string) =>
    stage.page.locator(`[data-testid=stage][data-scene=${name}]`).waitFor();

  // ---- set-up ----
  await scene('welcome');
  for (const time of ['new', 'again']) {
    await facilitator.sees('pin-1');
    for (const digit of pin) await facilitator.tap(`pin-${digit}`);
    await facilitator.tap('pin-enter');
    if (time === 'new') await facilitator.page.getByText(says['signin.repeat'] ?? '').waitFor();
  }
  // The phone proposes its time, and a person confirms the date shown. Where nobody vouches for
  // the kiosk's clock it says so first.
  const clock = facilitator.page
    .locator('[data-testid=clock-open], [data-testid=clock-set]')
    .first();
  const unset = (await clock.getAttribute('data-testid')) === 'clock-open';
  await clock.tap();
  if (unset) await facilitator.tap('clock-set');
  await facilitator.tap('clock-yes');
  await facilitator.misses('clock-yes');

  await next('plan');
  await facilitator.at('regency-belu').check({ force: true }); // its label is what one sees
  await facilitator.at('venue').fill('Aula SMAN 1 Atambua');
  await facilitator.tap('audience-students');
  await facilitator.at('label').fill('Kelas XI dan XII');
  await facilitator.tap('save-details');
  await expect.poll(() => stage.everything()).toContain('Aula SMAN 1 Atambua, Belu');

  // ---- doors ----
  await next('open_doors');
  await touch.sees('count-woman');
  for (const who of ['woman', 'man', 'woman', 'woman', 'man']) await touch.tap(`count-${who}`);
  await touch.reads('total', 5);
  await touch.tap('undo'); // a man too many
  await touch.reads('total', 4);
  await stage.reads('count', 4);
  for (const key of ['1', '2', '3', '4', '3', '0']) await stage.page.keyboard.press(key);
  await stage.reads('count', 8);
  await facilitator.reads('total', 8);
  await facilitator.tap('count-boy');
  await facilitator.tap('count-boy');
  await facilitator.reads('total', 10);
  await facilitator.tap('undo');
  await facilitator.reads('total', 9);
  // Counted by hand, corrected, asked.
  await facilitator.tap('fold-rows');
  await facilitator.at('row-name').fill('1');
  await facilitator.at('row-woman').fill('2');
  await facilitator.at('row-man').fill('3');
  await facilitator.tap('save-row');
  await facilitator.reads('total', 14);
  await facilitator.tap('fold-correct');
  await facilitator.tap('correct-woman');
  await facilitator.tap('correct-more');
  await facilitator.at('correct-reason').fill('terlambat dihitung');
  await facilitator.tap('save-correction');
  await facilitator.tap('fold-disability');
  await facilitator.at('disability').fill('2');
  await facilitator.tap('save-disability');
  const counts = { woman: 7, man: 5, girl: 1, boy: 2 };
  await stage.reads('count', 15);
  await touch.reads('total', 15);
  await facilitator.reads('header-total', 15);
  for (const [who, n] of Object.entries(counts)) await touch.reads(`number-${who}`, n);

  // ---- the poll before the film ----
  /** One person's turn at the touch screen. */
  const turn = async (choices: string[], several: boolean) => {
    await touch.misses('thanks');
    if (choices.length === 0) await touch.tap('skip');
    for (const option of choices) await touch.tap(`option-${option}`);
    if (several) await touch.tap('send');
    await touch.sees('thanks');
  };
  const answer = async (phone: Screen, choices: string[], several: boolean) => {
    if (choices.length === 0) await phone.tap('skip');
    for (const option of choices) await phone.tap(`option-${option}`);
    if (several) await phone.tap('send');
    await phone.sees('saved');
  };
  const pressed = (phone: Screen, option: string) =>
    expect.poll(() => phone.at(`option-${option}`).getAttribute('aria-pressed'), {
      message: option,
    });

  await next('to_poll_before');
  await scene('between');
  for (const [question, answers] of Object.entries(before)) {
    await next('open_question');
    await scene('question');
    for (const screen of [touch, ...phones]) await screen.sees('skip');

    if (question === 'k1') {
      // Somebody taps twice, and once more while the screen says thanks.
      await touch.misses('thanks');
      const box = await touch.at('option-15').boundingBox();
      if (!box) throw new Error('no option to tap');
      const place = [box.x + box.width / 2, box.y + box.height / 2] as const;
      await touch.page.touchscreen.tap(...place);
      await touch.page.touchscreen.tap(...place);
      await touch.sees('thanks');
      await touch.page.touchscreen.tap(...place);
      await turn(['18'], false);
      await turn(['18'], false);
      // One changes its mind, several times.
      await answer(phones[0], ['15'], false);
      await pressed(phones[0], '15').toBe('true');
      await answer(phones[0], ['dont-know'], false);
    } else {
      for (const choices of answers.touch) await turn(choices, false);
    }
    for (const n of [0, 1] as const) await answer(phones[n], answers.phones[n], false);
    if (answers.hands) {
      await facilitator.tap('fold-hands');
      for (const [option, n] of Object.entries(answers.hands)) {
        await facilitator.at(`hands-${option}`).fill(`${n}`);
      }
      await facilitator.tap('save-hands');
    }
    await stage.reads('ballots', people(answers));
    await expect.poll(() => touch.words('voted')).toMatch(new RegExp(`^${people(answers)} `));
    await facilitator.reads('ballots', people(answers));

    if (question === 'k3') {
      // A phone that is loaded again is still the same voter.
      await phones[0].page.reload();
      await pressed(phones[0], 'recruiter').toBe('true');
      await phones[0].sees('saved');
    }

    await next('close_question');
    for (const screen of audience) await screen.sees('closed');
    for (const screen of audience) {
      const words = await screen.everything();
      expect(words, `${screen.name} gives nothing away`).not.toContain(says['common.right']);
      expect(words, `${screen.name} gives nothing away`).not.toContain('%');
      for (const place of ['bars', 'revealed', 'explanation']) {
        expect(await screen.at(place).count(), `${place} on ${screen.name}`).toBe(0);
      }
    }
  }
  // Not hidden only from the eye: it is not in what the screens were sent.
  for (const screen of audience) {
    for (const view of screen.views) {
      expect(JSON.parse(view).view.question ?? {}, screen.name).not.toHaveProperty('rounds');
      expect(view).not.toMatch(/"right":|"explanation":/);
    }
  }

  // ---- the film ----
  await next('to_film');
  await stage.page.locator('[data-face=waiting]').waitFor();
  await facilitator.tap('subtitles-id');
  await next('play_film');
  const film = () =>
    stage.at('film').evaluate((video: HTMLVideoElement) => ({
      at: video.currentTime,
      length: video.duration,
      paused: video.paused,
      ended: video.ended,
      muted: video.muted,
      frames: video.getVideoPlaybackQuality().totalVideoFrames,
      subtitles: [...video.textTracks]
        .filter((track) => track.mode === 'showing' && track.language === 'id')
        .reduce((n, track) => n + (track.cues?.length ?? 0), 0),
    }));
  const plays = (seconds: number) =>
    expect.poll(async () => (await film()).at, { message: 'the film' }).toBeGreaterThan(seconds);
  await plays(1);
  const early = await film();
  await plays(5);
  const later = await film();
  expect(later).toMatchObject({ paused: false, muted: false });
  expect(later.frames, 'decoded frames').toBeGreaterThan(early.frames + 24);
  expect(later.subtitles, 'cues').toBeGreaterThan(0);
  await expect.poll(() => facilitator.words('position')).toMatch(/^0:(0[4-9]|1[0-5])/);
  for (const phone of phones)
    await expect.poll(() => phone.everything()).toContain(says['vote.film']);
  expect(await touch.everything()).toContain(says['touch.rest_film']);

  await stage.sees('halted'); // by itself, at 0:15
  const halted = await film();
  expect(halted.paused).toBe(true);
  expect(halted.at).toBeGreaterThanOrEqual(15);
  expect(halted.at).toBeLessThan(16.5);
  await next('play_film');
  await stage.page.locator('[data-face=finished]').waitFor({ timeout: 90_000 });
  const ended = await film();
  expect(ended.ended).toBe(true);
  expect(ended.at).toBeGreaterThan(ended.length - 0.3);
  expect(ended.frames, 'decoded frames of 720').toBeGreaterThan(500);

  // ---- the discussion ----
  /** Counts that one can read on a screen, by option, the oldest shown round first. */
  const bars = (screen: Screen, within = 'body') =>
    screen.page
      .locator(`${within} .bars`)
      .first()
      .evaluate((list) =>
        [...list.querySelectorAll('li')].map((option) =>
          [...option.querySelectorAll('.count')].map((count) => {
            const words = count.textContent ?? '';
            return Number(/\((\d+)\)/.exec(words)?.[1] ?? words.trim());
          }),
        ),
      );
  const expected = (question: string, options: string[]) =>
    options.map((option) =>
      [before[question], after[question]].flatMap((a) =>
        a && answered(a) >= enough ? [chose(option, a)] : [],
      ),
    );
  const optionsOf = (question: string): string[] => {
    const view = stage.views.findLast((v) => JSON.parse(v).view.question?.id === question);
    return JSON.parse(view ?? '').view.question.options.map((o: { id: string }) => o.id);
  };

  await next('to_discussion');
  await scene('between');
  for (const [question, answers] of Object.entries(after)) {
    await next('open_question');
    await touch.sees('skip');
    for (const phone of phones) await phone.sees('skip');
    const several = question === 'o5';
    for (const choices of answers.touch) await turn(choices, several);
    for (const n of [0, 1] as const) await answer(phones[n], answers.phones[n], several);
    if (answers.hands) {
      await facilitator.tap('fold-hands');
      for (const [option, n] of Object.entries(answers.hands)) {
        await facilitator.at(`hands-${option}`).fill(`${n}`);
      }
      await facilitator.tap('save-hands');
    }
    await stage.reads('ballots', people(answers));
    expect(await stage.at('bars').count(), 'hidden until the reveal').toBe(0);

    await next('close_question');
    await stage.sees('closed');
    // The bars come first, without the right answer: the hall can talk and vote again.
    await next('show_results');
    await stage.sees('bars');
    for (const screen of audience) {
      const words = await screen.everything();
      expect(words, `${screen.name} before the reveal`).not.toContain(says['common.right']);
      expect(await screen.at('explanation').count(), screen.name).toBe(0);
    }
    if (question.startsWith('k')) await next('reveal_question');
    // What the talk may turn on is for the facilitator alone.
    await facilitator.sees('talk');
    const prompts = (await facilitator.at('talk').locator('li').allInnerTexts()).filter(Boolean);
    expect(prompts.length, question).toBeGreaterThan(1);
    expect(await stage.everything()).not.toContain(prompts[0]);
    const wanted = expected(question, optionsOf(question));
    for (const screen of audience) {
      await expect
        .poll(() => bars(screen), { message: `${question} on ${screen.name}` })
        .toEqual(wanted);
    }
    for (const screen of [stage, ...phones]) {
      const words = await screen.everything();
      // k1 side by side, with a share and a number of people for each answer; of the others so few
      // answered that nothing is shown, and it is said.
      const both = question in before;
      const few = (says['common.few'] ?? '').replace('{n}', `${enough}`);
      expect(words.includes(few), `few in ${question}`).toBe(question !== 'k1');
      expect(words.includes(says['common.round.before'] ?? ''), question).toBe(both);
      expect(words.includes(says['common.round.after'] ?? ''), question).toBe(both);
      expect(words.includes(says['common.right'] ?? ''), question).toBe(question.startsWith('k'));
      expect(words.includes('%'), `percentages of ${question}`).toBe(question === 'k1');
    }
  }

  // What few people answered was not sent to anybody's screen either.
  for (const screen of [...audience, facilitator]) {
    for (const view of screen.views.map((v) => JSON.parse(v).view)) {
      const question = view.question ?? view.current;
      for (const round of question?.rounds ?? []) {
        if (round.counts) {
          const sum = round.counts.reduce((n: number, c: number) => n + c, 0);
          expect(sum, `${screen.name} ${question.id}`).toBeGreaterThanOrEqual(enough);
        } else {
          expect(Object.keys(round).sort()).toEqual([
            'ballots',
            'fewerThan',
            'n',
            'phase',
            'skipped',
            'step',
          ]);
          expect([round.ballots, round.skipped]).toEqual([0, 0]);
        }
      }
    }
  }

  // ---- closing and end ----
  await next('to_closing');
  await scene('guidebook');
  const noted = (code: string) =>
    expect.poll(() => facilitator.at(`note-${code}`).getAttribute('aria-pressed'), {
      message: code,
    });
  await facilitator.tap('note-rain_on_roof');
  await facilitator.tap('note-split_by_language');
  await facilitator.tap('note-power_failed');
  await facilitator.tap('note-power_failed'); // taken back
  await facilitator.tap('fold-note-away');
  await facilitator.tap('note-women');
  const end = facilitator.at('next').getByRole('button');
  await end.filter({ hasText: says['next.end'] }).tap();
  await end.filter({ hasText: says['facilitator.really_end'] }).tap();
  await scene('thanks');
  await expect.poll(() => stage.everything()).toContain('15 orang');
  for (const phone of phones) await phone.sees('thanks');
  await expect.poll(() => touch.everything()).toContain(says['touch.rest_ended']);

  // What was noted stands after the end, and can be added to.
  await noted('rain_on_roof').toBe('true');
  await noted('power_failed').toBe('false');
  await facilitator.tap('fold-note-why');
  await facilitator.tap('note-field_work');
  await noted('field_work').toBe('true');
  const note = {
    went: ['split_by_language', 'rain_on_roof'], // in the order of the list
    away: ['women'],
    why: ['field_work'],
  };
  for (const screen of audience) {
    const told = screen.views.some((view) => view.includes('rain_on_roof'));
    expect(told, `${screen.name} is told nothing of it`).toBe(false);
  }

  // ---- export and summary ----
  const [download] = await Promise.all([
    facilitator.page.waitForEvent('download'),
    facilitator.tap('export'),
  ]);
  expect(download.suggestedFilename()).toMatch(/^mimpi-kiosk-\d{4}-\d\d-\d\d\.zip$/);
  const archive = join(kiosk.own('export'), 'export.zip');
  await download.saveAs(archive);
  const files = unzip(archive);
  verifySums(files);
  const file = (name: string) => {
    const found = [...files].filter(([path]) => path.endsWith(`/${name}`));
    expect(found, name).toHaveLength(1);
    return found[0]?.[1] ?? Buffer.alloc(0);
  };
  const rows = readCSV(file('attendance.csv'));
  const net = rows.filter((row) => row.category !== '(disability)');
  expect(Object.fromEntries(net.map((row) => [row.category, Number(row.net_count)]))).toEqual(
    counts,
  );
  expect(rows.find((row) => row.category === '(disability)')?.disability).toBe('2');
  expect(new Set(rows.map((row) => row.venue))).toEqual(new Set(['Aula SMAN 1 Atambua']));
  expect(rows[0]).toMatchObject({ kabupaten: 'Belu', kode_bps: '5306', audience: 'students' });
  expect(rows[0]?.kode_kemendagri).toMatch(/^'?53\.04$/);
  // The page for people hides it too, and merges small groups; the tables for machines are whole.
  expect(JSON.parse(file('summary.json').toString()).note).toEqual(note);
  const report = file('report.html').toString();
  expect(report).toContain('Dibagi per bahasa');
  expect(report.match(/kurang dari 10 orang menjawab/g) ?? []).toHaveLength(
    Object.keys(before).length + Object.keys(after).length - 2, // k1 twice
  );
  expect(report).toContain('Kelompok dengan kurang dari 10 orang digabung');
  expect(report.match(/class="value">\d+</g)).toEqual(['class="value">15<']); // all together
  expect(report).not.toMatch(/<b>2<\/b> orang dengan disabilitas/);
  const cast = readCSV(file('ballots.csv'));
  for (const [step, answers] of [
    ['poll_before', before],
    ['discussion', after],
  ] as const) {
    for (const [question, given] of Object.entries(answers)) {
      const mine = cast.filter((row) => row.question === question && row.step === step);
      const sum = mine.reduce((n, row) => n + Number(row.count), 0);
      expect(sum, `${question} ${step} in ballots.csv`).toBe(people(given));
    }
  }

  await facilitator.tap('summary-link');
  await facilitator.sees('result-k1');
  await facilitator.reads('total', 15);
  await facilitator.sees('merged');
  expect(await facilitator.words('note')).toContain('Kerja di kebun atau laut');
  for (const question of Object.keys(after)) {
    const within = `[data-testid=result-${question}]`;
    expect(await bars(facilitator, within), question).toEqual(
      expected(question, optionsOf(question)),
    );
  }
  expect(hall.complaints).toEqual([]);

  // ---- what the journal holds ----
  await kiosk.stopped();
  expect(
    Object.fromEntries(
      kiosk
        .query<{ category: string; net: number }>('SELECT category, net FROM attendance')
        .map((row) => [row.category, row.net]),
    ),
  ).toEqual(counts);
  const results = kiosk.query<{ question: string; round: number; option: string; ballots: number }>(
    'SELECT question, round, option, ballots FROM poll_results',
  );
  for (const { question, round, option, ballots } of results) {
    const answers = round === 1 ? (before[question] ?? after[question]) : after[question];
    if (!answers) throw new Error(`nobody asked ${question} in round ${round}`);
    const skips = [...answers.touch, ...answers.phones].filter((choices) => choices.length === 0);
    const wanted = option === '(skipped)' ? skips.length : chose(option, answers);
    expect(ballots, `${question} ${round} ${option}`).toBe(wanted);
  }
  // Which figure each round belongs to: the film was shown whole, and nothing before its time.
  const phases = kiosk.query<{ question: string; round: number; phase: string }>(
    'SELECT DISTINCT question, round, phase FROM poll_results',
  );
  expect(phases.length).toBe(Object.keys(before).length + Object.keys(after).length);
  for (const { question, round, phase } of phases) {
    expect(phase, `${question} ${round}`).toBe(
      question in before && round === 1 ? 'before' : 'after',
    );
  }
  const events = kiosk.events();
  expect(events.findLast((e) => e.kind === 'EveningNoted')?.data).toEqual(note);
  const touched = events.filter((e) => e.kind === 'BallotCast' && e.data.channel === 'touch');
  expect(touched).toHaveLength(
    [...Object.values(before), ...Object.values(after)].reduce((n, a) => n + a.touch.length, 0),
  );
  const pauses = touched.slice(1).map((e, n) => e.at - (touched[n]?.at ?? 0));
  expect(Math.min(...pauses), 'the thank-you pause, ms').toBeGreaterThanOrEqual(1_500);
  expect(events.filter((e) => e.kind === 'FilmFinished')).toHaveLength(1);
  expect(events.filter((e) => e.kind === 'FilmPaused' && e.data.pausePoint === 0)).toHaveLength(1);
  expect(events.map((e) => e.seq)).toEqual(events.map((_, n) => n + 1));
});
