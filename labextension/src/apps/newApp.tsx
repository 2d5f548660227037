import { Dialog, ReactWidget } from '@jupyterlab/apputils';
import * as React from 'react';

import { Client, data } from '../api/client';
import type { Template } from '../api/types';
import { Busy } from '../common/busy';
import { ErrorNotice } from '../common/notice';
import type { TranslationBundle } from '../common/translation';
import { useValidity } from '../common/useValidity';
import { freeName, problemOf, suggestName } from './naming';
import { nameWord } from './words';

/** What the person chose: a template, or the notebook they are in. */
export type NewApp = { name: string; template: Template } | { name: string; notebook: true };

export interface INewAppOptions {
  client: Client;
  trans: TranslationBundle;
  taken: ReadonlySet<string>;
  /** The file name of the notebook in front, where one is. */
  notebook: string | null;
  /** The template to begin with. */
  template?: string;
}

/** Ask what a new app is to be made of, and its name. Null where the person thought better of it. */
export async function askForNewApp(options: INewAppOptions): Promise<NewApp | null> {
  const { trans } = options;
  const form = new NewAppForm(options);
  const dialog = new Dialog<NewApp | null>({
    title: trans.__('New app'),
    body: form,
    buttons: [
      Dialog.cancelButton({ label: trans.__('Cancel') }),
      Dialog.okButton({ label: trans.__('Deploy') })
    ],
    defaultButton: 1
  });
  dialog.addClass('gf-NewAppDialog');
  const result = await dialog.launch();
  return result.button.accept ? result.value : null;
}

class NewAppForm extends ReactWidget implements Dialog.IBodyWidget<NewApp | null> {
  constructor(private readonly _options: INewAppOptions) {
    super();
  }

  getValue(): NewApp | null {
    return this._chosen;
  }

  protected override render(): React.ReactElement {
    return <Form {...this._options} onChange={chosen => (this._chosen = chosen)} />;
  }

  private _chosen: NewApp | null = null;
}

const NOTEBOOK = 'notebook';

function Form(props: INewAppOptions & { onChange: (chosen: NewApp | null) => void }): React.ReactElement {
  const { client, trans, taken, notebook, onChange } = props;
  const [templates, setTemplates] = React.useState<Template[] | null>(null);
  const [error, setError] = React.useState<unknown>(null);
  const [source, setSource] = React.useState(props.template ?? 'hello');
  const [typed, setTyped] = React.useState<string | null>(null);

  const read = React.useCallback(
    () => void data(client.api.GET('/api/templates')).then(setTemplates, setError),
    [client]
  );
  React.useEffect(read, [read]);

  const wanted =
    source === NOTEBOOK ? suggestName((notebook ?? '').replace(/\.ipynb$/, '')) || 'my-app' : source;
  const name = typed ?? freeName(wanted, taken);
  const problem = problemOf(name, taken);
  const isReady = source === NOTEBOOK || templates !== null;
  const field = React.useRef<HTMLInputElement>(null);
  useValidity(field, problem ?? (isReady ? null : 'waiting'));
  React.useLayoutEffect(() => {
    const template = templates?.find(each => each.id === source);
    if (problem) {
      onChange(null);
    } else if (source === NOTEBOOK) {
      onChange({ name, notebook: true });
    } else {
      onChange(template ? { name, template } : null);
    }
  }, [onChange, templates, source, name, problem]);

  if (error) {
    return <ErrorNotice error={error} trans={trans} onRetry={() => (setError(null), read())} />;
  }
  return (
    <div className="gf-NewApp">
      <fieldset className="gf-NewApp-sources">
        <legend>{trans.__('Start from')}</legend>
        {templates === null && <Busy label={trans.__('Reading the templates')} />}
        {notebook !== null && (
          <Choice
            value={NOTEBOOK}
            checked={source === NOTEBOOK}
            onChoose={setSource}
            title={trans.__('The current notebook')}
            description={trans.__(
              'The app in %1: its marked cells, or the cell with the app. A name that stands there stays.',
              notebook
            )}
          />
        )}
        {templates?.map(each => (
          <Choice
            key={each.id}
            value={each.id}
            checked={source === each.id}
            onChoose={setSource}
            title={each.title}
            description={each.description}
            uses={each.uses}
          />
        ))}
      </fieldset>
      <label className="gf-Field">
        <span>{trans.__('Name')}</span>
        <input
          className="jp-mod-styled"
          ref={field}
          value={name}
          autoComplete="off"
          spellCheck={false}
          aria-invalid={problem !== null}
          aria-describedby="gf-NewApp-hint"
          onChange={event => setTyped(event.target.value)}
        />
        <span
          id="gf-NewApp-hint"
          className={problem ? 'gf-Field-problem' : 'gf-Field-hint'}
          aria-live="polite"
        >
          {problem
            ? nameWord(problem, trans)
            : trans.__('Lower-case letters, digits and hyphens. It stays as it is.')}
        </span>
      </label>
    </div>
  );
}

function Choice(props: {
  value: string;
  checked: boolean;
  onChoose: (value: string) => void;
  title: string;
  description: string;
  uses?: ReadonlyArray<string>;
}): React.ReactElement {
  return (
    <label className={`gf-Choice${props.checked ? ' gf-mod-checked' : ''}`}>
      <input
        type="radio"
        name="gf-source"
        value={props.value}
        checked={props.checked}
        autoFocus={props.checked}
        onChange={() => props.onChoose(props.value)}
      />
      <span className="gf-Choice-text">
        <span className="gf-Choice-title">{props.title}</span>
        <span className="gf-Choice-description">{props.description}</span>
      </span>
      <span className="gf-Choice-uses">
        {props.uses?.map(each => (
          <span key={each} className="gf-Tag">
            {each}
          </span>
        ))}
      </span>
    </label>
  );
}
