// Records one sentence with the microphone of this device. Browsers allow that on the
// kiosk's own screen (localhost); a phone on the kiosk's Wi-Fi has no https and hands over
// a file from its own recorder instead.

const longest = 60_000; // ms

export class Tape {
  /** recording: the microphone is on. forbidden: the browser or the person said no. */
  state = $state<'still' | 'recording' | 'forbidden'>('still');
  /** How loud it is now, 0 to 1: people see that they are heard. */
  loud = $state(0);

  #recorder: MediaRecorder | null = null;
  #limit: ReturnType<typeof setTimeout> | undefined;
  #frame = 0;

  static get possible(): boolean {
    return typeof MediaRecorder !== 'undefined' && !!navigator.mediaDevices?.getUserMedia;
  }

  /** Records until stop. Gives null when there is no microphone or it is forbidden. */
  async record(): Promise<Blob | null> {
    let stream: MediaStream;
    try {
      stream = await navigator.mediaDevices.getUserMedia({ audio: true });
    } catch {
      this.state = 'forbidden';
      return null;
    }
    const recorder = new MediaRecorder(stream);
    this.#recorder = recorder;
    const parts: Blob[] = [];
    const ended = new Promise<void>((done) => {
      recorder.ondataavailable = (event) => parts.push(event.data);
      recorder.onstop = () => done();
      recorder.onerror = () => done();
    });
    const context = this.#meter(stream);
    this.state = 'recording';
    this.#limit = setTimeout(() => this.stop(), longest);
    recorder.start();
    await ended;
    clearTimeout(this.#limit);
    cancelAnimationFrame(this.#frame);
    for (const track of stream.getTracks()) track.stop();
    await context.close();
    this.#recorder = null;
    this.loud = 0;
    this.state = 'still';
    return new Blob(parts, { type: recorder.mimeType });
  }

  stop(): void {
    if (this.#recorder?.state === 'recording') this.#recorder.stop();
  }

  #meter(stream: MediaStream): AudioContext {
    const context = new AudioContext();
    const analyser = context.createAnalyser();
    analyser.fftSize = 512;
    context.createMediaStreamSource(stream).connect(analyser);
    const wave = new Float32Array(analyser.fftSize);
    const look = () => {
      analyser.getFloatTimeDomainData(wave);
      this.loud = Math.min(1, 3 * Math.max(...wave.map(Math.abs)));
      this.#frame = requestAnimationFrame(look);
    };
    look();
    return context;
  }
}
