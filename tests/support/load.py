"""Clients that ask without a pause, and notice what fails."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import httpx


@contextmanager
def under_load(*addresses: str) -> Iterator[list[str]]:
    """Requests without a pause, on kept connections and on new ones. What fails stands in the list."""
    failures: list[str] = []
    answered = dict.fromkeys(addresses, 0)
    over = threading.Event()

    def ask(address: str, keep: bool) -> None:
        # Without TLS, so that a new client costs next to nothing.
        client = httpx.Client(trust_env=False, timeout=20, verify=False)
        while not over.is_set():
            try:
                response = client.get(address)
                if response.status_code != 200:
                    failures.append(f"{address}: {response.status_code} {response.text}")
                answered[address] += 1
            except httpx.HTTPError as error:
                failures.append(f"{address}: {error!r}")
            if not keep:
                client.close()
                client = httpx.Client(trust_env=False, timeout=20, verify=False)
        client.close()

    threads = [threading.Thread(target=ask, args=(address, keep)) for address in addresses for keep in (True, False)]
    for thread in threads:
        thread.start()
    try:
        yield failures
    finally:
        over.set()
        for thread in threads:
            thread.join(30)
    assert all(count > 3 for count in answered.values()), answered
