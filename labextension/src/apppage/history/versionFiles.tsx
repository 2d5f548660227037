import * as React from 'react';

import { bytes } from '../../common/format';
import type { IPage } from '../page';
import { FileView } from '../../common/codeView';
import { Loaded } from '../../common/loaded';
import type { Files } from './files';

/** The files of a version, one of them open. */
export function VersionFiles(props: { page: IPage; number: number }): React.ReactElement {
  const { page, number } = props;
  const { trans, model } = page;
  return (
    <section aria-label={trans.__('Files of version %1', number)}>
      <h2 className="gf-Heading">{trans.__('Files of version %1', number)}</h2>
      <Loaded resource={model.history.files} trans={trans} label={trans.__('Asking for the files')}>
        {files => <Preview key={number} files={files} page={page} />}
      </Loaded>
    </section>
  );
}

function Preview(props: { files: Files; page: IPage }): React.ReactElement {
  const { files, page } = props;
  const { trans } = page;
  const paths = [...files.keys()];
  const [chosen, setChosen] = React.useState<string>();
  const path = chosen && files.has(chosen) ? chosen : files.has('main.py') ? 'main.py' : paths[0];
  const file = files.get(path);
  return (
    <>
      <div className="gf-Bar">
        <label className="gf-Pick">
          <span>{trans.__('File')}</span>
          <select
            className="jp-mod-styled gf-Select"
            value={path}
            onChange={event => setChosen(event.target.value)}
          >
            {paths.map(each => (
              <option key={each} value={each}>
                {each}
              </option>
            ))}
          </select>
        </label>
        {file && <span className="gf-Quiet">{bytes(file.bytes)}</span>}
      </div>
      {file &&
        (file.text === null ? (
          <p className="gf-Quiet">{trans.__('It is no text.')}</p>
        ) : (
          <FileView page={page} path={path} text={file.text} />
        ))}
    </>
  );
}
