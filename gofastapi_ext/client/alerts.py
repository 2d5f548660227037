"""Alerts, as the command line says them."""

from __future__ import annotations

from gofastapi_ext.client.render import Paint, plain, printable
from gofastapi_ext.core.alerts import SIGNATURE_HEADER, AlertDelivery, AlertsView


def alerts_as_text(view: AlertsView, paint: Paint = plain) -> str:
    """Where alerts go, and a line for each of the latest, newest first."""
    if view.url is None:
        first = "Nobody is told. To have a webhook told when an app needs you: gofastapi alerts set URL"
    else:
        first = f"Alerts go to {printable(view.url)}"
    return "\n".join([first, *(_line(delivery, paint) for delivery in view.deliveries)])


def new_webhook_as_text(view: AlertsView) -> str:
    """That alerts go there now, and the secret, this once."""
    return (
        f"Alerts go to {printable(view.url or '')} from now on.\n"
        f"They are signed ({SIGNATURE_HEADER}) with this secret, which is not shown again:\n"
        f"\n  {view.signing_secret}\n\n"
        "To try it: gofastapi alerts test"
    )


def _line(delivery: AlertDelivery, paint: Paint) -> str:
    problem = printable(delivery.problem or "")
    if delivery.delivered:
        state = paint("delivered", "good")
    elif delivery.next_attempt_at is None:
        state = paint(f"not delivered: {problem}", "error")
    else:
        again = f"next attempt at {delivery.next_attempt_at.astimezone():%H:%M:%S}"
        state = paint(f"{problem}; {again}" if problem else again, "warning")
    kind = str(delivery.kind).replace("_", " ")
    return f"{delivery.at.astimezone():%Y-%m-%d %H:%M}  {kind:<15}  {printable(delivery.app or '–'):<16}  {state}"
