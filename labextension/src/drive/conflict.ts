import { ApiError } from '../api/errors';

/** Both sides of a save that came too late. */
export interface IConflict {
  app: string;
  path: string;
  /** What went wrong, in the service's words: who saved it, and when. */
  message: string;
  /** Of what is there now; null where the file is not there any more. */
  etag: string | null;
  /** Null: no text. */
  mine: string | null;
  /** Null: no text, or not there any more. */
  theirs: string | null;
}

/** What the person wants of the two sides; null is to decide later: nothing is saved. */
export type Resolution = { kind: 'mine' } | { kind: 'theirs' } | { kind: 'merged'; text: string } | null;

/** Asks the person. */
export type Resolve = (conflict: IConflict) => Promise<Resolution>;

/** The two sides in an error of the API; null where it is another error. */
export function conflictOf(error: unknown, app: string, path: string): IConflict | null {
  if (!(error instanceof ApiError) || error.code !== 'draft_conflict') {
    return null;
  }
  const { etag, files } = error.details as {
    etag?: string | null;
    files?: { path: string; yours: string | null; theirs: string | null }[];
  };
  const sides = files?.find(each => each.path === path);
  return {
    app,
    path,
    message: error.message,
    etag: etag ?? null,
    mine: sides?.yours ?? null,
    theirs: sides?.theirs ?? null
  };
}

/** The person did not decide. JupyterLab knows the name, and shows no error for it. */
export class DecideLaterError extends Error {
  constructor() {
    super('Cancel');
    this.name = 'ModalCancelError';
  }
}
