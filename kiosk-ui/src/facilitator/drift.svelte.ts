import type { FacilitatorView } from '../lib/protocol';

const tolerable = 2 * 60_000; // ms

/** How far the kiosk's clock is from this device's. */
export class Drift {
  /** ms, positive when the kiosk is ahead. */
  ms = $state(0);
  source = $state<FacilitatorView['clock']['source']>('synced');

  /** To be made while a component is being made. The kiosk's time is true when it arrives. */
  constructor(clock: () => FacilitatorView['clock'] | undefined) {
    $effect.pre(() => {
      const told = clock();
      if (!told) return;
      this.ms = Date.parse(told.now) - Date.now();
      this.source = told.source;
    });
  }

  get far(): boolean {
    return Math.abs(this.ms) > tolerable;
  }

  /** Somebody should look at the clock before the evening goes on. */
  get matters(): boolean {
    return this.far || this.source === 'unset';
  }

  /** What the kiosk's clock shows now. */
  kioskNow(): Date {
    return new Date(Date.now() + this.ms);
  }
}
