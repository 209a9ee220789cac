"""The command that answers tills. What it needs beside the other commands takes them a second to load."""

from __future__ import annotations

import argparse
import contextlib
import signal
import socket
import ssl
from uuid import uuid4

from app.i18n import Words
from app.protocol.limits import Limits
from headoffice.at_store import Cannot, desk_at, make_folder, place_of, told
from headoffice.directory import Chain
from headoffice.operating import begin
from headoffice.serving import Address, at_work, collect_seldom, listening, web_server
from headoffice.store.plain import Place
from headoffice.watching import log_to_stderr


def serve(chosen: argparse.Namespace, words: Words) -> None:
    """Answer tills until somebody stops it."""
    address = _address(chosen, words)
    make_folder(chosen.data, words)
    place = place_of(chosen, words)
    log_to_stderr()
    with told(chosen, words), contextlib.ExitStack() as stack:
        if chosen.demo:
            _demo(place, words)
        private = chosen.allow_private_webhooks
        at = at_work(chosen.data, place=place, private_webhooks=private)
        plane, office, writer = stack.enter_context(at)
        listener = stack.enter_context(contextlib.closing(_listening(address, words)))
        server = web_server(plane, address)
        collect_seldom()
        host, port = listener.getsockname()[:2]
        kind = "https" if address.certificate else "http"
        url = f"{kind}://{f'[{host}]' if ':' in host else host}:{port}"
        print(words.say("Head office answers at {url}. Ctrl+C stops it.", url=url), flush=True)
        if not office.chains:
            print(words.say("There is no chain yet: begin one with new-chain."), flush=True)
        # The web server raises the signal that stopped it once more; the store is still to be closed then.
        signal.signal(signal.SIGTERM, lambda _, __: None)
        server.run([listener])
        if not writer.alive:
            raise Cannot(words.say("Head office has stopped by a mistake of ours; the log has it."))


def _demo(place: Place, words: Words) -> None:
    """A chain with two stores, where there is none at all."""
    with desk_at(place) as desk:
        if desk.directory.chains():
            return
        chain = Chain(uuid4().bytes, words.say("Demo chain"), 480, Limits())
        shops = [(words.say("Riverside store"), "all"), (words.say("Old town store"), "all")]
        begin(desk, chain, 1000, shops)
    for name, _ in shops:
        print(words.say("Demo store: {name}", name=name), flush=True)


def _address(chosen: argparse.Namespace, words: Words) -> Address:
    """Where to listen. Nothing but this machine is reached without encryption."""
    if (chosen.tls_cert is None) != (chosen.tls_key is None):
        raise Cannot(words.say("TLS needs both: --tls-cert and --tls-key."))
    for file in (chosen.tls_cert, chosen.tls_key):
        if file is not None and not file.is_file():
            raise Cannot(words.say("{file} is not there.", file=file))
    if chosen.tls_cert is not None:
        _check_certificate(chosen, words)
    local = chosen.host in ("127.0.0.1", "::1", "localhost")
    if not local and chosen.tls_cert is None and not chosen.trusted_proxy:
        raise Cannot(
            words.say(
                "Tills would talk unencrypted: give --tls-cert and --tls-key, or --trusted-proxy "
                "where a proxy encrypts."
            )
        )
    return Address(chosen.host, chosen.port, chosen.tls_cert, chosen.tls_key, chosen.trusted_proxy)


def _check_certificate(chosen: argparse.Namespace, words: Words) -> None:
    """Before anybody reads that head office answers. A key with a passphrase is refused: a restart at night
    would ask for it where nobody sits."""
    try:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(chosen.tls_cert, chosen.tls_key, password="")
    except OSError as error:
        why = words.say(
            "{certificate} and {key} are no certificate and its key in PEM without a passphrase.",
            certificate=chosen.tls_cert, key=chosen.tls_key,
        )  # fmt: skip
        raise Cannot(why) from error


def _listening(address: Address, words: Words) -> socket.socket:
    try:
        return listening(address)
    except (OSError, OverflowError) as error:
        why = words.say(
            "Port {port} of {host} can't be had: another program has it, or it isn't this machine's.",
            port=address.port, host=address.host,
        )  # fmt: skip
        raise Cannot(why) from error
