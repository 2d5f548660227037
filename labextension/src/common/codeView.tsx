import * as React from 'react';

import { Busy } from './busy';
import { ErrorNotice } from './notice';
import type { ICodePlace, IShownCode } from './code';

/** A place for CodeMirror, which comes when it is needed. `show` puts its view in. */
export function CodeHost(props: {
  page: ICodePlace;
  /** Changes when something else is to be shown. */
  content: string;
  show: (host: HTMLElement, loaded: Awaited<ReturnType<ICodePlace['loadEditor']>>) => Promise<IShownCode>;
}): React.ReactElement {
  const host = React.useRef<HTMLDivElement>(null);
  const [error, setError] = React.useState<unknown>(null);
  const [isShown, setShown] = React.useState(false);
  const [attempt, again] = React.useReducer((count: number) => count + 1, 0);
  const { trans } = props.page;

  React.useEffect(() => {
    let isOver = false;
    let shown: IShownCode | null = null;
    setError(null);
    setShown(false);
    void (async () => {
      try {
        const loaded = await props.page.loadEditor();
        if (!isOver && host.current) {
          shown = await props.show(host.current, loaded);
          isOver ? shown.dispose() : setShown(true);
        }
      } catch (problem) {
        setError(problem);
      }
    })();
    return () => {
      isOver = true;
      shown?.dispose();
    };
  }, [props.content, attempt]);

  return (
    <div className="gf-Code">
      {error ? (
        <ErrorNotice error={error} trans={trans} onRetry={again} />
      ) : (
        !isShown && <Busy label={trans.__('Loading the code')} />
      )}
      <div ref={host} />
    </div>
  );
}

/** A file, to read. */
export function FileView(props: { page: ICodePlace; path: string; text: string }): React.ReactElement {
  const { page, path, text } = props;
  return (
    <CodeHost
      page={page}
      content={`${path}\0${text}`}
      show={(host, { editor, languages }) => editor.showFile(host, text, { path, label: path, languages })}
    />
  );
}

/** Two texts side by side. */
export function DiffView(props: {
  page: ICodePlace;
  path: string;
  texts: { old: string; new: string };
  names: { old: string; new: string };
}): React.ReactElement {
  const { page, path, texts, names } = props;
  const labels = { old: `${path} (${names.old})`, new: `${path} (${names.new})` };
  return (
    <CodeHost
      page={page}
      content={[path, texts.old, texts.new].join('\0')}
      show={(host, { editor, languages }) => editor.showDiff(host, texts, { path, labels, languages })}
    />
  );
}
