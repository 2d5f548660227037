import { DisposableDelegate, IDisposable } from '@lumino/disposable';

/** What has to be known of a page; `document` is one. */
export type Page = Pick<Document, 'visibilityState' | 'addEventListener' | 'removeEventListener'>;

/**
 * Run something while the page is visible: `start` at once and each time the page comes back, its signal aborted each
 * time it is hidden, and when the returned disposable is disposed of.
 */
export function whileVisible(start: (signal: AbortSignal) => void, page: Page = document): IDisposable {
  let running: AbortController | null = null;
  const look = () => {
    if (page.visibilityState === 'visible') {
      if (running === null) {
        running = new AbortController();
        start(running.signal);
      }
    } else {
      running?.abort();
      running = null;
    }
  };
  page.addEventListener('visibilitychange', look);
  look();
  return new DisposableDelegate(() => {
    page.removeEventListener('visibilitychange', look);
    running?.abort();
    running = null;
  });
}
