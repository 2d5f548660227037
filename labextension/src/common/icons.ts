import { LabIcon } from '@jupyterlab/ui-components';

/** A bolt in a window: an app, fast. Takes the color of the icons around it. */
const LOGO = `<svg xmlns="http://www.w3.org/2000/svg" width="16" viewBox="0 0 24 24">
  <path class="jp-icon3 jp-icon-selectable" fill="#616161" d="M13.2 2 4.6 13.1c-.4.5 0 1.2.6 1.2h5l-1.5 7c-.2.8.8 1.2 1.3.6l9-11.6c.4-.5 0-1.2-.6-1.2h-5.3l1.4-6.5c.2-.8-.8-1.3-1.3-.6Z"/>
</svg>`;

export const gofastapiIcon = new LabIcon({ name: 'gofastapi:logo', svgstr: LOGO });

/** Plates on top of each other: data. */
const PLATES = `<svg xmlns="http://www.w3.org/2000/svg" width="16" viewBox="0 0 24 24">
  <path class="jp-icon3 jp-icon-selectable" fill="#616161" d="M12 2.5C7.6 2.5 4 4 4 5.9v1.2c0 1.9 3.6 3.4 8 3.4s8-1.5 8-3.4V5.9c0-1.9-3.6-3.4-8-3.4Zm-8 7.4v3c0 1.9 3.6 3.4 8 3.4s8-1.5 8-3.4v-3c-1.7 1.5-4.7 2.3-8 2.3s-6.3-.8-8-2.3Zm0 5.8v2.4c0 1.9 3.6 3.4 8 3.4s8-1.5 8-3.4v-2.4c-1.7 1.5-4.7 2.3-8 2.3s-6.3-.8-8-2.3Z"/>
</svg>`;

export const dataIcon = new LabIcon({ name: 'gofastapi:data', svgstr: PLATES });
