import type { Client } from './client';
import { ApiError, isAbort, OfflineError } from './errors';
import { lines } from './stream';
import type { Event } from './types';

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 15_000;

/**
 * Server-sent events by `fetch`, because `EventSource` sends no Authorization header.
 *
 * Comes back after a break with the id of the last event, so none is missed. Ends when `signal` aborts; throws only
 * what will not get better by waiting.
 */
export async function* readEvents(
  client: Client,
  path: string,
  signal: AbortSignal,
  onOpen?: () => void
): AsyncGenerator<Event, void, undefined> {
  let last: number | null = null;
  let pause = FIRST_PAUSE_MS;
  while (!signal.aborted) {
    try {
      const headers: Record<string, string> = { Accept: 'text/event-stream' };
      if (last !== null) {
        headers['Last-Event-ID'] = String(last);
      }
      const response = await client.request(path, { headers, signal });
      onOpen?.();
      pause = FIRST_PAUSE_MS;
      for await (const line of lines(response)) {
        if (line.startsWith('data: ')) {
          const event = JSON.parse(line.slice('data: '.length)) as Event;
          last = event.id;
          yield event;
        }
      }
    } catch (error) {
      if (isAbort(error) || signal.aborted) {
        return;
      }
      if (error instanceof ApiError && !(error instanceof OfflineError) && error.status < 500) {
        throw error;
      }
    }
    await sleep(pause, signal);
    pause = Math.min(pause * 2, LONGEST_PAUSE_MS);
  }
}

function sleep(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    if (signal.aborted) {
      return resolve();
    }
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener('abort', () => (clearTimeout(timer), resolve()), { once: true });
  });
}
