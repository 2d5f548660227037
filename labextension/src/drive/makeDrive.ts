import type { JupyterFrontEnd } from '@jupyterlab/application';
import type { IEditorLanguageRegistry } from '@jupyterlab/codemirror';

import type { Client } from '../api/client';
import { data } from '../api/client';
import { AppActions } from '../apps/actions';
import type { AppsModel } from '../apps/model';
import { notifyUndo, withProgress } from '../common/notify';
import type { TranslationBundle } from '../common/translation';
import type { IConflict, Resolution } from './conflict';
import { Deployments } from './deployments';
import { OpenDocuments } from './documents';
import { Drafts } from './draft';
import { AppDrive } from './drive';
import { askForSide } from './merge';
import { Words } from './words';
import { Workspace } from './workspace';

/** What the plugin is made of. */
export interface IParts {
  apps: AppsModel;
  drafts: Drafts;
  drive: AppDrive;
  documents: OpenDocuments;
  deployments: Deployments;
}

/** Make the drive and the models around it, and hand the drive to JupyterLab. */
export function makeDrive(
  app: JupyterFrontEnd,
  client: Client,
  apps: AppsModel,
  languages: IEditorLanguageRegistry | null,
  trans: TranslationBundle
): IParts {
  const words = new Words(trans);
  const actions = new AppActions(apps, trans);
  const drafts = new Drafts(client);
  const workspace = new Workspace(drafts, words, id => apps.get(id)?.view.updated_at);
  const drive = new AppDrive(workspace, words);
  const documents = new OpenDocuments(apps);
  workspace.resolve = oneAtATime(conflict => askForSide(conflict, languages, trans));
  drive.deleteApp = async id => {
    await data(
      client.api.DELETE('/api/apps/{app_id}', {
        params: { path: { app_id: id }, query: { confirm: id } }
      })
    );
    await apps.refresh();
    notifyUndo(trans.__('%1 is deleted', id), trans, () => void actions.restore(id));
  };
  drive.offerUndo = ({ app: id, path }, undo) =>
    notifyUndo(trans.__('%1 of %2 was deleted.', path, id), trans, () => {
      void withProgress({ during: trans.__('Bringing %1 back…', path) }, trans, undo);
    });
  // Without waiting for the event that tells of it, which may be away.
  drive.fileChanged.connect(() => void apps.refresh());
  app.serviceManager.contents.addDrive(drive);
  return { apps, drafts, drive, documents, deployments: new Deployments(apps.deploys) };
}

/** Two saves of one file, by hand and by the clock, are one question. */
function oneAtATime(
  ask: (conflict: IConflict) => Promise<Resolution>
): (conflict: IConflict) => Promise<Resolution> {
  const open = new Set<string>();
  return async conflict => {
    const key = `${conflict.app}/${conflict.path}`;
    if (open.has(key)) {
      return null;
    }
    open.add(key);
    try {
      return await ask(conflict);
    } finally {
      open.delete(key);
    }
  };
}
