// Three rising notes, from where the film's sound will come: mpv's sound device where mpv
// plays the film, else this browser's.

const notes = [523.25, 659.25, 783.99]; // Hz
const each = 0.35; // s

const length = (notes.length * each + 0.2) * 1000; // ms

/** Plays them once; a machine without sound stays silent. */
export async function playTone(): Promise<void> {
  if (await playerPlays()) await new Promise((done) => setTimeout(done, length));
  else await browserPlays();
}

/** Says whether the film's player has begun to play them. */
async function playerPlays(): Promise<boolean> {
  try {
    const answer = await fetch('/api/tone', { method: 'POST' });
    return answer.ok && (await answer.json()).playing === true;
  } catch {
    return false;
  }
}

async function browserPlays(): Promise<void> {
  const audio = new AudioContext();
  try {
    await audio.resume();
    for (const [i, pitch] of notes.entries()) {
      const from = audio.currentTime + i * each;
      const loud = audio.createGain();
      loud.gain.setValueAtTime(0, from);
      loud.gain.linearRampToValueAtTime(0.5, from + 0.03);
      loud.gain.linearRampToValueAtTime(0, from + each);
      const sound = audio.createOscillator();
      sound.frequency.value = pitch;
      sound.connect(loud).connect(audio.destination);
      sound.start(from);
      sound.stop(from + each);
    }
    await new Promise((done) => setTimeout(done, length));
  } finally {
    await audio.close();
  }
}
