import { addIcon, Button, fileIcon } from '@jupyterlab/ui-components';
import * as React from 'react';

import { Notice } from '../../common/notice';
import { useSignal } from '../../common/useSignal';
import type { IPage } from '../page';
import { Empty } from '../../common/empty';
import { Loaded } from '../../common/loaded';
import { Stages } from '../parts/stages';
import { AddForm } from './add';
import { ImportForm } from './import';
import { VariableRow } from './row';

/** The app's variables and secrets; several are changed at once, with one restart. */
export function EnvironmentView(props: { page: IPage }): React.ReactElement {
  const { page } = props;
  const { trans, model } = page;
  const { environment } = model;
  const { changes, missing, run } = environment;
  const { form } = environment.entered;
  // Who comes back from another tab finds the form as it was, and keeps the focus.
  const [isJustOpened, setJustOpened] = React.useState(false);
  const opener = React.useRef<HTMLDivElement>(null);
  useSignal(environment.changed);
  useSignal(environment.env.changed);
  useSignal(run.changed);

  const open = (form: 'add' | 'import') => {
    setJustOpened(true);
    environment.enter({ form });
  };
  const close = () => {
    environment.closeForm();
    requestAnimationFrame(() => opener.current?.querySelector('button')?.focus());
  };
  const runs = model.entry?.view.state === 'running' || model.entry?.view.state === 'asleep';
  const rows = changes.rows(environment.variables);
  return (
    <div className="gf-Environment">
      {missing.length > 0 && (
        <Notice kind="warning">
          <p>
            {trans._n(
              'The secret %2 came along from another app by its name alone. The app does not get it until you give its value.',
              'These secrets came along from another app by their names alone: %2. The app does not get them until you give their values.',
              missing.length,
              missing.join(', ')
            )}
          </p>
        </Notice>
      )}
      <p className="gf-Quiet">
        {trans.__(
          'Your code reads these as os.environ["NAME"]. The value of a secret is stored encrypted and never shown again, neither here nor in logs and errors.'
        )}
      </p>
      <div className="gf-Bar" ref={opener}>
        <Button className="gf-Action" aria-expanded={form === 'add'} onClick={() => open('add')}>
          <addIcon.react tag="span" className="gf-Icon" />
          {trans.__('Add a variable')}
        </Button>
        <Button className="gf-Action" aria-expanded={form === 'import'} onClick={() => open('import')}>
          <fileIcon.react tag="span" className="gf-Icon" />
          {trans.__('Import a .env file')}
        </Button>
      </div>
      {form === 'add' && <AddForm page={page} autoFocus={isJustOpened} onClose={close} />}
      {form === 'import' && <ImportForm page={page} autoFocus={isJustOpened} onClose={close} />}
      <Loaded resource={environment.env} trans={trans} label={trans.__('Asking for the variables')}>
        {() =>
          rows.length === 0 ? (
            form === null && (
              <Empty title={trans.__('No variables yet')}>
                <p>
                  {trans.__('Add a key of another service, or a setting, without writing it into the code.')}
                </p>
              </Empty>
            )
          ) : (
            <table className="gf-Table gf-Environment-table">
              <thead>
                <tr>
                  <th scope="col">{trans.__('Name')}</th>
                  <th scope="col">{trans.__('Value')}</th>
                  <th scope="col">{trans.__('Changed')}</th>
                  <th scope="col">
                    <span className="gf-hidden">{trans.__('Actions')}</span>
                  </th>
                </tr>
              </thead>
              <tbody>
                {rows.map(row => (
                  <VariableRow key={row.name} row={row} page={page} isLocked={run.isRunning} />
                ))}
              </tbody>
            </table>
          )
        }
      </Loaded>
      {(!changes.isEmpty || run.isRunning) && (
        <div className="gf-Bar gf-mod-sticky" role="group" aria-label={trans.__('Changes')}>
          <span className="gf-Bar-text">
            {trans._n('%1 change', '%1 changes', changes.count)}
            {runs ? `, ${trans.__('with one restart')}` : ''}
          </span>
          <Button
            className="gf-Action gf-mod-primary"
            disabled={run.isRunning}
            onClick={() => void environment.save()}
          >
            {runs ? trans.__('Save and restart') : trans.__('Save')}
          </Button>
          <Button className="gf-Action" disabled={run.isRunning} onClick={() => environment.discard()}>
            {trans.__('Discard')}
          </Button>
        </div>
      )}
      <Stages
        run={run}
        page={page}
        stages={run.end?.stage === 'saved' ? [] : ['start', 'ready', 'live']}
        label={trans.__('Restart with the new values')}
        done={
          run.end?.stage === 'saved'
            ? trans.__('Saved. The app gets the new values when it starts.')
            : trans.__('Saved. The app runs with the new values.')
        }
        consequence={trans.__(
          'The app did not come up with these values. It goes on as it was, and nothing was changed. Mend the values and save again.'
        )}
        onRetry={() => void environment.save()}
      />
    </div>
  );
}
