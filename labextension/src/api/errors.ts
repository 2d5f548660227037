/** What may go wrong between a view and the service, in the words the service found for it. */

/** An error answer of the API or of the relay. */
export class ApiError extends Error {
  constructor(
    message: string,
    /** What kind of error: `not_found`, `conflict`, ... */
    readonly code: string,
    readonly status: number,
    readonly details: Readonly<Record<string, unknown>> = {},
    /** Names the request in the service's log. */
    readonly requestId: string | null = null
  ) {
    super(message);
    this.name = 'ApiError';
  }

  /** Read the error out of an answer. Never throws. */
  static async from(response: Response): Promise<ApiError> {
    let body: unknown;
    try {
      body = await response.json();
    } catch {
      body = null;
    }
    if (isErrorBody(body)) {
      return new ApiError(
        body.message,
        body.code,
        response.status,
        body.details ?? {},
        body.request_id ?? null
      );
    }
    if (response.status === 404) {
      return new ServerMissingError();
    }
    const said = isRecord(body) && typeof body.message === 'string' ? body.message : response.statusText;
    return new ApiError(said || `The server answered ${response.status}.`, 'http', response.status);
  }
}

/** The Jupyter server does not know GoFastAPI: its half of the extension is not installed or not enabled. */
export class ServerMissingError extends ApiError {
  constructor() {
    super(
      'This Jupyter server does not have GoFastAPI. Install it there (pip install "gofastapi[lab]") and restart the server.',
      'server_missing',
      404
    );
    this.name = 'ServerMissingError';
  }
}

/** The Jupyter server did not answer at all. */
export class OfflineError extends ApiError {
  constructor(reason: string) {
    super('The Jupyter server does not answer. Is it running?', 'offline', 0, { reason });
    this.name = 'OfflineError';
  }
}

/** Whether somebody gave up waiting; nothing to tell anybody. */
export function isAbort(error: unknown): boolean {
  return error instanceof DOMException && error.name === 'AbortError';
}

/** The sentence to show for anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

interface IErrorBody {
  message: string;
  code: string;
  details?: Record<string, unknown>;
  request_id?: string | null;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function isErrorBody(value: unknown): value is IErrorBody {
  return isRecord(value) && typeof value.message === 'string' && typeof value.code === 'string';
}
