import { URLExt } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';
import { ISignal, Signal } from '@lumino/signaling';
import createClient, { type Client as FetchClient } from 'openapi-fetch';

import { ApiError, isAbort, messageOf, OfflineError, ServerMissingError } from './errors';
import { readEvents } from './events';
import type { paths } from './schema';
import { readLines } from './stream';
import type { Event, StageEvent } from './types';

/** The version of this half; the build writes the same one into both. */
import { VERSION } from './version';

/** How the two halves of GoFastAPI get on. */
export type ServerState =
  { kind: 'unknown' } | { kind: 'ok' } | { kind: 'missing' } | { kind: 'other-version'; version: string };

export interface IRequest {
  method?: string;
  /** Sent as JSON, unless it is a `Blob` or a string. */
  body?: unknown;
  headers?: Record<string, string>;
  signal?: AbortSignal;
}

/**
 * The platform's API, through the relay of the Jupyter server.
 *
 * `client.api` has a typed call for every path of the API:
 * `const app = await data(client.api.GET('/api/apps/{app_id}', { params: { path: { app_id } } }))`.
 * Every error is thrown as an `ApiError`.
 */
export class Client {
  constructor(readonly settings: ServerConnection.ISettings = ServerConnection.makeSettings()) {
    this._root = URLExt.join(settings.baseUrl, 'gofastapi');
    this.api = createClient<paths>({
      baseUrl: this._root,
      fetch: async request =>
        this._send(request.url, {
          method: request.method,
          headers: request.headers,
          body: request.body ? await request.arrayBuffer() : null,
          signal: request.signal
        })
    });
  }

  /** A typed call for every path of the API. */
  readonly api: FetchClient<paths>;

  /** How `appUrl` reaches apps: `auto` looks where Jupyter is; a tunnel may make it look nearer than it is. */
  openThrough: 'auto' | 'direct' | 'relay' = 'auto';

  /** How the other half is, as the last answer told. */
  get server(): ServerState {
    return this._server;
  }

  /** Emitted when `server` changes. */
  get serverChanged(): ISignal<this, ServerState> {
    return this._serverChanged;
  }

  /** The address of an API path, as `/api/apps/hello/export`, to download from. */
  url(path: string): string {
    return URLExt.join(this._root, path);
  }

  /**
   * Where a person's browser reaches an app: the app's own address where the browser is on its machine, else the
   * relay's.
   */
  appUrl(app: { id: string; url?: string | null }, path = ''): string {
    const direct =
      this.openThrough === 'direct' ||
      (this.openThrough === 'auto' && isLoopback(new URL(this.settings.baseUrl, location.href).hostname));
    const root = direct && app.url ? app.url : URLExt.join(this._root, 'apps', app.id);
    return `${root.replace(/\/$/, '')}/${path.replace(/^\//, '')}`;
  }

  /** One request to a path of the API, for what has no typed call: bytes, texts, streams. */
  async request(path: string, init: IRequest = {}): Promise<Response> {
    const { body, headers = {}, ...rest } = init;
    const raw = body === undefined || typeof body === 'string' || body instanceof Blob;
    return this._send(this.url(path), {
      ...rest,
      headers: raw ? headers : { 'Content-Type': 'application/json', ...headers },
      body: raw ? ((body as BodyInit | undefined) ?? null) : JSON.stringify(body)
    });
  }

  /** The lines of an answer in JSON lines, each as it comes: stages of a deploy, lines of a log. */
  async *stream<T>(path: string, init: IRequest = {}): AsyncGenerator<T, void, undefined> {
    yield* readLines<T>(await this.request(path, init));
  }

  /** The stages of a deploy, start, restart, restore, rollback or change of the environment. */
  stages(path: string, init: IRequest = {}): AsyncGenerator<StageEvent, void, undefined> {
    return this.stream<StageEvent>(path, { method: 'POST', ...init });
  }

  /** What happens to all apps, or to one; comes back by itself after a break. Ends with `signal`. */
  events(options: {
    app?: string;
    signal: AbortSignal;
    onOpen?: () => void;
  }): AsyncGenerator<Event, void, undefined> {
    const path = options.app ? `/api/apps/${options.app}/events` : '/api/events';
    return readEvents(this, path, options.signal, options.onOpen);
  }

  private async _send(url: string, init: RequestInit): Promise<Response> {
    let response: Response;
    try {
      // `no-cache` rather than Jupyter's `no-store`, which adds a number to the query.
      response = await ServerConnection.makeRequest(url, { cache: 'no-cache', ...init }, this.settings);
    } catch (error) {
      if (isAbort(error) || init.signal?.aborted) {
        throw new DOMException('Aborted', 'AbortError');
      }
      throw new OfflineError(messageOf(error));
    }
    if (response.ok) {
      this._notice(stateOf(response));
      return response;
    }
    const error = await ApiError.from(response);
    this._notice(error instanceof ServerMissingError ? { kind: 'missing' } : stateOf(response));
    throw error;
  }

  private _notice(state: ServerState): void {
    if (state.kind !== 'unknown' && JSON.stringify(state) !== JSON.stringify(this._server)) {
      this._server = state;
      this._serverChanged.emit(state);
    }
  }

  private readonly _root: string;
  private _server: ServerState = { kind: 'unknown' };
  private readonly _serverChanged = new Signal<this, ServerState>(this);
}

/** What a typed call answered. Errors were thrown before. */
export async function data<T>(call: Promise<{ data?: T }>): Promise<T> {
  return (await call).data as T;
}

function stateOf(response: Response): ServerState {
  const version = response.headers.get('X-GoFastAPI-Version');
  // The relay's own errors do not name it.
  if (version === null) {
    return { kind: 'unknown' };
  }
  return version === VERSION ? { kind: 'ok' } : { kind: 'other-version', version };
}

function isLoopback(hostname: string): boolean {
  return /^(localhost|127(\.\d+){3}|\[::1\])$/.test(hostname);
}
