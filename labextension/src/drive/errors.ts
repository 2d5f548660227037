import { ServerConnection } from '@jupyterlab/services';

import { ApiError, isAbort, messageOf, ServerMissingError } from '../api/errors';

/** The error in the form JupyterLab's file browser and documents read: with a response that has a status. */
export function asJupyterError(error: unknown): Error {
  if (
    error instanceof ServerConnection.ResponseError ||
    isAbort(error) ||
    (error instanceof Error && error.name.startsWith('Modal'))
  ) {
    return error as Error;
  }
  // That nobody answers is no folder that is not there: JupyterLab would ask about that one, in a dialog.
  const isAnswer = error instanceof ApiError && error.status >= 400 && !(error instanceof ServerMissingError);
  const status = isAnswer ? error.status : 503;
  const told = new ServerConnection.ResponseError(new Response(null, { status }), messageOf(error));
  // What a dialog shows is the sentence, not where in our code it came from.
  told.traceback = '';
  return told;
}

export function refuse(message: string, status = 400): never {
  throw new ApiError(message, 'refused', status);
}
