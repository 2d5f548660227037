/**
 * Keep the focus in a place where what has it goes away or is switched off, as a button that did its work: it goes to the
 * closest thing around it that takes the focus. Else who uses a keyboard would begin at the top of the page again.
 */
export function keepFocus(place: HTMLElement): void {
  let path: HTMLElement[] = [];
  place.addEventListener('focusin', event => {
    path = around(event.target as HTMLElement, place);
  });
  place.addEventListener('focusout', event => {
    const left = event.target as HTMLElement;
    // Where it goes by a key or a click, it is to go.
    requestAnimationFrame(() => {
      if (event.relatedTarget !== null || (takesFocus(left) && document.hasFocus())) {
        path = path[0] === left ? [] : path;
      }
    });
  });
  new MutationObserver(() => {
    if (path.length > 0 && !takesFocus(path[0])) {
      // The browser lets go of what is switched off when it draws next.
      requestAnimationFrame(() => {
        if (path.length > 0 && isNowhere(place)) {
          path.find(takesFocus)?.focus({ preventScroll: true });
        }
      });
    }
  }).observe(place, { childList: true, subtree: true, attributes: true, attributeFilter: ['disabled'] });
}

/** An element and what is around it, up to the place. */
function around(element: HTMLElement, place: HTMLElement): HTMLElement[] {
  const path = [element];
  for (let node = element.parentElement; node && place.contains(node); node = node.parentElement) {
    if (node.hasAttribute('tabindex')) {
      path.push(node);
    }
  }
  return path;
}

function takesFocus(element: HTMLElement): boolean {
  return element.isConnected && !element.matches(':disabled');
}

/** Whether the focus is on nothing, or on what cannot be used. */
function isNowhere(place: HTMLElement): boolean {
  const { activeElement } = document;
  return (
    activeElement === null ||
    activeElement === document.body ||
    (place.contains(activeElement) && activeElement.matches(':disabled'))
  );
}
