import { addIcon, Button, deleteIcon } from '@jupyterlab/ui-components';
import * as React from 'react';

import type { IndexView } from '../../api/types';
import { confirm } from '../../common/ask';
import { bytes, seconds } from '../../common/format';
import { Busy } from '../../common/busy';
import { withProgress } from '../../common/notify';
import { CreateForm, useOpened, useSubmit } from '../forms';
import type { IPage } from '../page';
import { keysOf, keysText } from './indexKeys';
import type { CollectionModel } from './model';

/** The indexes of a collection: what they cost, new ones, and the end of one. */
export function IndexesView(props: { page: IPage; collection: CollectionModel }): React.ReactElement {
  const { page, collection } = props;
  const { trans, model } = page;
  const form = useOpened<'create'>();
  const view = model.database.value?.collections.find(each => each.name === collection.name);

  const drop = async (index: IndexView) => {
    const isMeant = await confirm({
      trans,
      title: trans.__('Drop the index %1?', index.name),
      body: trans.__('No document goes. What was found through it takes longer until it is made again.'),
      action: trans.__('Drop'),
      warn: true
    });
    if (isMeant) {
      await withProgress({ during: trans.__('Dropping %1', index.name) }, trans, async () => {
        await collection.dropIndex(index.name);
        await model.database.refresh();
      });
    }
  };

  return (
    <div className="gf-Indexes">
      <div className="gf-Bar">
        <Button className="gf-Action" aria-expanded={form.opened === 'create'} onClick={form.open('create')}>
          <addIcon.react tag="span" className="gf-Icon" />
          {trans.__('New index')}
        </Button>
      </div>
      {form.opened === 'create' && <IndexForm page={page} collection={collection} onClose={form.close} />}
      <div className="gf-Scroll">
        <table className="gf-Table">
          <caption className="gf-hidden">{trans.__('Indexes of %1', collection.name)}</caption>
          <thead>
            <tr>
              <th scope="col">{trans.__('Name')}</th>
              <th scope="col">{trans.__('Fields')}</th>
              <th scope="col">{trans.__('Kind')}</th>
              <th scope="col" className="gf-mod-number">
                {trans.__('Size')}
              </th>
              <th scope="col" className="gf-mod-actions">
                <span className="gf-hidden">{trans.__('Actions')}</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {(view?.indexes ?? []).map(index => (
              <tr key={index.name}>
                <th scope="row">
                  <code>{index.name}</code>
                </th>
                <td>
                  <code>{keysText(index)}</code>
                </td>
                <td>
                  {index.unique && <span className="gf-Tag">{trans.__('unique')}</span>}
                  {index.ttl_seconds != null && (
                    <span className="gf-Tag">{trans.__('goes after %1', seconds(index.ttl_seconds))}</span>
                  )}
                </td>
                <td className="gf-mod-number">{bytes(index.bytes)}</td>
                <td className="gf-mod-actions">
                  {index.name !== '_id_' && (
                    <Button
                      className="jp-mod-minimal gf-IconButton"
                      title={trans.__('Drop')}
                      aria-label={trans.__('Drop %1', index.name)}
                      onClick={() => void drop(index)}
                    >
                      <deleteIcon.react tag="span" />
                    </Button>
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </div>
  );
}

function IndexForm(props: {
  page: IPage;
  collection: CollectionModel;
  onClose: () => void;
}): React.ReactElement {
  const { page, collection, onClose } = props;
  const { trans, model } = page;
  const [fields, setFields] = React.useState('');
  const [isUnique, setUnique] = React.useState(false);
  const [ttl, setTtl] = React.useState('');
  const { submit, isBusy, error } = useSubmit(async () => {
    await collection.createIndex({
      keys: keysOf(fields),
      unique: isUnique,
      sparse: false,
      expire_after_seconds: ttl === '' ? null : Number(ttl)
    });
    await model.database.refresh();
  }, onClose);

  return (
    <CreateForm
      label={trans.__('A new index')}
      trans={trans}
      canCreate={fields.trim() !== '' && !isBusy}
      error={error}
      onSubmit={submit}
      onClose={onClose}
    >
      <label className="gf-Field">
        <span>{trans.__('Fields')}</span>
        <input
          className="jp-mod-styled gf-Input gf-mod-code"
          autoFocus
          spellCheck={false}
          autoComplete="off"
          placeholder="age, -name"
          value={fields}
          onChange={event => setFields(event.target.value)}
        />
        <small>
          {trans.__('With commas between them; - means downwards, and title:text an index for words.')}
        </small>
      </label>
      <label className="gf-Check">
        <input type="checkbox" checked={isUnique} onChange={event => setUnique(event.target.checked)} />
        <span>{trans.__('Unique: no two documents have the same values')}</span>
      </label>
      <label className="gf-Field">
        <span>{trans.__('Documents go by themselves after so many seconds')}</span>
        <input
          className="jp-mod-styled gf-Input"
          type="number"
          min={0}
          step={1}
          value={ttl}
          onChange={event => setTtl(event.target.value)}
        />
        <small>{trans.__('Counted from the date in the field. Leave it empty to keep them.')}</small>
      </label>
      {isBusy && <Busy label={trans.__('Building the index')} />}
    </CreateForm>
  );
}
