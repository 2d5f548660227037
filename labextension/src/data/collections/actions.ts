import { messageOf } from '../../api/errors';
import type { DocumentView } from '../../api/types';
import { confirm, confirmByName } from '../../common/ask';
import { notifyError, notifyUndo, withProgress } from '../../common/notify';
import type { IPage } from '../page';
import { nameOf } from './cells';
import type { Json } from './ejson';
import type { CollectionModel } from './model';

/** So long the API keeps what was deleted, less what it takes to get there. */
const UNDO_MS = 58_000;

export async function dropCollection(page: IPage, name: string): Promise<void> {
  const { trans, model } = page;
  const isMeant = await confirmByName({
    trans,
    title: trans.__('Drop %1?', name),
    body: trans.__('All documents and indexes in it go for good. A backup brings them back, nothing else.'),
    name,
    action: trans.__('Drop')
  });
  if (isMeant) {
    await withProgress(
      { during: trans.__('Dropping %1', name), done: () => trans.__('%1 is dropped.', name) },
      trans,
      () => model.dropCollection(name)
    );
  }
}

/** Delete a document as it is seen; for a minute it can be taken back. */
export async function deleteDocument(
  page: IPage,
  collection: CollectionModel,
  document: DocumentView
): Promise<void> {
  const { trans, model } = page;
  try {
    const { undo, note } = await collection.delete(document);
    void model.database.refresh();
    const name = nameOf(document.id as Json, trans);
    if (!undo) {
      notifyError(new Error(note ?? trans.__('%1 was deleted, and cannot come back.', name)), trans);
      return;
    }
    const bringBack = () =>
      void collection
        .undo(undo)
        .then(() => model.database.refresh())
        .catch(error => notifyError(error, trans, bringBack));
    notifyUndo(trans.__('%1 was deleted.', name), trans, bringBack, UNDO_MS);
  } catch (error) {
    collection.refresh();
    notifyError(error, trans);
  }
}

/** Whether what stands in the editor may be given up. */
export async function mayLeave(page: IPage, collection: CollectionModel): Promise<boolean> {
  const { trans } = page;
  return (
    !collection.editor?.isDirty ||
    confirm({
      trans,
      title: trans.__('Leave the document?'),
      body: trans.__('What you changed in it is not saved.'),
      action: trans.__('Leave'),
      warn: true
    })
  );
}

export async function openDocument(page: IPage, collection: CollectionModel, key?: string): Promise<void> {
  if (await mayLeave(page, collection)) {
    try {
      await collection.open(key);
    } catch (error) {
      notifyError(new Error(messageOf(error)), page.trans, () => void openDocument(page, collection, key));
    }
  }
}
