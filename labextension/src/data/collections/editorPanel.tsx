import { Button } from '@jupyterlab/ui-components';
import * as React from 'react';

import { CodeHost, DiffView } from '../../common/codeView';
import { ErrorNotice, Notice } from '../../common/notice';
import { Busy } from '../../common/busy';
import { useSignal } from '../../common/useSignal';
import type { IPage } from '../page';
import { mayLeave } from './actions';
import { nameOf } from './cells';
import type { DocumentEditor, IConflict } from './editing';
import type { Json } from './ejson';

/** One document as JSON, to read and to edit. */
export function EditorPanel(props: { page: IPage; editor: DocumentEditor }): React.ReactElement {
  const { page, editor } = props;
  const { trans, model } = page;
  useSignal(editor.changed);
  const [isSaved, setSaved] = React.useState(false);
  const { collection, seen, conflict } = editor;
  const opener = React.useRef(document.activeElement as HTMLElement | null);
  const name = seen ? nameOf(seen.id as Json, trans) : trans.__('A new document');

  const save = async () => {
    setSaved(false);
    if (await editor.save()) {
      setSaved(true);
      void model.database.refresh();
    }
  };
  const close = async () => {
    if (await mayLeave(page, collection)) {
      collection.close();
      opener.current?.focus();
    }
  };

  return (
    <section
      className={`gf-DocumentEditor ${conflict ? 'gf-mod-conflict' : ''}`}
      aria-label={trans.__('Document %1', name)}
      onKeyDown={event => {
        if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 's') {
          // Else JupyterLab, or the browser, would save something else.
          event.preventDefault();
          event.stopPropagation();
          void save();
        }
      }}
    >
      <header className="gf-DocumentEditor-head">
        <h3 className="gf-Heading">{name}</h3>
        <span role="status" className="gf-Quiet">
          {editor.isDirty ? trans.__('Changed') : isSaved ? trans.__('Saved') : ''}
        </span>
      </header>
      {conflict ? (
        <Conflict page={page} editor={editor} conflict={conflict} />
      ) : (
        <>
          <JsonText
            key={`${name}\0${editor.revision}`}
            page={page}
            editor={editor}
            label={trans.__('Document %1, as JSON', name)}
            onSave={() => void save()}
          />
          <p className="gf-Quiet gf-DocumentEditor-hint">
            {trans.__(
              'Dates, ids and decimals are wrapped, as in {"$date": "2026-01-01T00:00:00Z"}. Ctrl+S saves; Esc, then Tab, leaves the text.'
            )}
          </p>
          {editor.isSaving && <Busy label={trans.__('Saving')} />}
          {editor.error != null && (
            <ErrorNotice
              error={editor.error}
              trans={trans}
              onRetry={() => void save()}
              retryLabel={trans.__('Save again')}
            />
          )}
          <div className="gf-Bar">
            <Button
              className="gf-Action gf-mod-primary"
              disabled={editor.isSaving || (seen !== null && !editor.isDirty)}
              onClick={() => void save()}
            >
              {seen ? trans.__('Save') : trans.__('Insert')}
            </Button>
            <Button className="gf-Action" onClick={() => void close()}>
              {trans.__('Close')}
            </Button>
          </div>
        </>
      )}
    </section>
  );
}

/** The text of a document, to be changed. */
function JsonText(props: {
  page: IPage;
  editor: DocumentEditor;
  label: string;
  onSave: () => void;
}): React.ReactElement {
  const { page, editor, label, onSave } = props;
  const [show] = React.useState(() => async (host: HTMLElement) => {
    const { showJson } = await import('./jsonEditor');
    return showJson(host, editor.text, { label, onChange: text => (editor.text = text), onSave });
  });
  return <CodeHost page={page} show={show} />;
}

/** Somebody else changed it meanwhile: both sides, and what can be done. */
function Conflict(props: { page: IPage; editor: DocumentEditor; conflict: IConflict }): React.ReactElement {
  const { page, editor, conflict } = props;
  const { trans } = page;
  const isGone = conflict.theirs === null;
  return (
    <>
      <Notice kind="warning">
        <p>
          {isGone
            ? trans.__('Somebody else deleted this document since you opened it. Nothing was saved.')
            : trans.__(
                'Somebody else changed this document since you opened it. Nothing was saved. Your changes are shown on top of theirs.'
              )}
        </p>
      </Notice>
      <DiffView
        page={page}
        path="document.json"
        texts={{ old: conflict.theirText, new: conflict.mineText }}
        names={{ old: trans.__('theirs'), new: trans.__('yours') }}
      />
      <div className="gf-Bar">
        <Button className="gf-Action gf-mod-primary" autoFocus onClick={() => void editor.keepMine()}>
          {isGone ? trans.__('Insert mine again') : trans.__('Keep mine')}
        </Button>
        <Button className="gf-Action" onClick={() => editor.takeTheirs()}>
          {isGone ? trans.__('Leave it deleted') : trans.__('Take theirs')}
        </Button>
        <Button className="gf-Action" onClick={() => editor.goOn()}>
          {trans.__('Go on editing')}
        </Button>
      </div>
    </>
  );
}
