import { Button, type LabIcon } from '@jupyterlab/ui-components';
import * as React from 'react';

/** A button that is an icon alone: its words are its name, and are shown when it is pointed at. */
export function IconButton(props: {
  icon: LabIcon;
  label: string;
  onClick: () => void;
  disabled?: boolean;
}): React.ReactElement {
  const { icon: Icon, label, onClick, disabled } = props;
  return (
    <Button className="gf-IconButton" title={label} aria-label={label} disabled={disabled} onClick={onClick}>
      <Icon.react tag="span" />
    </Button>
  );
}
