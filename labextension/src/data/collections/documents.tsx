import {
  addIcon,
  Button,
  caretLeftIcon,
  caretRightIcon,
  deleteIcon,
  refreshIcon
} from '@jupyterlab/ui-components';
import * as React from 'react';

import type { DocumentPage, DocumentView } from '../../api/types';
import { Busy } from '../../common/busy';
import { Empty } from '../../common/empty';
import { ErrorNotice } from '../../common/notice';
import { useSignal } from '../../common/useSignal';
import type { IPage } from '../page';
import { deleteDocument, openDocument } from './actions';
import { cell, columns, nameOf } from './cells';
import { EditorPanel } from './editorPanel';
import type { Json, JsonObject } from './ejson';
import { ExplanationView } from './explanation';
import type { CollectionModel } from './model';
import { isAboutQuery, QueryBar } from './queryBar';

/** The documents of a collection: what to look for, one page of them, and one that is open. */
export function DocumentsView(props: { page: IPage; collection: CollectionModel }): React.ReactElement {
  const { page, collection } = props;
  const { trans } = page;
  const { page: documents, explanation, editor } = collection;
  useSignal(documents.changed);
  const { value, error } = documents;
  const [isReading, setReading] = React.useState(false);
  const refresh = async () => {
    setReading(true);
    await documents.refresh();
    setReading(false);
  };
  return (
    <div className="gf-Documents">
      <QueryBar page={page} collection={collection} />
      {explanation && <ExplanationView page={page} collection={collection} explanation={explanation} />}
      <div className={`gf-Documents-columns ${editor ? 'gf-mod-editing' : ''}`}>
        <div className="gf-Documents-list">
          <div className="gf-Bar">
            <Button className="gf-Action" onClick={() => void openDocument(page, collection)}>
              <addIcon.react tag="span" className="gf-Icon" />
              {trans.__('Insert')}
            </Button>
            <Button className="gf-Action" onClick={() => void refresh()}>
              <refreshIcon.react tag="span" className="gf-Icon" />
              {trans.__('Refresh')}
            </Button>
            <Pager page={page} collection={collection} />
          </div>
          {isReading && value && <Busy label={trans.__('Reading documents')} />}
          {error != null && !isAboutQuery(error) && (
            <ErrorNotice error={error} trans={trans} onRetry={() => collection.refresh()} />
          )}
          {value ? (
            <DocumentTable page={page} collection={collection} value={value} />
          ) : (
            error == null && <Busy label={trans.__('Reading documents')} />
          )}
        </div>
        {editor && <EditorPanel key={editor.id} page={page} editor={editor} />}
      </div>
    </div>
  );
}

/** Where one is among the pages. Pages go on after a document, so there is a next one and the one before. */
function Pager(props: { page: IPage; collection: CollectionModel }): React.ReactElement {
  const { page, collection } = props;
  const { trans } = page;
  const { value } = collection.page;
  const shown = value?.documents.length ?? 0;
  const documents = trans._n('%1 document', '%1 documents', shown);
  const isOnlyPage = collection.pageNumber === 1 && !collection.hasNext;
  return (
    <>
      <span className="gf-Bar-text gf-Pager-text" role="status">
        {value &&
          (isOnlyPage
            ? documents
            : value.count_estimate != null
              ? trans.__(
                  'Page %1: %2 of about %3',
                  collection.pageNumber,
                  shown,
                  value.count_estimate.toLocaleString()
                )
              : trans.__('Page %1: %2', collection.pageNumber, documents))}
      </span>
      {!isOnlyPage && value && (
        <>
          <Button
            className="gf-Action gf-mod-small"
            disabled={collection.pageNumber === 1}
            onClick={() => collection.previous()}
          >
            <caretLeftIcon.react tag="span" className="gf-Icon" />
            {trans.__('Previous')}
          </Button>
          <Button
            className="gf-Action gf-mod-small"
            disabled={!collection.hasNext}
            onClick={() => collection.next()}
          >
            {trans.__('Next')}
            <caretRightIcon.react tag="span" className="gf-Icon" />
          </Button>
        </>
      )}
    </>
  );
}

function DocumentTable(props: {
  page: IPage;
  collection: CollectionModel;
  value: DocumentPage;
}): React.ReactElement {
  const { page, collection, value } = props;
  const { trans } = page;
  if (value.documents.length === 0) {
    return collection.query.filter ? (
      <Empty title={trans.__('No document matches')}>
        <p>{trans.__('Names and texts are compared as they are, with capitals and types: 1 is not "1".')}</p>
      </Empty>
    ) : (
      <Empty title={trans.__('No documents yet')} />
    );
  }
  const { names, left } = columns(value.documents.map(each => each.document as JsonObject));
  return (
    <div
      className="gf-Scroll gf-Documents-scroll"
      tabIndex={0}
      role="region"
      aria-label={trans.__('Documents')}
    >
      <table className="gf-Table gf-Documents-table">
        <caption className="gf-hidden">
          {trans.__('Documents of %1, page %2', collection.name, collection.pageNumber)}
        </caption>
        <thead>
          <tr>
            {names.map(name => (
              <th key={name} scope="col">
                {name}
              </th>
            ))}
            {left > 0 && <th scope="col">{trans._n('%1 more field', '%1 more fields', left)}</th>}
            <th scope="col" className="gf-mod-actions">
              <span className="gf-hidden">{trans.__('Actions')}</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {value.documents.map(each => (
            <Row
              key={each.key}
              page={page}
              collection={collection}
              document={each}
              names={names.slice(1)}
              hasMore={left > 0}
            />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Row(props: {
  page: IPage;
  collection: CollectionModel;
  document: DocumentView;
  names: ReadonlyArray<string>;
  hasMore: boolean;
}): React.ReactElement {
  const { page, collection, document, names, hasMore } = props;
  const { trans } = page;
  const fields = document.document as JsonObject;
  const name = nameOf(document.id as Json, trans);
  const isOpen = collection.editor?.seen?.key === document.key;
  return (
    <tr className={isOpen ? 'gf-mod-open' : ''}>
      <th scope="row">
        <button
          type="button"
          className="gf-Link gf-Documents-id"
          aria-label={trans.__('Open %1', name)}
          aria-current={isOpen || undefined}
          onClick={() => void openDocument(page, collection, document.key)}
        >
          {name}
        </button>
      </th>
      {names.map(each => {
        if (!Object.hasOwn(fields, each)) {
          return <td key={each} />;
        }
        const { text, kind } = cell(fields[each], trans);
        return (
          <td key={each} className={`gf-Value gf-mod-${kind}`} title={text.length > 40 ? text : undefined}>
            {text}
          </td>
        );
      })}
      {hasMore && <td />}
      <td className="gf-mod-actions">
        <Button
          className="jp-mod-minimal gf-IconButton"
          title={trans.__('Delete')}
          aria-label={trans.__('Delete %1', name)}
          onClick={() => void deleteDocument(page, collection, document)}
        >
          <deleteIcon.react tag="span" />
        </Button>
      </td>
    </tr>
  );
}
