import { Button } from '@jupyterlab/ui-components';
import { CommandRegistry } from '@lumino/commands';
import * as React from 'react';

import { CommandIDs } from '../commands';
import { gofastapiIcon } from '../common/icons';
import type { TranslationBundle } from '../common/translation';

/** Nobody's first look: what this is, and one click to a live app. */
export function Empty(props: { commands: CommandRegistry; trans: TranslationBundle }): React.ReactElement {
  const { commands, trans } = props;
  return (
    <div className="gf-Empty">
      <gofastapiIcon.react tag="div" className="gf-Empty-icon" width="40px" height="40px" />
      <h3 className="gf-Empty-title">{trans.__('Your first app')}</h3>
      <p>{trans.__('Live at an address of its own, with a database behind it.')}</p>
      <Button
        className="jp-mod-styled jp-mod-accept gf-Empty-button"
        onClick={() => void commands.execute(CommandIDs.deployExample)}
      >
        {trans.__('Deploy the example')}
      </Button>
      <Button
        className="jp-mod-styled gf-Empty-button"
        onClick={() => void commands.execute(CommandIDs.newApp)}
      >
        {trans.__('Start from a template')}
      </Button>
      <p className="gf-Empty-hint">
        {trans.__('Or put this on top of a notebook cell with a FastAPI app, and run it:')}
        <code>%%deploy hello</code>
      </p>
    </div>
  );
}
