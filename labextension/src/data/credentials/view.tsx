import { Button, copyIcon, refreshIcon } from '@jupyterlab/ui-components';
import * as React from 'react';

import { data } from '../../api/client';
import type { DatabaseView, DataProgress, RotationEvent } from '../../api/types';
import { CommandIDs } from '../../commands';
import { confirm } from '../../common/ask';
import { copy } from '../../common/clipboard';
import { ago, moment } from '../../common/format';
import { ErrorNotice } from '../../common/notice';
import { search } from '../collections/query';
import type { IPage } from '../page';
import { RunView } from '../runView';

/** What opens the database: who uses it, the address on request, and new ones. */
export function CredentialsTab(props: { page: IPage }): React.ReactElement {
  const { page } = props;
  const { trans, model, commands } = page;
  const view = model.database.value as DatabaseView;
  const apps = view.apps ?? [];
  const since = view.credentials_rotated_at ?? view.created_at;
  return (
    <div className="gf-Credentials">
      <dl className="gf-Facts gf-mod-wide">
        <div>
          <dt>{trans.__('Database')}</dt>
          <dd>
            <code>{view.name}</code>
          </dd>
        </div>
        <div>
          <dt>{trans.__('Credentials since')}</dt>
          <dd title={moment(since)}>{ago(since)}</dd>
        </div>
        <div>
          <dt>{trans.__('Apps that have it open')}</dt>
          <dd>
            {apps.length === 0
              ? trans.__('None at the moment')
              : apps.map((app, at) => (
                  <React.Fragment key={app}>
                    {at > 0 && ', '}
                    <button
                      type="button"
                      className="gf-Link"
                      onClick={() => void commands.execute(CommandIDs.openPage, { app })}
                    >
                      {app}
                    </button>
                  </React.Fragment>
                ))}
          </dd>
        </div>
      </dl>
      <ConnectionString key={view.name} page={page} database={view.name} />
      <section className="gf-Block" aria-label={trans.__('New credentials')}>
        <h2 className="gf-Heading">{trans.__('New credentials')}</h2>
        <p>
          {trans.__(
            'Each running app gets a new instance with them, without a failed request; those asleep get them when they wake. An address that somebody copied opens nothing any more.'
          )}
        </p>
        <RunView page={page} run={model.runs.credentials} />
        <Button
          className="gf-Action"
          disabled={model.runs.credentials.isRunning}
          onClick={() => void rotate(page)}
        >
          <refreshIcon.react tag="span" className="gf-Icon" />
          {trans.__('Rotate')}
        </Button>
      </section>
    </div>
  );
}

/** Shown only to who types the name of the database, and nowhere but here. */
function ConnectionString(props: { page: IPage; database: string }): React.ReactElement {
  const { page, database } = props;
  const { trans, model } = page;
  const [isAsking, setAsking] = React.useState(false);
  const [typed, setTyped] = React.useState('');
  const [uri, setUri] = React.useState<string | null>(null);
  const [error, setError] = React.useState<unknown>(null);
  const opener = React.useRef<HTMLDivElement>(null);

  const hide = () => {
    setUri(null);
    setTyped('');
    setAsking(false);
    setError(null);
    requestAnimationFrame(() => opener.current?.querySelector('button')?.focus());
  };
  const show = async () => {
    setError(null);
    try {
      const params = { query: { branch: model.branch } };
      const found = await data(
        model.client.api.POST('/api/database/uri', { params, body: { confirm: typed } })
      );
      setUri(found.uri);
    } catch (problem) {
      setError(problem);
    }
  };

  return (
    <section className="gf-Block" aria-label={trans.__('Connection string')}>
      <h2 className="gf-Heading">{trans.__('Connection string')}</h2>
      <p>
        {trans.__(
          'For mongosh, Compass or a driver. It holds the password: whoever has it can read and change everything in the database. Apps do not need it: they find it in PLATFORM_MONGO_URI.'
        )}
      </p>
      {uri !== null ? (
        <div className="gf-Uri">
          <input
            className="jp-mod-styled gf-Input gf-mod-code"
            readOnly
            autoFocus
            aria-label={trans.__('Connection string')}
            value={uri}
            onFocus={event => event.target.select()}
          />
          <Button className="gf-Action" onClick={() => copy(uri, page)}>
            <copyIcon.react tag="span" className="gf-Icon" />
            {trans.__('Copy')}
          </Button>
          <Button className="gf-Action" onClick={hide}>
            {trans.__('Hide')}
          </Button>
        </div>
      ) : isAsking ? (
        <form
          className="gf-Form"
          aria-label={trans.__('Show the connection string')}
          onSubmit={event => {
            event.preventDefault();
            void show();
          }}
          onKeyDown={event => event.key === 'Escape' && hide()}
        >
          <label className="gf-Field">
            <span>{trans.__('Type the name of the database, %1', database)}</span>
            <input
              className="jp-mod-styled gf-Input gf-mod-code"
              autoFocus
              autoComplete="off"
              spellCheck={false}
              value={typed}
              onChange={event => setTyped(event.target.value)}
            />
          </label>
          {error != null && <ErrorNotice error={error} trans={trans} />}
          <div className="gf-Bar">
            <Button type="submit" className="gf-Action gf-mod-primary" disabled={typed !== database}>
              {trans.__('Show')}
            </Button>
            <Button type="button" className="gf-Action" onClick={hide}>
              {trans.__('Cancel')}
            </Button>
          </div>
        </form>
      ) : (
        <div ref={opener}>
          <Button className="gf-Action" onClick={() => setAsking(true)}>
            {trans.__('Show connection string')}
          </Button>
        </div>
      )}
    </section>
  );
}

async function rotate(page: IPage): Promise<void> {
  const { trans, model } = page;
  const isMeant = await confirm({
    trans,
    title: trans.__('Make new credentials?'),
    body: trans.__('Programs of yours that hold the old address, as mongosh, have to be told the new one.'),
    action: trans.__('Rotate')
  });
  if (isMeant) {
    await model.runs.credentials.follow(trans.__('New credentials'), () => lines(page));
    await model.database.refresh();
  }
}

/** A rotation tells its apps and its end as the other work on a database does. */
async function* lines(page: IPage): AsyncGenerator<DataProgress> {
  const { client, branch } = page.model;
  const path = `/api/database/credentials/rotate${search({ branch })}`;
  for await (const { app, done } of client.stream<RotationEvent>(path, { method: 'POST' })) {
    yield { stage: done ? 'done' : 'app', seconds: 0, app };
  }
}
