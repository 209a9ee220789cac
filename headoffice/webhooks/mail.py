"""E-mails, for alarms and invitations: what an operator has set for it, and one try to send one.

Settings stand in `mail.toml` beside the store; the password in a file that they name, or in the environment.
Neither is ever written to the log.
"""

from __future__ import annotations

import os
import re
import smtplib
import ssl
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, fields
from email.message import EmailMessage
from pathlib import Path
from typing import Any, Final, Literal

import msgspec

from app.i18n import LANGUAGES, SOURCE_LANGUAGE, Words
from headoffice import alarm_words
from headoffice.directory import Chain

FILE_NAME: Final = "mail.toml"
PASSWORD: Final = "REGULARS_SMTP_PASSWORD"
TRY_S: Final = 20
ADDRESS_MOST: Final = 254
_ADDRESS: Final = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")


class BadMailSettings(Exception):
    """`mail.toml` is not as it must be; says which field."""


@dataclass(frozen=True, slots=True)
class MailSettings:
    """Which server sends, as whom, to whom: addresses by the chain's name, "*" for all chains."""

    host: str
    sender: str
    to: dict[str, list[str]]
    port: int = 587
    security: Literal["starttls", "tls", "none"] = "starttls"
    user: str = ""
    password_file: str = ""
    language: str = SOURCE_LANGUAGE

    def addresses(self, chain: str) -> list[str]:
        """Who hears of a chain's alarms."""
        return list(dict.fromkeys([*self.to.get(chain, ()), *self.to.get("*", ())]))


def settings_of(folder: Path) -> MailSettings | None:
    """What the operator has set; None: no mails. Raises BadMailSettings, OSError."""
    path = folder / FILE_NAME
    if not path.exists():
        return None
    try:
        plain: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadMailSettings("toml") from error
    known = {each.name: each for each in fields(MailSettings)}
    strange = plain.keys() - known.keys()
    if strange:
        raise BadMailSettings(min(strange))
    for name in ("host", "sender", "to"):
        if name not in plain:
            raise BadMailSettings(name)
    try:
        made = msgspec.convert(plain, MailSettings)
    except msgspec.ValidationError as error:
        raise BadMailSettings(str(error).rpartition("$.")[2].strip("`") or "value") from error
    if made.language not in LANGUAGES or not 0 < made.port < 65_536:
        raise BadMailSettings("language" if made.language not in LANGUAGES else "port")
    return made


@dataclass(frozen=True, slots=True)
class Mailer:
    """Sends mails; without settings it sends none."""

    settings: MailSettings | None

    def wants(self, chain: str) -> bool:
        """Whether somebody hears of this chain's alarms."""
        return self.settings is not None and bool(self.settings.addresses(chain))

    def send(self, chain: Chain, body: bytes) -> str:
        """Try it; "" where the server took it, else what was in the way, as a code."""
        settings = self.settings
        if settings is None or not settings.addresses(chain.name):
            return ""
        return self._deliver(settings, _alarm(settings, chain, body))

    @property
    def sends(self) -> bool:
        """Whether there is a server to send by."""
        return self.settings is not None

    def invite(self, chain: Chain, address: str, initials: str, link: str) -> str:
        """Send somebody the link that lets them into the console; as `send`. Tried once and kept nowhere."""
        settings = self.settings
        assert settings is not None, "without settings nobody asks for a mail"
        words = Words(settings.language)
        subject = words.say("{chain}: invitation to the console", chain=chain.name)
        text = words.say(
            "You are invited to the head office of {chain} as {initials}. Open this link within a day "
            "and set a password that nobody else knows; the link is good once.",
            chain=chain.name, initials=initials,
        )  # fmt: skip
        return self._deliver(settings, _mail(settings, [address], subject, f"{text}\n\n{link}\n"))

    def _deliver(self, settings: MailSettings, mail: EmailMessage) -> str:
        try:
            with self._server(settings) as server:
                if settings.user:
                    server.login(settings.user, _password(settings))
                server.send_message(mail)
        except smtplib.SMTPAuthenticationError:
            return "mail_login"
        except smtplib.SMTPException as error:
            return f"mail_{type(error).__name__.removeprefix('SMTP').lower()}"
        except ssl.SSLError:
            return "tls"
        except OSError:
            return "unreachable"
        return ""

    def _server(self, settings: MailSettings) -> smtplib.SMTP:
        tls = ssl.create_default_context()
        if settings.security == "tls":
            return smtplib.SMTP_SSL(settings.host, settings.port, timeout=TRY_S, context=tls)
        server = smtplib.SMTP(settings.host, settings.port, timeout=TRY_S)
        try:
            if settings.security == "starttls":
                server.starttls(context=tls)
        except BaseException:
            server.close()  # Not in the caller's `with` yet.
            raise
        return server


def _password(settings: MailSettings) -> str:
    if settings.password_file:
        return Path(settings.password_file).read_text(encoding="utf-8").strip()
    return os.environ.get(PASSWORD, "")


def is_address(text: str) -> bool:
    """Whether a mail can be sent there; nothing in it could be a second address or a line of its own."""
    return len(text) <= ADDRESS_MOST and _ADDRESS.fullmatch(text) is not None


def _alarm(settings: MailSettings, chain: Chain, body: bytes) -> EmailMessage:
    plain, words = msgspec.json.decode(body), Words(settings.language)
    subject = alarm_words.subject(words, chain.name, plain)
    to = settings.addresses(chain.name)
    return _mail(settings, to, subject, alarm_words.text(words, chain, plain))


def _mail(settings: MailSettings, to: Sequence[str], subject: str, text: str) -> EmailMessage:
    made = EmailMessage()
    made["Subject"] = subject
    made["From"], made["To"] = settings.sender, ", ".join(to)
    made.set_content(text)
    return made
