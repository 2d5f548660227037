import * as React from 'react';

import { Busy } from './busy';
import { ErrorNotice } from './notice';
import type { ICodePlace, IShownCode } from './code';

type Show = (host: HTMLElement, loaded: Awaited<ReturnType<ICodePlace['loadEditor']>>) => Promise<IShownCode>;

/** A place for CodeMirror, which comes when it is needed. `show` puts its view in; another one shows something else. */
export function CodeHost(props: { page: ICodePlace; show: Show }): React.ReactElement {
  const { page, show } = props;
  const { loadEditor, trans } = page;
  const host = React.useRef<HTMLDivElement>(null);
  const [ended, setEnded] = React.useState<{ show: Show; error: unknown } | null>(null);
  const [attempt, again] = React.useReducer((count: number) => count + 1, 0);

  React.useEffect(() => {
    let isOver = false;
    let shown: IShownCode | null = null;
    void (async () => {
      let error: unknown = null;
      try {
        const loaded = await loadEditor();
        if (!isOver && host.current) {
          shown = await show(host.current, loaded);
        }
      } catch (problem) {
        error = problem;
      }
      if (isOver) {
        shown?.dispose();
      } else {
        setEnded({ show, error });
      }
    })();
    return () => {
      isOver = true;
      shown?.dispose();
    };
  }, [loadEditor, show, attempt]);

  const isEnded = ended?.show === show;
  const retry = () => {
    setEnded(null);
    again();
  };
  return (
    <div className="gf-Code">
      {!isEnded && <Busy label={trans.__('Loading the code')} />}
      {isEnded && ended.error != null && <ErrorNotice error={ended.error} trans={trans} onRetry={retry} />}
      <div ref={host} />
    </div>
  );
}

/** A file, to read. */
export function FileView(props: { page: ICodePlace; path: string; text: string }): React.ReactElement {
  const { page, path, text } = props;
  const show = React.useCallback<Show>(
    (host, { editor, languages }) => editor.showFile(host, text, { path, label: path, languages }),
    [path, text]
  );
  return <CodeHost page={page} show={show} />;
}

/** Two texts side by side. */
export function DiffView(props: {
  page: ICodePlace;
  path: string;
  texts: { old: string; new: string };
  names: { old: string; new: string };
}): React.ReactElement {
  const { page, path } = props;
  const { old: oldText, new: newText } = props.texts;
  const { old: oldName, new: newName } = props.names;
  const show = React.useCallback<Show>(
    (host, { editor, languages }) => {
      const labels = { old: `${path} (${oldName})`, new: `${path} (${newName})` };
      return editor.showDiff(host, { old: oldText, new: newText }, { path, labels, languages });
    },
    [path, oldText, newText, oldName, newName]
  );
  return <CodeHost page={page} show={show} />;
}
