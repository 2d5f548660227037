import * as React from 'react';

/**
 * Tell a field what is wrong with it; null where nothing is.
 *
 * While a field of a dialog is wrong, JupyterLab switches off the buttons that accept, and Enter with them.
 */
export function useValidity(field: React.RefObject<HTMLInputElement>, problem: string | null): void {
  React.useLayoutEffect(() => {
    field.current?.setCustomValidity(problem ?? '');
    // What makes the dialog look. React knows that the value is the same.
    field.current?.dispatchEvent(new Event('input', { bubbles: true }));
  }, [field, problem]);
}
