import { closeIcon, editIcon, undoIcon } from '@jupyterlab/ui-components';
import * as React from 'react';

import { ago, moment } from '../../common/format';
import { IconButton } from '../../common/iconButton';
import type { IPage } from '../page';
import type { IRow } from './changes';

/** One variable: its value to be edited in place; a secret's to be replaced, never read. */
export function VariableRow(props: { row: IRow; page: IPage; isLocked: boolean }): React.ReactElement {
  const { row, page, isLocked } = props;
  const { trans } = page;
  const { environment } = page.model;
  const { current, name } = row;
  const isMissing = current?.missing === true && row.value === undefined;
  const isNew = current === undefined;
  const isChanged = isNew || row.isRemoved || row.value !== undefined;
  const state = isNew ? 'new' : row.isRemoved ? 'removed' : row.value !== undefined ? 'changed' : 'same';
  return (
    <tr className={`gf-Variable gf-mod-${state} ${isMissing ? 'gf-mod-missing' : ''}`}>
      <th scope="row">
        <code>{name}</code>
        {row.secret && <span className="gf-Tag">{trans.__('secret')}</span>}
        {isMissing && <span className="gf-Tag gf-mod-warning">{trans.__('needs a value')}</span>}
        {isNew && <span className="gf-Tag gf-mod-good">{trans.__('new')}</span>}
        {row.isRemoved && <span className="gf-Tag gf-mod-bad">{trans.__('to be removed')}</span>}
        {current?.overridden && (
          <span
            className="gf-Tag"
            title={trans.__('The live version was deployed with a value of its own (--env).')}
          >
            {trans.__('overridden by the version')}
          </span>
        )}
      </th>
      <td>
        {row.isRemoved ? (
          <span className="gf-Quiet">{row.secret ? '••••••••' : current?.value}</span>
        ) : row.secret ? (
          <SecretValue row={row} page={page} isLocked={isLocked} isMissing={isMissing} />
        ) : (
          <input
            className="jp-mod-styled gf-Input"
            aria-label={trans.__('Value of %1', name)}
            value={row.value ?? current?.value ?? ''}
            spellCheck={false}
            disabled={isLocked}
            onChange={event => environment.set(name, { value: event.target.value, secret: false })}
          />
        )}
      </td>
      <td className="gf-Quiet">
        {current && (
          <span title={trans.__('%1 by %2', moment(current.updated_at), current.updated_by)}>
            {ago(current.updated_at)}
          </span>
        )}
      </td>
      <td className="gf-mod-actions">
        {isChanged && !isNew ? (
          <IconButton
            icon={undoIcon}
            label={trans.__('Leave %1 as it is', name)}
            disabled={isLocked}
            onClick={() => environment.keep(name)}
          />
        ) : (
          <IconButton
            icon={closeIcon}
            label={trans.__('Remove %1', name)}
            disabled={isLocked}
            onClick={() => environment.remove(name)}
          />
        )}
      </td>
    </tr>
  );
}

function SecretValue(props: {
  row: IRow;
  page: IPage;
  isLocked: boolean;
  isMissing: boolean;
}): React.ReactElement {
  const { row, page, isLocked, isMissing } = props;
  const { trans } = page;
  const { environment } = page.model;
  const [isOpen, setOpen] = React.useState(isMissing);
  const isEdited = row.value !== undefined;
  // What was entered is gone once it is saved.
  const wasEdited = React.useRef(isEdited);
  React.useEffect(() => {
    if (wasEdited.current && !isEdited && !isMissing) {
      setOpen(false);
    }
    wasEdited.current = isEdited;
  }, [isEdited, isMissing]);
  if (isOpen || isEdited) {
    return (
      <input
        className="jp-mod-styled gf-Input"
        type="password"
        autoComplete="new-password"
        aria-label={trans.__('New value of the secret %1', row.name)}
        placeholder={trans.__('New value')}
        value={row.value ?? ''}
        autoFocus={!isMissing && !isEdited}
        disabled={isLocked}
        onChange={event =>
          event.target.value
            ? environment.set(row.name, { value: event.target.value, secret: true })
            : environment.keep(row.name)
        }
        onBlur={() => !isEdited && !isMissing && setOpen(false)}
      />
    );
  }
  return (
    <span className="gf-Secret">
      <span aria-label={trans.__('hidden')}>••••••••</span>
      <IconButton
        icon={editIcon}
        label={trans.__('Replace the value of %1', row.name)}
        disabled={isLocked}
        onClick={() => setOpen(true)}
      />
    </span>
  );
}
