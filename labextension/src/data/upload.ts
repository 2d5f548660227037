import { PageConfig } from '@jupyterlab/coreutils';

import type { Client } from '../api/client';
import { ApiError, OfflineError } from '../api/errors';

export interface IUpload {
  signal: AbortSignal;
  /** How much of the file is sent, as it goes on. */
  onSent: (bytes: number) => void;
  /** Each line of the answer, as it comes. */
  onLine?: (line: string) => void;
}

/**
 * Send a file, and say how far it is: `fetch` cannot. Returns the answer's text.
 *
 * Errors are those of the client; with `signal` it ends as an `AbortError`.
 */
export function upload(client: Client, path: string, file: Blob, options: IUpload): Promise<string> {
  const { signal, onSent, onLine } = options;
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    let read = 0;
    const tellLines = (isWhole: boolean) => {
      const text = request.responseText;
      const end = isWhole ? text.length : text.lastIndexOf('\n') + 1;
      if (request.status === 200 && end > read) {
        const lines = text.slice(read, end).split('\n').filter(Boolean);
        read = end;
        lines.forEach(line => onLine?.(line));
      }
    };
    request.open('POST', client.url(path));
    for (const [name, value] of Object.entries(credentials(client))) {
      request.setRequestHeader(name, value);
    }
    request.setRequestHeader('Content-Type', 'application/octet-stream');
    request.upload.onprogress = event => onSent(event.loaded);
    request.upload.onload = () => onSent(file.size);
    request.onprogress = () => tellLines(false);
    request.onload = () => {
      tellLines(true);
      if (request.status >= 200 && request.status < 300) {
        resolve(request.responseText);
      } else {
        const { status, statusText } = request;
        void ApiError.from(new Response(request.responseText, { status, statusText })).then(reject);
      }
    };
    request.onerror = () => reject(new OfflineError('the connection broke off'));
    request.onabort = () => reject(new DOMException('Aborted', 'AbortError'));
    signal.addEventListener('abort', () => request.abort(), { once: true });
    request.send(file);
  });
}

/** What says who asks, as `ServerConnection` sends it. */
function credentials(client: Client): Record<string, string> {
  const token = client.settings.token || PageConfig.getToken();
  // Of several, the last one is the one the server reads.
  const xsrf = document.cookie
    .split(';')
    .map(part => part.trim())
    .filter(part => part.startsWith('_xsrf='))
    .at(-1)
    ?.slice('_xsrf='.length);
  return {
    ...(token ? { Authorization: `token ${token}` } : {}),
    ...(xsrf ? { 'X-XSRFToken': xsrf } : {})
  };
}
