import { ReactWidget } from '@jupyterlab/apputils';
import type { IDocumentWidget } from '@jupyterlab/docregistry';
import { historyIcon, launchIcon } from '@jupyterlab/ui-components';
import type { CommandRegistry } from '@lumino/commands';
import { DisposableSet, IDisposable } from '@lumino/disposable';
import * as React from 'react';

import type { AppsModel } from '../apps/model';
import { CommandIDs } from '../commands';
import type { TranslationBundle } from '../common/translation';
import { useSignal } from '../common/useSignal';
import { ActionButton } from './button';
import type { Deployments } from './deployments';
import type { OpenDocument } from './document';
import type { OpenDocuments } from './documents';
import { deployIcon } from './icons';
import { statusOf } from './status';

export interface IModels {
  apps: AppsModel;
  documents: OpenDocuments;
  deployments: Deployments;
}

/** Put the app's state and what to do with it above an editor of one of its files. */
export function addToolbar(
  widget: IDocumentWidget,
  document: OpenDocument,
  models: IModels,
  commands: CommandRegistry,
  trans: TranslationBundle
): IDisposable {
  const run = (id: string, args: { [name: string]: string } = {}) => {
    void commands.execute(id, { app: document.app, ...args });
  };
  const status = ReactWidget.create(<StatusView document={document} models={models} trans={trans} />);
  status.addClass('gf-Status-item');
  const deploy = new ActionButton({
    icon: deployIcon,
    label: trans.__('Deploy'),
    tooltip: trans.__('Save, and bring this app live with its latest code'),
    onClick: () => run(CommandIDs.deployDraft)
  });
  const history = new ActionButton({
    icon: historyIcon,
    label: trans.__('History'),
    tooltip: trans.__('Versions of this app, and what changed between them'),
    onClick: () => run(CommandIDs.openPage, { tab: 'history' })
  });
  const open = new ActionButton({
    icon: launchIcon,
    label: trans.__('Open'),
    tooltip: trans.__('Open this app in the browser'),
    onClick: () => run(CommandIDs.openApp)
  });
  const update = () => {
    deploy.enabled = !models.deployments.get(document.app)?.isRunning;
    open.enabled = models.apps.get(document.app)?.view.version != null;
    history.enabled = open.enabled;
  };
  models.deployments.changed.connect(update);
  models.apps.changed.connect(update);
  update();
  const items = new DisposableSet();
  for (const [name, item] of Object.entries({ status, deploy, history, open })) {
    widget.toolbar.addItem(`gofastapi-${name}`, item);
    items.add(item);
  }
  widget.disposed.connect(() => {
    models.deployments.changed.disconnect(update);
    models.apps.changed.disconnect(update);
  });
  return items;
}

function StatusView(props: {
  document: OpenDocument;
  models: IModels;
  trans: TranslationBundle;
}): React.ReactElement {
  const { document, models, trans } = props;
  useSignal(models.apps.changed);
  useSignal(models.documents.changed);
  useSignal(models.deployments.changed);
  const { kind, text, hint, hasConflict } = statusOf(document, models, trans);
  return (
    <div className="gf-Status">
      <span className={`gf-Status-text gf-mod-${kind}`} role="status" title={hint}>
        <span className="gf-Status-dot" aria-hidden="true" />
        {text}
      </span>
      {hasConflict && (
        <button
          className="jp-Button jp-mod-minimal gf-Status-action"
          onClick={() => void document.context.save().catch(() => undefined)}
        >
          {trans.__('Compare…')}
        </button>
      )}
    </div>
  );
}
