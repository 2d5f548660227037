import * as React from 'react';

/** What takes longer than this shows that it is under way. */
export const PATIENCE_MS = 500;

/** A bar that moves while something is under way; nothing for the first half second. */
export function Busy(props: { label: string }): React.ReactElement | null {
  const [shown, setShown] = React.useState(false);
  React.useEffect(() => {
    const timer = setTimeout(() => setShown(true), PATIENCE_MS);
    return () => clearTimeout(timer);
  }, []);
  return shown ? (
    <div className="gf-Busy" role="progressbar" aria-label={props.label}>
      <div className="gf-Busy-bar" />
      <span className="gf-Busy-label">{props.label}</span>
    </div>
  ) : null;
}
