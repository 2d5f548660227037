import { copyIcon } from '@jupyterlab/ui-components';
import * as React from 'react';

import { IconButton } from '../../common/iconButton';
import { addressOf, type IPage } from '../page';
import { isThisMachine } from './reach';

/** Where the app is reached, from here and from a phone. */
export function Address(props: { page: IPage }): React.ReactElement {
  const { page } = props;
  const { trans } = page;
  const address = addressOf(page);
  return (
    <section className="gf-Address">
      <h2 className="gf-Heading">{trans.__('Address')}</h2>
      <div className="gf-Address-line">
        <a href={address} target="_blank" rel="noreferrer" className="gf-Address-link">
          {address}
        </a>
        <IconButton
          icon={copyIcon}
          label={trans.__('Copy the address')}
          onClick={() => page.actions.copyUrl(page.model.entry?.view ?? { id: page.model.app, url: null })}
        />
      </div>
      {isThisMachine(address) ? (
        <p className="gf-Quiet">
          {trans.__(
            'This address works on this computer only: a phone has a 127.0.0.1 of its own. To try the app on a phone, start JupyterLab so that your network reaches it (%1), open it here by the name or number of this computer, and a code to scan stands in this place.',
            'jupyter lab --ip 0.0.0.0'
          )}
        </p>
      ) : (
        <div className="gf-Address-phone">
          <QrCode text={address} label={trans.__('QR code of %1', address)} />
          <p className="gf-Quiet">
            {trans.__(
              'Scan it with a phone that reaches this JupyterLab. The app is shown through JupyterLab, so the phone is asked to sign in there first.'
            )}
          </p>
        </div>
      )}
    </section>
  );
}

function QrCode(props: { text: string; label: string }): React.ReactElement {
  const [picture, setPicture] = React.useState<{ size: number; path: string }>();
  React.useEffect(() => {
    let isOver = false;
    void import('./qr').then(({ qrPath }) => {
      if (!isOver) {
        setPicture(qrPath(props.text));
      }
    });
    return () => void (isOver = true);
  }, [props.text]);
  if (!picture) {
    return <div className="gf-Qr" />;
  }
  const { size, path } = picture;
  return (
    <svg
      className="gf-Qr"
      viewBox={`0 0 ${size} ${size}`}
      role="img"
      aria-label={props.label}
      shapeRendering="crispEdges"
    >
      <path d={path} />
    </svg>
  );
}
