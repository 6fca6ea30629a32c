"""Channels against servers that speak their protocols on loopback: SMTP, AWS SNS, a webhook."""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Message

from stonks_core.errors import PermanentError, SettingsError, TransientError
from stonks_core.notifications.channels import channels_of
from stonks_core.settings.notifying import Notifying

SECRET = "sesame-opens-nothing"


def notifying(**variables: object) -> Notifying:
    return Notifying.model_validate({"TRADING_NOTIFY_TIMEOUT": 5, **variables})


@dataclass
class Web:
    """A server that keeps what was posted and answers as it is told."""

    status: int = 200
    answer: bytes = b"{}"
    posted: list[tuple[str, bytes]] = field(default_factory=list)
    port: int = 0

    @contextmanager
    def served(self) -> Iterator["Web"]:
        web = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                web.posted.append((self.path, self.rfile.read(int(self.headers["content-length"]))))
                self.send_response(web.status)
                self.send_header("content-length", str(len(web.answer)))
                self.end_headers()
                self.wfile.write(web.answer)

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield self
        finally:
            server.shutdown()
            server.server_close()
            thread.join(5)


@pytest.fixture
def web() -> Iterator[Web]:
    with Web().served() as served:
        yield served


def test_nothing_is_set_up_where_nothing_is_set() -> None:
    assert channels_of(notifying()) == {}
    assert channels_of(notifying(TRADING_GMAIL_SENDER="a@b.c", TRADING_GMAIL_RECIPIENT="d@e.f")) == {}, "no password"


class Box(Message):
    """A mailbox."""

    def __init__(self) -> None:
        super().__init__()
        self.got: list[Any] = []

    def handle_message(self, message: Any) -> None:
        self.got.append(message)


@contextmanager
def mail_server(handler: Message) -> Iterator[int]:
    """A mail server on a free port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    server = Controller(handler, hostname="127.0.0.1", port=port)
    server.start()
    try:
        yield port
    finally:
        server.stop()


def mailing(port: int, **more: object) -> Notifying:
    return notifying(
        TRADING_GMAIL_SENDER="oracle@example.org",
        TRADING_GMAIL_RECIPIENT="quant@example.org",
        TRADING_GMAIL_PASSWORD=SECRET,
        TRADING_SMTP_HOST="127.0.0.1",
        TRADING_SMTP_PORT=port,
        TRADING_SMTP_SECURITY="none",
        **more,
    )


def test_an_e_mail_arrives_whole() -> None:
    box = Box()
    with mail_server(box) as port:
        channels_of(mailing(port))["email"].send("A subject\nBcc: x@y.z", "Zwölf Zeilen.")
    (message,) = box.got
    assert (message["to"], message["subject"], message["bcc"]) == ("quant@example.org", "A subject Bcc: x@y.z", None)
    assert message.get_payload(decode=True).decode().strip() == "Zwölf Zeilen."


def test_a_mail_server_that_is_not_there_or_refuses_is_said_without_the_password() -> None:
    with pytest.raises(TransientError, match=r"127\.0\.0\.1:9 did not take the e-mail") as away:
        channels_of(mailing(9))["email"].send("s", "b")

    class Refusing(Box):
        async def handle_RCPT(self, *_: Any) -> str:  # noqa: N802  the library's name
            return "550 no such mailbox"

    with mail_server(Refusing()) as port, pytest.raises(PermanentError, match="refused the sender or") as refused:
        channels_of(mailing(port))["email"].send("s", "b")
    assert SECRET not in f"{away.value}{refused.value}"


@pytest.fixture
def aws(web: Web, monkeypatch: pytest.MonkeyPatch) -> Web:
    monkeypatch.setenv("AWS_ENDPOINT_URL_SNS", f"http://127.0.0.1:{web.port}")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    web.answer = (
        b'<PublishResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><PublishResult><MessageId>1</MessageId>'
        b"</PublishResult></PublishResponse>"
    )
    return web


@pytest.mark.parametrize(
    ("variable", "value", "named"),
    [
        ("TRADING_SNS_PHONE_NUMBER", "+4915112345678", "PhoneNumber"),
        ("TRADING_SNS_TOPIC_ARN", "arn:aws:sns:us-east-1:123456789012:alarms", "TopicArn"),
    ],
)
def test_an_sms_is_published(aws: Web, variable: str, value: str, named: str) -> None:
    channels_of(notifying(**{variable: value}))["sms"].send("Alarm", "x" * 2000)
    ((_, body),) = aws.posted
    form = parse_qs(body.decode())
    assert (form["Action"], form[named]) == (["Publish"], [value])
    assert form["Message"][0].startswith("Alarm\nxxx")
    assert len(form["Message"][0]) == 600


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (403, "AuthorizationError", PermanentError),
        (400, "Throttling", TransientError),
        (500, "InternalFailure", TransientError),
    ],
)
def test_what_sns_refuses_is_told(aws: Web, status: int, code: str, kind: type[Exception]) -> None:
    aws.status = status
    aws.answer = (
        f"<ErrorResponse><Error><Code>{code}</Code><Message>not today</Message></Error></ErrorResponse>".encode()
    )
    with pytest.raises(kind, match=f"AWS SNS refused the SMS: {code}: not today") as told:
        channels_of(notifying(TRADING_SNS_PHONE_NUMBER="+4915112345678"))["sms"].send("s", "b")
    assert SECRET not in str(told.value)
    assert len(aws.posted) == 1, "the library does not try again by itself"


def test_an_sms_without_credentials_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "nowhere")
    monkeypatch.setenv("AWS_CONFIG_FILE", "nowhere")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    topic = "arn:aws:sns:us-east-1:123456789012:alarms"
    with pytest.raises(TransientError, match="AWS SNS cannot be asked: Unable to locate credentials"):
        channels_of(notifying(TRADING_SNS_TOPIC_ARN=topic))["sms"].send("s", "b")


def test_webhooks_are_named_by_their_service_and_posted_to(web: Web) -> None:
    urls = f"json://127.0.0.1:{web.port}/hook-{SECRET} json://127.0.0.1:{web.port}/two"
    channels = channels_of(notifying(TRADING_NOTIFY_URLS=urls))
    assert list(channels) == ["json", "json-2"]
    channels["json"].send("Alarm", "It is so.")
    ((path, body),) = web.posted
    told = json.loads(body)
    assert (path, told["title"], told["message"]) == (f"/hook-{SECRET}", "Alarm", "It is so.")
    web.status = 500
    with pytest.raises(TransientError, match="json did not take the message") as failed:
        channels["json"].send("Alarm", "It is so.")
    assert SECRET not in str(failed.value)


def test_slack_discord_and_telegram_are_known() -> None:
    urls = (
        "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/ discord://4174216298/JHMHI8qBe7bk2ZwO5U711o3dV_js "
        "tgram://123456789:ABCdefghijkl/12315544/"
    )
    assert list(channels_of(notifying(TRADING_NOTIFY_URLS=urls))) == ["slack", "discord", "telegram"]


def test_an_address_that_is_none_is_refused_by_its_number() -> None:
    with pytest.raises(SettingsError, match="address 2 of TRADING_NOTIFY_URLS") as told:
        channels_of(notifying(TRADING_NOTIFY_URLS=f"json://localhost {SECRET}"))
    assert SECRET not in str(told.value)
