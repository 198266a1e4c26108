"""The server of the page: on this machine only unless told otherwise, without calls to anybody else, until Ctrl-C."""

from __future__ import annotations

import ipaddress
import logging
import os
import signal
import socket
import threading
import warnings
import webbrowser
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from sim.dashboard.offer import Offer
from sim.faults import Fault, ScenarioError
from sim.starting import interrupts_held, prepare

if TYPE_CHECKING:
    import uvicorn

Scope = MutableMapping[str, Any]
App = Callable[[Scope, Any, Any], Awaitable[None]]

_EXTRA = "needs Solara and what its pages are made of; install it with: pip install 'abm[dashboard]'"
_SETTINGS = {
    "SOLARA_APP": "sim.dashboard.page",
    "SOLARA_TELEMETRY_MIXPANEL_ENABLE": "false",  # nobody is told that the page is open
    "SOLARA_TELEMETRY_SERVER_USER_ID": "none",  # and no file with an id is left in the home folder
    "SOLARA_CHECK_HOOKS": "off",  # which finds fault with a part of Mesa's that is not used here
    "SOLARA_THEME_SHOW_BANNER": "false",
    "SOLARA_THEME_LOADER": "plain",
    "SOLARA_THEME_TITLE": "abm dashboard",
    "SOLARA_KERNEL_CULL_TIMEOUT": "5m",  # a page that was lost from sight keeps its process so long
}
_SECONDS_TO_CLOSE = 2


def _is_of_use(record: logging.LogRecord) -> bool:
    """Keep back what Solara says, over pages, when it has taken a page's parts away in another order than it made them."""
    return not record.getMessage().startswith("Could not close render context")


def is_loopback(host: str) -> bool:
    """Say whether an address is reached from this machine only."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def bound(host: str, port: int) -> socket.socket:
    """Return a socket that listens at an address, at any free port for 0; raises `ScenarioError` when it cannot be had."""
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    except (OSError, UnicodeError):
        raise ScenarioError([Fault("", "--host", host, "is no address of this machine")]) from None
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.listen()
    except OSError as error:
        listening.close()
        free = "choose another --port, or 0 for any that is free"
        raise ScenarioError([Fault("", "--port", str(port), f"cannot be had on {host} ({error.strerror}); {free}")]) from None
    return listening


def serve(offer: Offer, listening: socket.socket, host: str, opens: bool, say: Callable[[str], None]) -> None:
    """Serve the page until it is interrupted; raises `ScenarioError` when Solara is not installed."""
    with _interrupted_once():
        _serve(offer, listening, host, opens, say)


def _serve(offer: Offer, listening: socket.socket, host: str, opens: bool, say: Callable[[str], None]) -> None:
    prepare()  # the model is imported there while the page's libraries are here
    os.environ.update(_SETTINGS)
    logging.getLogger("solara.server.app").addFilter(_is_of_use)
    warnings.filterwarnings("ignore", "Cookies with samesite=none", UserWarning)  # Solara's, of a page within another one
    try:
        import uvicorn
        from solara.server.starlette import app

        from sim.dashboard import page
    except ImportError as error:
        raise ScenarioError([Fault("", "abm dashboard", "", _EXTRA)]) from error
    port = listening.getsockname()[1]
    url = f"http://{f'[{host}]' if ':' in host else host}:{port}/"
    config = uvicorn.Config(
        guarded(app, is_loopback(host)), log_level="warning", access_log=False, loop="asyncio", timeout_graceful_shutdown=_SECONDS_TO_CLOSE
    )
    with page.serving(offer):
        say(f"the dashboard is at {url} (Ctrl-C ends it)")
        if opens:
            webbrowser.open(url)
        _run(uvicorn.Server(config), listening)


def _run(server: uvicorn.Server, listening: socket.socket) -> None:
    """Run a server in a thread, where it takes no signals, until one interrupts the wait for it; then let it close what is open."""
    ended = threading.Event()

    def work() -> None:
        try:
            server.run([listening])
        finally:
            ended.set()

    try:
        with interrupts_held():
            threading.Thread(target=work).start()
        ended.wait()
    finally:
        server.should_exit = True
        ended.wait()


@contextmanager
def _interrupted_once() -> Iterator[None]:
    """Let one Ctrl-C interrupt the block; from then on the command is ending, which another one does not disturb."""

    def end(*_: object) -> None:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        raise KeyboardInterrupt

    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, end)
    try:
        yield
    finally:
        if signal.getsignal(signal.SIGINT) is end:
            signal.signal(signal.SIGINT, signal.default_int_handler)


def guarded(app: App, at_home: bool) -> App:
    """Return an app that answers no page of somebody else's.

    A browser lets any page talk to this machine. So a WebSocket must come from a page of ours, and, if only this machine is served
    (`at_home`), a request must call us by a name of this machine, which one that was made to point here is not.
    """

    async def only_ours(scope: Scope, receive: Any, send: Any) -> None:
        headers = {name: value.decode("latin-1") for name, value in scope.get("headers", ())}
        host, origin = headers.get(b"host", ""), headers.get(b"origin", "")
        strange = at_home and not is_loopback(urlsplit(f"//{host}").hostname or "")
        strange |= scope["type"] == "websocket" and urlsplit(origin).netloc != host
        if not strange or scope["type"] == "lifespan":
            await app(scope, receive, send)
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1008})
        else:
            await send({"type": "http.response.start", "status": 403, "headers": [(b"content-type", b"text/plain")]})
            await send({"type": "http.response.body", "body": b"This page is served to this machine only."})

    return only_ours
