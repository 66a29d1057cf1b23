// Three rising notes, as the kiosk's own loudspeaker plays them.

const notes = [523.25, 659.25, 783.99]; // Hz
const each = 0.35; // s

/** Plays them once; a browser without sound stays silent. */
export async function playTone(): Promise<void> {
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
    await new Promise((done) => setTimeout(done, (notes.length * each + 0.2) * 1000));
  } finally {
    await audio.close();
  }
}
