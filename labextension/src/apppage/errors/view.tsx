import { Button, clearIcon } from '@jupyterlab/ui-components';
import * as React from 'react';

import type { ErrorView } from '../../api/types';
import { confirm } from '../../common/ask';
import { ago, moment } from '../../common/format';
import { withProgress } from '../../common/notify';
import type { IPage } from '../page';
import { Empty } from '../../common/empty';
import { Place, Traceback } from '../parts/findings';
import { Loaded } from '../../common/loaded';
import { ErrorFilter, filtered, title } from './model';
import { Replay } from './replay';

/** What went wrong in the last day, the same errors as one: where, with which request, and whether it still does. */
export function ErrorsView(props: { page: IPage }): React.ReactElement {
  const { page } = props;
  const { trans, model } = page;
  const [filter, setFilter] = React.useState<ErrorFilter>('all');
  const filters: [ErrorFilter, string][] = [
    ['all', trans.__('All')],
    ['server', trans.__('Server errors')],
    ['client', trans.__('Client errors')]
  ];
  return (
    <div className="gf-Errors">
      <Loaded resource={model.errors.list} trans={trans} label={trans.__('Asking for the errors')}>
        {errors =>
          errors.length === 0 ? (
            <Empty title={trans.__('Nothing went wrong in the last 24 hours')}>
              <p>
                {trans.__(
                  'Exceptions and answers from 400 on appear here, with their line and their request.'
                )}
              </p>
            </Empty>
          ) : (
            <>
              <div className="gf-Bar" role="toolbar" aria-label={trans.__('Errors')}>
                <select
                  className="jp-mod-styled gf-Select"
                  aria-label={trans.__('Which errors')}
                  value={filter}
                  onChange={event => setFilter(event.target.value as ErrorFilter)}
                >
                  {filters.map(([name, label]) => (
                    <option key={name} value={name}>
                      {`${label} (${filtered(errors, name).length})`}
                    </option>
                  ))}
                </select>
                <Button className="gf-Action" onClick={() => void forget(page)}>
                  <clearIcon.react tag="span" className="gf-Icon" />
                  {trans.__('Forget all')}
                </Button>
              </div>
              <ul className="gf-Errors-list">
                {filtered(errors, filter).map(error => (
                  <li key={error.id}>
                    <ErrorItem error={error} page={page} />
                  </li>
                ))}
              </ul>
            </>
          )
        }
      </Loaded>
    </div>
  );
}

function ErrorItem(props: { error: ErrorView; page: IPage }): React.ReactElement {
  const { error, page } = props;
  const { trans } = page;
  const [isOpen, setOpen] = React.useState(false);
  return (
    <details
      className={`gf-Error gf-mod-${error.type}`}
      onToggle={event => setOpen(event.currentTarget.open)}
    >
      <summary className="gf-Error-summary">
        <span className="gf-Error-title">{title(error)}</span>
        <span className="gf-Error-facts">
          <span className="gf-Method">{error.method}</span> <code>{error.route}</code>
          <span className="gf-Tag">{error.status}</span>
          <span>{trans._n('once', '%1 times', error.count)}</span>
          <span title={moment(error.last_at)}>{ago(error.last_at)}</span>
          <span>{trans.__('v%1', error.version)}</span>
        </span>
      </summary>
      {/* Tracebacks may be long: only those that are looked at are in the page. */}
      {isOpen && (
        <div className="gf-Error-body">
          {error.diagnostic && <Place diagnostic={error.diagnostic} page={page} />}
          {error.diagnostic?.hint && <p>{error.diagnostic.hint}</p>}
          {error.diagnostic?.traceback && (
            <Traceback text={error.diagnostic.traceback} label={trans.__('Traceback')} />
          )}
          <Request error={error} page={page} />
          <Replay error={error} page={page} />
        </div>
      )}
    </details>
  );
}

function Request(props: { error: ErrorView; page: IPage }): React.ReactElement {
  const { request } = props.error;
  const { trans } = props.page;
  const headers = Object.entries(request.headers ?? {}).map(([name, value]) => `${name}: ${value}`);
  const body = request.body == null ? [] : ['', request.body_is_base64 ? trans.__('(binary)') : request.body];
  return (
    <section>
      <h3 className="gf-Heading gf-mod-small">{trans.__('Latest request')}</h3>
      <Traceback
        text={[`${request.method} ${request.path}`, ...headers, ...body].join('\n')}
        label={trans.__('Latest request')}
      />
      {!request.is_whole && (
        <p className="gf-Quiet">
          {trans.__(
            'Not all of it is kept: bodies only where the settings say so, credentials never. What is missing can be given below.'
          )}
        </p>
      )}
    </section>
  );
}

async function forget(page: IPage): Promise<void> {
  const { trans, model } = page;
  const isMeant = await confirm({
    trans,
    title: trans.__('Forget the errors of %1?', model.app),
    body: trans.__('Their tracebacks and requests are gone then. New ones are recorded as before.'),
    action: trans.__('Forget all'),
    warn: true
  });
  if (isMeant) {
    await withProgress({ during: trans.__('Forgetting errors') }, trans, () => model.errors.forget());
  }
}
