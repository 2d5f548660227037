import type { AppsModel } from '../apps/model';
import type { TranslationBundle } from '../common/translation';
import { type Deployments, isError } from './deployments';
import type { OpenDocument } from './document';
import type { OpenDocuments } from './documents';

/** What the toolbar above an editor says. */
export interface IStatus {
  kind: 'good' | 'unsaved' | 'behind' | 'busy' | 'bad';
  text: string;
  /** More about it, where there is more to say. */
  hint?: string;
  /** Whether there are two sides to look at. */
  hasConflict?: boolean;
}

/** How a document and its app are, most urgent first. */
export function statusOf(
  document: OpenDocument,
  models: { apps: AppsModel; documents: OpenDocuments; deployments: Deployments },
  trans: TranslationBundle
): IStatus {
  const { app } = document;
  const view = models.apps.get(app)?.view;
  const deployment = models.deployments.get(app);
  if (deployment?.isRunning) {
    const over = deployment.stages.at(-1)?.stage;
    return { kind: 'busy', text: trans.__('Deploying…'), hint: over && trans.__('Done: %1', over) };
  }
  if (models.apps.isReady && !view) {
    return {
      kind: 'bad',
      text: trans.__('App deleted'),
      hint: trans.__('There is no app "%1" any more.', app)
    };
  }
  if (document.standing === 'deleted') {
    const hint = trans.__(
      'Somebody deleted this file. Your text is still here: save it to have the file again.'
    );
    return { kind: 'bad', text: trans.__('Deleted elsewhere'), hint };
  }
  if (document.standing === 'changed') {
    const hint = trans.__('Somebody saved this file while you were changing it. Nothing is overwritten.');
    return { kind: 'bad', text: trans.__('Changed elsewhere'), hint, hasConflict: true };
  }
  if (models.documents.isDirty(app)) {
    return { kind: 'unsaved', text: trans.__('Unsaved changes') };
  }
  const problems = models.deployments.diagnostics(app).filter(isError);
  if (deployment?.end?.stage === 'failed' && problems.length > 0) {
    return { kind: 'bad', text: trans.__('Deploy failed'), hint: problems[0]!.message };
  }
  if (!view) {
    return { kind: 'busy', text: trans.__('Looking…') };
  }
  if (view.code_state === 'up_to_date') {
    return {
      kind: 'good',
      text: trans.__('Up to date'),
      hint: trans.__('Version %1 is this code.', view.version)
    };
  }
  return view.version === null
    ? { kind: 'behind', text: trans.__('Not deployed yet') }
    : {
        kind: 'behind',
        text: trans.__('Changes not deployed'),
        hint: trans.__('Version %1 is live, without the changes that were saved since.', view.version)
      };
}
