/** For unit tests: what models know of the page they are in. */

/** A page that can be hidden. */
export class PageStub extends EventTarget {
  visibilityState: 'visible' | 'hidden' = 'visible';

  show(visible: boolean): void {
    this.visibilityState = visible ? 'visible' : 'hidden';
    this.dispatchEvent(new Event('visibilitychange'));
  }
}

/** Wait until something holds, for five seconds at most. */
export async function until(holds: () => boolean, what: string): Promise<void> {
  const end = Date.now() + 5000;
  while (!holds()) {
    if (Date.now() > end) {
      throw new Error(`Not within 5 seconds: ${what}`);
    }
    await new Promise(resolve => setTimeout(resolve, 5));
  }
}
