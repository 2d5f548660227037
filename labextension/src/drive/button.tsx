import { ReactWidget, showErrorMessage } from '@jupyterlab/apputils';
import type { FileBrowserModel } from '@jupyterlab/filebrowser';
import { fileUploadIcon, type LabIcon, ToolbarButtonComponent } from '@jupyterlab/ui-components';
import * as React from 'react';

import type { TranslationBundle } from '../common/translation';

/** A button of a toolbar that does something, and is never "pressed", of which `ToolbarButton` always speaks. */
export class ActionButton extends ReactWidget {
  constructor(
    private readonly _props: { icon: LabIcon; label?: string; tooltip: string; onClick: () => void }
  ) {
    super();
    this.addClass('jp-ToolbarButton');
  }

  get enabled(): boolean {
    return this._enabled;
  }

  set enabled(value: boolean) {
    if (value !== this._enabled) {
      this._enabled = value;
      this.update();
    }
  }

  protected override render(): React.ReactElement {
    return <ToolbarButtonComponent {...this._props} enabled={this._enabled} />;
  }

  private _enabled = true;
}

/** A button that uploads files into the folder a file browser shows. */
export function uploadButton(model: FileBrowserModel, trans: TranslationBundle): ActionButton {
  const input = document.createElement('input');
  input.type = 'file';
  input.multiple = true;
  input.onchange = async () => {
    try {
      await Promise.all([...(input.files ?? [])].map(file => model.upload(file)));
    } catch (error) {
      void showErrorMessage(trans.__('Not uploaded'), error as Error);
    }
    // The same file once more is to be noticed too.
    input.value = '';
  };
  return new ActionButton({
    icon: fileUploadIcon,
    tooltip: trans.__('Upload files'),
    onClick: () => input.click()
  });
}
