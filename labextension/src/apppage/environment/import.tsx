import { Button } from '@jupyterlab/ui-components';
import * as React from 'react';

import { ErrorNotice } from '../../common/notice';
import type { IPage } from '../page';
import type { IImported } from './model';

/** Variables of a `.env` file, pasted or from a file: which ones, and which of them are secrets. */
export function ImportForm(props: {
  page: IPage;
  autoFocus: boolean;
  onClose: () => void;
}): React.ReactElement {
  const { page, autoFocus, onClose } = props;
  const { trans } = page;
  const { environment } = page.model;
  const { text, found } = environment.entered;
  const [error, setError] = React.useState<unknown>(null);

  const read = async (content: string) => {
    setError(null);
    try {
      environment.enter({ found: await environment.read(content) });
    } catch (problem) {
      setError(problem);
    }
  };
  const change = (name: string, change: Partial<IImported>) =>
    environment.enter({ found: found?.map(each => (each.name === name ? { ...each, ...change } : each)) });
  const chosen = found?.filter(each => each.isChosen).length ?? 0;

  return (
    <section
      className="gf-Form"
      aria-label={trans.__('Import a .env file')}
      onKeyDown={event => event.key === 'Escape' && onClose()}
    >
      {found === null ? (
        <>
          <label className="gf-Field">
            <span>{trans.__('Paste the text of the file')}</span>
            <textarea
              className="jp-mod-styled gf-Input gf-mod-code"
              rows={6}
              value={text}
              autoFocus={autoFocus}
              spellCheck={false}
              placeholder={'API_KEY=...\nMODE=fast'}
              onChange={event => environment.enter({ text: event.target.value })}
            />
          </label>
          <label className="gf-Field">
            <span>{trans.__('Or choose it')}</span>
            <input
              type="file"
              accept=".env,text/plain"
              onChange={event =>
                void event.target.files?.[0]?.text().then(content => {
                  environment.enter({ text: content });
                  return read(content);
                })
              }
            />
          </label>
        </>
      ) : found.length === 0 ? (
        <p>{trans.__('There is no variable in it.')}</p>
      ) : (
        <table className="gf-Table">
          <thead>
            <tr>
              <th scope="col">{trans.__('Variable')}</th>
              <th scope="col">{trans.__('Secret')}</th>
            </tr>
          </thead>
          <tbody>
            {found.map(each => (
              <tr key={each.name}>
                <th scope="row">
                  <label className="gf-Check">
                    <input
                      type="checkbox"
                      checked={each.isChosen}
                      disabled={Boolean(each.problem)}
                      onChange={event => change(each.name, { isChosen: event.target.checked })}
                    />
                    <code>{each.name}</code>
                  </label>
                  {each.problem && <p className="gf-Quiet">{each.problem}</p>}
                </th>
                <td>
                  <input
                    type="checkbox"
                    aria-label={trans.__('%1 is a secret', each.name)}
                    checked={each.isSecret}
                    disabled={!each.isChosen}
                    onChange={event => change(each.name, { isSecret: event.target.checked })}
                  />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {error != null && <ErrorNotice error={error} trans={trans} />}
      <div className="gf-Bar">
        {found === null ? (
          <Button
            className="gf-Action gf-mod-primary"
            disabled={!text.trim()}
            onClick={() => void read(text)}
          >
            {trans.__('Read')}
          </Button>
        ) : (
          <Button
            className="gf-Action gf-mod-primary"
            disabled={chosen === 0}
            onClick={() => {
              environment.take(found);
              onClose();
            }}
          >
            {trans._n('Take %1 variable', 'Take %1 variables', chosen)}
          </Button>
        )}
        {found !== null && (
          <Button className="gf-Action" onClick={() => environment.enter({ found: null })}>
            {trans.__('Back')}
          </Button>
        )}
        <Button className="gf-Action" onClick={onClose}>
          {trans.__('Close')}
        </Button>
      </div>
    </section>
  );
}
