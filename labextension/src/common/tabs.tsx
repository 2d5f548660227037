import * as React from 'react';

/** Tabs as the ARIA practices describe them: one stop of Tab, arrows go along, what they reach is open. */
export function Tabs<T extends string>(props: {
  label: string;
  /** Unique in the document. */
  id: string;
  tabs: ReadonlyArray<{ name: T; label: string; badge?: string }>;
  open: T;
  onOpen: (tab: T) => void;
  children: React.ReactNode;
}): React.ReactElement {
  const { id, tabs, open, onOpen } = props;
  const list = React.useRef<HTMLDivElement>(null);

  const onKeyDown = (event: React.KeyboardEvent) => {
    const at = tabs.findIndex(tab => tab.name === open);
    const targets: Record<string, number> = {
      ArrowRight: (at + 1) % tabs.length,
      ArrowLeft: (at + tabs.length - 1) % tabs.length,
      Home: 0,
      End: tabs.length - 1
    };
    const target = targets[event.key];
    if (target !== undefined) {
      event.preventDefault();
      onOpen(tabs[target].name);
      list.current?.querySelectorAll<HTMLElement>('[role=tab]')[target].focus();
    }
  };

  // A tab that was opened from elsewhere may be out of sight in a narrow page.
  React.useEffect(() => {
    list.current
      ?.querySelector('[aria-selected=true]')
      ?.scrollIntoView({ block: 'nearest', inline: 'nearest' });
  }, [open]);

  return (
    <>
      <div ref={list} className="gf-Tabs" role="tablist" aria-label={props.label} onKeyDown={onKeyDown}>
        {tabs.map(({ name, label, badge }) => (
          <button
            key={name}
            id={`${id}-tab-${name}`}
            className="gf-Tabs-tab"
            role="tab"
            type="button"
            aria-selected={name === open}
            aria-controls={`${id}-panel`}
            tabIndex={name === open ? 0 : -1}
            onClick={() => onOpen(name)}
          >
            {label}
            {badge && <span className="gf-Tabs-badge">{badge}</span>}
          </button>
        ))}
      </div>
      <div
        id={`${id}-panel`}
        className={`gf-Tabs-panel gf-mod-${open}`}
        role="tabpanel"
        aria-labelledby={`${id}-tab-${open}`}
        tabIndex={0}
      >
        {props.children}
      </div>
    </>
  );
}
