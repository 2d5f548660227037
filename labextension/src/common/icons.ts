import { LabIcon } from '@jupyterlab/ui-components';

/** A bolt in a window: an app, fast. Takes the color of the icons around it. */
const LOGO = `<svg xmlns="http://www.w3.org/2000/svg" width="16" viewBox="0 0 24 24">
  <path class="jp-icon3 jp-icon-selectable" fill="#616161" d="M13.2 2 4.6 13.1c-.4.5 0 1.2.6 1.2h5l-1.5 7c-.2.8.8 1.2 1.3.6l9-11.6c.4-.5 0-1.2-.6-1.2h-5.3l1.4-6.5c.2-.8-.8-1.3-1.3-.6Z"/>
</svg>`;

export const gofastapiIcon = new LabIcon({ name: 'gofastapi:logo', svgstr: LOGO });
