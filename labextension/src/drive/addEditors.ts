import type { JupyterFrontEnd } from '@jupyterlab/application';
import type { CodeMirrorEditor } from '@jupyterlab/codemirror';
import type { DocumentRegistry, IDocumentWidget } from '@jupyterlab/docregistry';
import { FileEditor } from '@jupyterlab/fileeditor';
import { DisposableSet, IDisposable } from '@lumino/disposable';

import type { TranslationBundle } from '../common/translation';
import { OpenDocument } from './document';
import type { IParts } from './makeDrive';
import { Marks } from './marks';
import { appOf } from './paths';
import { addToolbar } from './toolbar';

/** What JupyterLab edits and saves documents with. */
const FACTORIES = ['Editor', 'Notebook'];

/** Follow the documents of the drive; put the toolbar and the marks of failed deploys into their editors. */
export function addEditors(app: JupyterFrontEnd, parts: IParts, trans: TranslationBundle): void {
  const open = new Map<DocumentRegistry.Context, OpenDocument>();
  const extension: DocumentRegistry.WidgetExtension = {
    createNew(widget: IDocumentWidget, context: DocumentRegistry.Context): IDisposable {
      const added = new DisposableSet();
      if (appOf(context.path) === null) {
        return added;
      }
      let document = open.get(context);
      if (!document) {
        document = new OpenDocument(context, parts.drive, parts.drafts);
        open.set(context, document);
        context.disposed.connect(() => void open.delete(context));
        parts.documents.add(document);
      }
      added.add(addToolbar(widget, document, parts, app.commands, trans));
      if (widget.content instanceof FileEditor) {
        addMarks(widget.content, document, parts);
      }
      return added;
    }
  };
  FACTORIES.forEach(factory => app.docRegistry.addWidgetExtension(factory, extension));
}

function addMarks(editor: FileEditor, document: OpenDocument, { deployments }: IParts): void {
  const marks = new Marks((editor.editor as CodeMirrorEditor).editor, gone =>
    deployments.drop(document.app, gone)
  );
  const show = () => {
    if (!editor.isDisposed && document.context.isReady) {
      marks.show(deployments.diagnostics(document.app).filter(each => each.file === document.path));
    }
  };
  deployments.changed.connect(show);
  editor.disposed.connect(() => void deployments.changed.disconnect(show));
  void document.context.ready.then(show);
}
