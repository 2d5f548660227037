import * as React from 'react';

/** What takes longer than this shows that it is under way. */
export const PATIENCE_MS = 500;

/** What is shown where something takes longer than half a second; before that, what there is `meanwhile`. */
export function Later(props: { children: React.ReactNode; meanwhile?: React.ReactNode }): React.ReactElement {
  const [isLate, setLate] = React.useState(false);
  React.useEffect(() => {
    const timer = setTimeout(() => setLate(true), PATIENCE_MS);
    return () => clearTimeout(timer);
  }, []);
  return <>{isLate ? props.children : props.meanwhile}</>;
}

/** A bar that moves while something is under way; nothing for the first half second. */
export function Busy(props: { label: string }): React.ReactElement {
  return (
    <Later>
      <div className="gf-Busy" role="progressbar" aria-label={props.label}>
        <div className="gf-Busy-bar" />
        <span className="gf-Busy-label">{props.label}</span>
      </div>
    </Later>
  );
}
