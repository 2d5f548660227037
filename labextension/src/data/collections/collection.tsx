import { Button, fileUploadIcon } from '@jupyterlab/ui-components';
import * as React from 'react';

import { Tabs } from '../../common/tabs';
import { useSignal } from '../../common/useSignal';
import { useOpened } from '../forms';
import type { IPage } from '../page';
import { dropCollection, mayLeave } from './actions';
import { DocumentsView } from './documents';
import { ImportForm } from './importForm';
import { IndexesView } from './indexes';
import type { CollectionModel, CollectionTab } from './model';

/** One collection: its documents, its indexes, files in and out. */
export function CollectionView(props: { page: IPage; collection: CollectionModel }): React.ReactElement {
  const { page, collection } = props;
  const { trans, model } = page;
  useSignal(collection.changed);
  const form = useOpened<'import'>();
  const heading = React.useRef<HTMLHeadingElement>(null);
  const view = model.database.value?.collections.find(each => each.name === collection.name);

  // Who came here by keyboard goes on from here.
  React.useEffect(() => heading.current?.focus({ preventScroll: true }), []);

  const back = async () => {
    if (await mayLeave(page, collection)) {
      model.openCollection(null);
    }
  };
  const labels: Record<CollectionTab, string> = {
    documents: trans.__('Documents'),
    indexes: trans.__('Indexes (%1)', view?.indexes?.length ?? 0)
  };
  const View = collection.tab === 'documents' ? DocumentsView : IndexesView;
  return (
    <div className="gf-Collection">
      <div className="gf-Collection-head">
        <nav aria-label={trans.__('Where you are')} className="gf-Crumbs">
          <button type="button" className="gf-Link" onClick={() => void back()}>
            {trans.__('Collections')}
          </button>
          <span aria-hidden="true">/</span>
          <h2 ref={heading} className="gf-Crumbs-here" tabIndex={-1}>
            {collection.name}
          </h2>
        </nav>
        <div className="gf-Bar">
          <Button
            className="gf-Action"
            aria-expanded={form.opened === 'import'}
            onClick={form.open('import')}
          >
            <fileUploadIcon.react tag="span" className="gf-Icon" />
            {trans.__('Import')}
          </Button>
          <Exports page={page} collection={collection} />
          <Button
            className="gf-Action gf-mod-danger"
            aria-label={trans.__('Drop %1', collection.name)}
            onClick={() => void dropCollection(page, collection.name)}
          >
            {trans.__('Drop')}
          </Button>
        </div>
      </div>
      {form.opened === 'import' && (
        <ImportForm
          page={page}
          into={collection.name}
          onDone={() => collection.refresh()}
          onClose={form.close}
        />
      )}
      <Tabs
        label={trans.__('Parts of %1', collection.name)}
        id={`${page.id}-collection`}
        tabs={(['documents', 'indexes'] as const).map(name => ({ name, label: labels[name] }))}
        open={collection.tab}
        onOpen={name => collection.openTab(name)}
      >
        <View page={page} collection={collection} />
      </Tabs>
    </div>
  );
}

/** The documents of the query as a file. The browser downloads it as it comes, however large it is. */
function Exports(props: { page: IPage; collection: CollectionModel }): React.ReactElement {
  const { page, collection } = props;
  const { trans } = page;
  const isAll = !collection.query.filter && !collection.query.fields;
  const title = isAll ? trans.__('All documents') : trans.__('The documents and fields of the query');
  return (
    <>
      {(['jsonl', 'csv'] as const).map(format => (
        <a
          key={format}
          className="gf-Action"
          href={collection.exportUrl(format)}
          download={`${collection.name}.${format}`}
          title={title}
        >
          {format === 'jsonl' ? trans.__('Export JSON lines') : trans.__('Export CSV')}
        </a>
      ))}
    </>
  );
}
