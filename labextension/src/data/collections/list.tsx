import {
  addIcon,
  Button,
  caretDownIcon,
  caretUpIcon,
  deleteIcon,
  fileUploadIcon
} from '@jupyterlab/ui-components';
import * as React from 'react';

import type { CollectionView, DatabaseView } from '../../api/types';
import { Empty } from '../../common/empty';
import { bytes, percent } from '../../common/format';
import type { TranslationBundle } from '../../common/translation';
import { useOpened } from '../forms';
import type { IPage } from '../page';
import { dropCollection } from './actions';
import { CollectionForm } from './create';
import { ImportForm } from './importForm';

const COLUMNS = ['name', 'documents', 'bytes', 'average_bytes', 'indexes'] as const;
type Column = (typeof COLUMNS)[number];

/** All collections of the database: how large they are, and the way into each. */
export function CollectionList(props: { page: IPage }): React.ReactElement {
  const { page } = props;
  const { trans, model } = page;
  const view = model.database.value as DatabaseView;
  const { opened, open, close } = useOpened<'create' | 'import'>(model.transfer.isRunning ? 'import' : null);

  return (
    <div className="gf-Collections">
      <div className="gf-Bar">
        <Button className="gf-Action" aria-expanded={opened === 'create'} onClick={open('create')}>
          <addIcon.react tag="span" className="gf-Icon" />
          {trans.__('New collection')}
        </Button>
        <Button className="gf-Action" aria-expanded={opened === 'import'} onClick={open('import')}>
          <fileUploadIcon.react tag="span" className="gf-Icon" />
          {trans.__('Import a file')}
        </Button>
      </div>
      {opened === 'create' && <CollectionForm page={page} onClose={close} />}
      {opened === 'import' && <ImportForm page={page} onClose={close} />}
      {view.collections.length === 0 ? (
        <Empty title={trans.__('No collections yet')}>
          <p>
            {trans.__(
              'An app that inserts a document makes its collection. You can also make one here, or import a file.'
            )}
          </p>
        </Empty>
      ) : (
        <CollectionTable page={page} view={view} />
      )}
    </div>
  );
}

function CollectionTable(props: { page: IPage; view: DatabaseView }): React.ReactElement {
  const { page, view } = props;
  const { trans, model } = page;
  const [sort, setSort] = React.useState<{ column: Column; isUp: boolean }>({ column: 'name', isUp: true });
  const rows = sorted(view.collections, sort.column, sort.isUp);
  // The share of all: which of them takes the room.
  const total = view.collections.reduce((sum, each) => sum + sizeOf(each), 0);
  return (
    <div className="gf-Scroll">
      <table className="gf-Table gf-Collections-table">
        <caption className="gf-hidden">{trans.__('Collections of %1', view.name)}</caption>
        <thead>
          <tr>
            {COLUMNS.map(column => (
              <th
                key={column}
                scope="col"
                className={column === 'name' ? '' : 'gf-mod-number'}
                aria-sort={sort.column === column ? (sort.isUp ? 'ascending' : 'descending') : undefined}
              >
                <button
                  type="button"
                  className="gf-Table-sort"
                  onClick={() =>
                    setSort({
                      column,
                      // Of figures, people look for the largest first.
                      isUp: sort.column === column ? !sort.isUp : column === 'name'
                    })
                  }
                >
                  {columnWord(column, trans)}
                  {sort.column === column &&
                    (sort.isUp ? (
                      <caretUpIcon.react tag="span" className="gf-Table-caret" />
                    ) : (
                      <caretDownIcon.react tag="span" className="gf-Table-caret" />
                    ))}
                </button>
              </th>
            ))}
            <th scope="col" className="gf-mod-actions">
              <span className="gf-hidden">{trans.__('Actions')}</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.map(each => (
            <tr key={each.name}>
              <th scope="row">
                <button
                  type="button"
                  className="gf-Link gf-Collections-name"
                  onClick={() => model.openCollection(each.name)}
                >
                  {each.name}
                </button>
                {each.kind !== 'collection' && <span className="gf-Tag">{kindWord(each.kind, trans)}</span>}
              </th>
              <td className="gf-mod-number">{each.documents.toLocaleString()}</td>
              <td className="gf-mod-number gf-Collections-size">
                <span>{bytes(each.bytes)}</span>
                <span
                  className="gf-Share"
                  title={trans.__('%1 of all, with indexes', percent(sizeOf(each), total))}
                >
                  <span style={{ width: `${total > 0 ? (100 * sizeOf(each)) / total : 0}%` }} />
                </span>
              </td>
              <td className="gf-mod-number">
                {each.average_bytes == null ? '–' : bytes(each.average_bytes)}
              </td>
              <td className="gf-mod-number">
                {each.indexes?.length ?? 0} <span className="gf-Quiet">{bytes(indexBytes(each))}</span>
              </td>
              <td className="gf-mod-actions">
                <Button
                  className="jp-mod-minimal gf-IconButton"
                  title={trans.__('Drop')}
                  aria-label={trans.__('Drop %1', each.name)}
                  onClick={() => void dropCollection(page, each.name)}
                >
                  <deleteIcon.react tag="span" />
                </Button>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

export function sorted(
  collections: ReadonlyArray<CollectionView>,
  column: Column,
  isUp: boolean
): CollectionView[] {
  const value = (each: CollectionView) => (column === 'indexes' ? indexBytes(each) : (each[column] ?? 0));
  const compare = (one: CollectionView, other: CollectionView) =>
    column === 'name' ? one.name.localeCompare(other.name) : Number(value(one)) - Number(value(other));
  return [...collections].sort((one, other) => (isUp ? compare(one, other) : compare(other, one)));
}

function indexBytes(collection: CollectionView): number {
  return (collection.indexes ?? []).reduce((sum, index) => sum + index.bytes, 0);
}

/** What of it counts against the limit. */
function sizeOf(collection: CollectionView): number {
  return collection.bytes + indexBytes(collection);
}

function columnWord(column: Column, trans: TranslationBundle): string {
  return {
    name: trans.__('Collection'),
    documents: trans.__('Documents'),
    bytes: trans.__('Size'),
    average_bytes: trans.__('Average'),
    indexes: trans.__('Indexes')
  }[column];
}

function kindWord(kind: string, trans: TranslationBundle): string {
  return kind === 'view' ? trans.__('view') : trans.__('time series');
}
