import { LabIcon } from '@jupyterlab/ui-components';

/** An arrow up from a tray: bring it live. */
export const deployIcon = new LabIcon({
  name: 'gofastapi:deploy',
  svgstr: `<svg xmlns="http://www.w3.org/2000/svg" width="16" viewBox="0 0 24 24">
  <path class="jp-icon3" fill="#616161" d="M5 20h14v-2H5v2Zm6-4h2V7.8l2.6 2.6L17 9l-5-5-5 5 1.4 1.4L11 7.8V16Z"/>
</svg>`
});

/** A folder with a bolt on it. */
export const appFilesIcon = new LabIcon({
  name: 'gofastapi:app-files',
  svgstr: `<svg xmlns="http://www.w3.org/2000/svg" width="16" viewBox="0 0 24 24">
  <path class="jp-icon3 jp-icon-selectable" fill="#616161" d="M10 4H4a2 2 0 0 0-2 2v12c0 1.1.9 2 2 2h16a2 2 0 0 0 2-2V8a2 2 0 0 0-2-2h-8l-2-2Zm10 14H4V8h16v10Zm-6.6-9-4 5.2h2.7l-.8 3.4 4.1-5.3h-2.6l.6-3.3Z"/>
</svg>`
});
