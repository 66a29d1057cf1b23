// The line breaks while somebody votes or counts: the screen says so, keeps what was pressed,
// sends it when the line is back, and it counts once.
import { expect, test } from 'vitest';
import id from '../lang/id.json';
import { Conductor } from './conductor';
import { Hall, type Screen } from './hall';

const hall = Hall.open();
const says = id as Record<string, string>;

/** Waits until it can be read on the screen. */
async function reads(screen: Screen, words: string | undefined): Promise<void> {
  await expect.poll(() => screen.everything(), { message: screen.name }).toContain(words);
}

async function ballots(conductor: Conductor): Promise<Record<string, number>> {
  const current = (await conductor.view()).current;
  return current ? conductor.kiosk.tally(current.id) : {};
}

const pressed = (screen: Screen, option: string) =>
  expect.poll(() => screen.at(`option-${option}`).getAttribute('aria-pressed'));

test('phones out of reach', async () => {
  const kiosk = await hall.kiosk();
  const conductor = await Conductor.at(hall, kiosk);
  await conductor.ask('k1');
  const wires = [await hall.wire(kiosk), await hall.wire(kiosk), await hall.wire(kiosk)] as const;
  const [broken, dead, walked] = [
    await hall.screen(kiosk, 'vote', { name: 'Wi-Fi broke', address: wires[0].address }),
    await hall.screen(kiosk, 'vote', { name: 'battery empty', address: wires[1].address }),
    await hall.screen(kiosk, 'vote', { name: 'walked away', address: wires[2].address }),
  ];
  const switched = await hall.screen(kiosk, 'vote', { name: 'aeroplane mode' });
  const phones = [broken, dead, walked, switched];
  for (const phone of phones) await phone.sees('option-18');

  wires[0].state = 'cut';
  wires[1].state = 'cut';
  wires[2].state = 'silent'; // nothing tells that phone: it must find out
  await switched.page.context().setOffline(true);
  await reads(broken, says['common.offline']);
  await reads(dead, says['common.offline']);
  for (const phone of phones) await phone.tap('option-18');
  await reads(broken, 'belum terkirim');
  await reads(dead, 'belum terkirim');
  await reads(walked, says['common.offline']);
  expect(await ballots(conductor)).not.toMatchObject({ ballots: 3 });

  // One is closed with its ballot unsent, and opened again later.
  await dead.page.close();

  for (const wire of wires) wire.state = 'whole';
  await switched.page.context().setOffline(false);
  const revived = await hall.screen(kiosk, 'vote', {
    name: 'battery full again',
    address: wires[1].address,
    beside: dead,
  });
  await expect
    .poll(() => ballots(conductor))
    .toEqual({ '15': 0, '18': 4, 'any-age': 0, 'dont-know': 0, skipped: 0, ballots: 4 });
  for (const phone of [broken, revived, walked, switched]) {
    await pressed(phone, '18').toBe('true');
    await expect.poll(() => phone.everything()).not.toContain('belum terkirim');
  }

  // A change made out of reach replaces the ballot; it does not add one.
  wires[0].state = 'cut';
  await reads(broken, says['common.offline']);
  await broken.tap('option-15');
  wires[0].state = 'whole';
  await expect
    .poll(() => ballots(conductor))
    .toEqual({ '15': 1, '18': 3, 'any-age': 0, 'dont-know': 0, skipped: 0, ballots: 4 });

  await kiosk.stopped();
  const cast = kiosk.events().filter(({ kind }) => kind === 'BallotCast');
  expect(cast).toHaveLength(5);
  expect(new Set(cast.map(({ data }) => data.voter)).size).toBe(4);
});

test('the touch screen, with a kiosk that hangs and a line that breaks', async () => {
  const kiosk = await hall.kiosk({ config: '[touch]\nthank_you_pause = "2s"\n' });
  const conductor = await Conductor.at(hall, kiosk);
  await conductor.plan();
  await conductor.do({ do: 'moveTo', step: 'doors' });
  const wire = await hall.wire(kiosk);
  const touch = await hall.screen(kiosk, 'touch', { address: wire.address });
  await touch.sees('count-woman');

  // At the door: presses are kept, and the number grows only when they are saved.
  wire.state = 'cut';
  await reads(touch, says['common.offline']);
  for (const category of ['woman', 'woman', 'girl']) await touch.tap(`count-${category}`);
  await touch.sees('pending');
  await touch.reads('total', 0);
  wire.state = 'whole';
  await touch.reads('total', 3);
  await touch.reads('number-woman', 2);

  // A kiosk that hangs says nothing, and breaks nothing.
  kiosk.signal('SIGSTOP');
  await touch.tap('count-boy');
  await touch.sees('pending');
  kiosk.signal('SIGCONT');
  await touch.reads('total', 4);
  await touch.misses('pending');

  // In a question the next person waits until the ballot of the last one is saved.
  await conductor.ask('k1');
  await touch.sees('option-18');
  kiosk.signal('SIGSTOP');
  await touch.tap('option-18');
  await touch.sees('saving');
  kiosk.signal('SIGCONT');
  await touch.sees('thanks');
  await touch.misses('thanks');
  wire.state = 'cut';
  await reads(touch, says['common.offline']);
  await touch.tap('option-15');
  await touch.sees('saving');
  await reads(touch, says['touch.saving_offline']);
  wire.state = 'whole';
  await touch.sees('thanks');
  await touch.misses('thanks');
  expect(await ballots(conductor)).toMatchObject({ '15': 1, '18': 1, ballots: 2 });

  // A page that is loaded again has not forgotten what it could not send.
  kiosk.signal('SIGSTOP');
  await touch.tap('option-any-age');
  await touch.sees('saving');
  await expect.poll(() => touch.sent.size).toBe(7);
  await kiosk.killed();
  await kiosk.start();
  await touch.page.reload();
  await expect
    .poll(() => ballots(conductor))
    .toMatchObject({ '15': 1, '18': 1, 'any-age': 1, ballots: 3 });
  await kiosk.stopped();
  const ids = [...touch.sent.keys()];
  expect(
    kiosk.events().filter(({ command }) => command !== null && ids.includes(command)),
  ).toHaveLength(7);
});
