import { Client, data } from '../../api/client';
import type { ErrorView, ReplayRequest, ReplayView } from '../../api/types';
import { Resource } from '../../common/resource';
import { RefreshedTab } from '../parts/tabModel';

/** These are to change nothing: they are sent again without a question. */
const SAFE_METHODS = new Set(['GET', 'HEAD', 'OPTIONS']);

export type ErrorFilter = 'all' | 'server' | 'client';

/** What went wrong in an app in the last day, the same errors as one. */
export class ErrorsModel extends RefreshedTab {
  constructor(
    readonly app: string,
    readonly client: Client
  ) {
    super();
    const params = { params: { path: { app_id: app } } };
    this.list = new Resource(() => data(client.api.GET('/api/apps/{app_id}/errors', params)));
  }

  readonly list: Resource<ErrorView[]>;

  override refresh(): void {
    void this.list.refresh();
  }

  override onNumbers(): void {
    this.refresh();
  }

  /** Send the error's latest request to what is running now. */
  replay(id: string, request: ReplayRequest): Promise<ReplayView> {
    const params = { path: { error_id: id } };
    return data(this.client.api.POST('/api/errors/{error_id}/replay', { params, body: request }));
  }

  /** Forget all of them. */
  async forget(): Promise<void> {
    await this.client.api.DELETE('/api/apps/{app_id}/errors', { params: { path: { app_id: this.app } } });
    this.list.set([]);
  }
}

/** Whether sending a request again may change something. */
export function mayChangeSomething(method: string): boolean {
  return !SAFE_METHODS.has(method.toUpperCase());
}

export function filtered(errors: ReadonlyArray<ErrorView>, filter: ErrorFilter): ErrorView[] {
  return errors.filter(error => filter === 'all' || error.type === filter);
}

/** `KeyError: 'toast'` */
export function title(error: ErrorView): string {
  const { exception, message } = error;
  if (!exception || message.startsWith(exception)) {
    return message;
  }
  return message ? `${exception}: ${message}` : exception;
}

/** Headers as a person writes them, a line each: `Authorization: Bearer ...`. Throws a sentence for what is none. */
export function parseHeaders(text: string): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const line of text.split('\n').filter(each => each.trim())) {
    const colon = line.indexOf(':');
    if (colon < 1) {
      throw new Error(`"${line.trim()}" is no header. Write it as Name: value.`);
    }
    headers[line.slice(0, colon).trim()] = line.slice(colon + 1).trim();
  }
  return headers;
}
