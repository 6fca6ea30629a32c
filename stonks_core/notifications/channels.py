"""The channels that the settings name: SMS through AWS SNS, e-mail through a mail server, all else through Apprise.

A channel sends one message, or raises TransientError (it may pass) or PermanentError (it will not) with a sentence that
holds none of its secrets.
"""

import logging
import re
import smtplib
import ssl
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.message import EmailMessage
from typing import Any

from stonks_core.errors import PermanentError, SettingsError, TransientError
from stonks_core.settings.notifying import Notifying

SMS, EMAIL = "sms", "email"
LONGEST_SMS = 600
SHORTEST_SECRET = 6
REFUSED = (smtplib.SMTPAuthenticationError, smtplib.SMTPRecipientsRefused, smtplib.SMTPSenderRefused)


@dataclass(frozen=True)
class Channel:
    """A way to people. `send` takes a subject and a body of plain text."""

    name: str
    send: Callable[[str, str], None]


def channels_of(settings: Notifying) -> Mapping[str, Channel]:
    """The channels by name; SettingsError where an address is none. Nothing is connected to before it is needed."""
    found: list[Channel] = []
    if settings.sns_topic_arn or settings.sns_phone_number:
        found.append(Channel(SMS, lambda subject, body: _sms(settings, subject, body)))
    if settings.gmail_sender and settings.gmail_recipient and settings.gmail_password.get_secret_value():
        found.append(Channel(EMAIL, lambda subject, body: _email(settings, subject, body)))
    found += _others(settings)
    return {channel.name: channel for channel in found}


def _sms(settings: Notifying, subject: str, body: str) -> None:
    import boto3  # noqa: PLC0415  takes half a second, and most installs have no SNS
    from botocore.config import Config  # noqa: PLC0415
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

    text = f"{subject}\n{body}"
    to = {"TopicArn": settings.sns_topic_arn} if settings.sns_topic_arn else {"PhoneNumber": settings.sns_phone_number}
    region = settings.sns_topic_arn.split(":")[3] if settings.sns_topic_arn else None
    limits = Config(connect_timeout=settings.timeout, read_timeout=settings.timeout, retries={"max_attempts": 0})
    try:
        client: Any = boto3.Session().client("sns", region_name=region, config=limits)
        client.publish(Message=text if len(text) <= LONGEST_SMS else text[: LONGEST_SMS - 1] + "…", **to)
    except ClientError as error:
        told = error.response.get("Error", {})
        sentence = f"AWS SNS refused the SMS: {told.get('Code', 'no code')}: {told.get('Message', '')}"
        status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 500))
        if status >= 500 or told.get("Code") in {"Throttling", "ThrottledException"}:
            raise TransientError(sentence) from error
        raise PermanentError(sentence) from error
    except BotoCoreError as error:
        raise TransientError(f"AWS SNS cannot be asked: {error}") from error


def _email(settings: Notifying, subject: str, body: str) -> None:
    message = EmailMessage()
    message["From"], message["To"] = settings.gmail_sender, settings.gmail_recipient
    message["Subject"] = " ".join(subject.split())
    message.set_content(body or subject)
    where = f"the mail server {settings.smtp_host}:{settings.smtp_port}"
    try:
        with _server(settings) as server:
            if settings.smtp_security != "none":
                server.login(settings.gmail_sender, settings.gmail_password.get_secret_value())
            server.send_message(message)
    except REFUSED as error:
        code = getattr(error, "smtp_code", "")
        what = "the login" if isinstance(error, smtplib.SMTPAuthenticationError) else "the sender or recipient"
        raise PermanentError(
            f"{where} refused {what} ({code or 'no code'}): see TRADING_GMAIL_SENDER, TRADING_GMAIL_RECIPIENT and "
            "TRADING_GMAIL_PASSWORD, which is an app password"
        ) from error
    except (smtplib.SMTPException, OSError) as error:
        raise TransientError(f"{where} did not take the e-mail: {type(error).__name__}: {error}") from error


def _server(settings: Notifying) -> smtplib.SMTP:
    host, port, timeout = settings.smtp_host, settings.smtp_port, settings.timeout
    if settings.smtp_security == "tls":
        return smtplib.SMTP_SSL(host, port, timeout=timeout, context=ssl.create_default_context())
    server = smtplib.SMTP(host, port, timeout=timeout)
    if settings.smtp_security == "starttls":
        server.starttls(context=ssl.create_default_context())
    return server


def _others(settings: Notifying) -> list[Channel]:
    """One channel for each of Apprise's addresses, called by its service: slack, discord, slack-2."""
    urls = settings.urls.get_secret_value().split()
    if not urls:
        return []
    import apprise  # noqa: PLC0415  knows a hundred services, and takes its time to

    found, seen = [], Counter[str]()
    for number, url in enumerate(urls, 1):
        service: Any = apprise.Apprise.instantiate(url)
        if service is None:
            raise SettingsError(
                f"address {number} of TRADING_NOTIFY_URLS is none that Apprise knows: "
                "see github.com/caronc/apprise for how the address of each service is written"
            )
        service.socket_connect_timeout = service.socket_read_timeout = settings.timeout
        name = "-".join(str(service.service_name).lower().split())
        seen[name] += 1
        found.append(_apprise_channel(name if seen[name] == 1 else f"{name}-{seen[name]}", service, url))
    return found


def _apprise_channel(name: str, service: Any, url: str) -> Channel:
    import apprise  # noqa: PLC0415

    capture: Any = apprise.LogCapture

    def send(subject: str, body: str) -> None:
        with capture(level=logging.WARNING) as log:
            try:
                taken = service.notify(title=subject, body=body or subject)
            except (TypeError, OSError) as error:
                raise TransientError(f"{name} did not take the message: {type(error).__name__}") from error
            said = " ".join(log.getvalue().split())
        if not taken:
            raise TransientError(f"{name} did not take the message: {_without(said, url) or 'it said nothing'}")

    return Channel(name, send)


def _without(text: str, url: str) -> str:
    """A text without any part of an address that could be a secret."""
    for part in sorted(re.split(r"[^\w.-]+", url), key=len, reverse=True):
        if len(part) >= SHORTEST_SECRET:
            text = text.replace(part, "***")
    return text[:300]
