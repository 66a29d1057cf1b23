import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Session } from './session.svelte';

const nothing = { pinSet: false, signedIn: false, maySetPin: false, lockedSeconds: 0 };
let session: Session;
let answers: (() => Response)[];

beforeEach(() => {
  vi.useFakeTimers();
  answers = [];
  vi.stubGlobal('fetch', async () => {
    const answer = answers.shift();
    if (!answer) throw new TypeError('no network');
    return answer();
  });
  session = new Session();
});
afterEach(() => {
  session.close();
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

const found = (change: object) => () => Response.json({ ...nothing, ...change });

test.each([
  [{ pinSet: true, signedIn: true }, 'in'],
  [{ pinSet: true }, 'pin'],
  [{ maySetPin: true }, 'first'],
  [{}, 'elsewhere'],
])('%o is the face "%s"', async (change, face) => {
  answers.push(found(change));
  await session.look();
  expect(session.face).toBe(face);
});

test('a page that waits for the PIN to be set elsewhere follows by itself', async () => {
  answers.push(found({}), found({ pinSet: true }));
  await session.look();
  await vi.advanceTimersByTimeAsync(3_500);
  expect(session.face).toBe('pin');
});

test('a kiosk out of reach is asked again, and throws nobody out', async () => {
  await session.look();
  expect(session.face).toBe('unreachable');
  answers.push(found({ pinSet: true, signedIn: true }));
  await vi.advanceTimersByTimeAsync(3_500);
  expect(session.face).toBe('in');
  await session.look();
  expect(session.face).toBe('in');
});

test('a wrong PIN too many is counted down to the next try', async () => {
  answers.push(() =>
    Response.json(
      { reason: 'wrong_pin', message: { id: 'PIN salah.', en: 'Wrong PIN.' }, lockedSeconds: 30 },
      { status: 429 },
    ),
  );
  expect(await session.signIn('111222')).toEqual({ id: 'PIN salah.', en: 'Wrong PIN.' });
  expect(session.lockedFor).toBe(30);
  await vi.advanceTimersByTimeAsync(12_000);
  expect(session.lockedFor).toBe(18);
  await vi.advanceTimersByTimeAsync(18_500);
  expect(session.lockedFor).toBe(0);
});

test('the right PIN opens the page', async () => {
  answers.push(() => new Response(null, { status: 204 }));
  expect(await session.signIn('258014')).toBeNull();
  expect(session.face).toBe('in');
});
