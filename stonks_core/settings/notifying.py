"""The slice of notifications: where people are told, and how much."""

from typing import Annotated, Literal

from pydantic import Field, SecretStr

from stonks_core.settings.slices import Port, Seconds, Slice


class Notifying(Slice):
    """Where people are told what happens. What is not set is not used; the screens show everything."""

    sns_topic_arn: str = Field(
        "", alias="TRADING_SNS_TOPIC_ARN", pattern=r"^$|^arn:aws[a-z-]*:sns:\S+$", description="AWS SNS topic for SMS"
    )
    sns_phone_number: str = Field(
        "", alias="TRADING_SNS_PHONE_NUMBER", pattern=r"^$|^\+[1-9]\d{6,14}$", description="phone number for SMS, E.164"
    )
    gmail_sender: str = Field(
        "", alias="TRADING_GMAIL_SENDER", pattern=r"^$|^[^@\s]+@[^@\s]+$", description="sender of e-mail notifications"
    )
    gmail_recipient: str = Field(
        "",
        alias="TRADING_GMAIL_RECIPIENT",
        pattern=r"^$|^[^@\s]+@[^@\s]+$",
        description="recipient of e-mail notifications",
    )
    gmail_password: SecretStr = Field(
        SecretStr(""),
        alias="TRADING_GMAIL_PASSWORD",
        description="the sender's app password; without it no e-mail is sent",
    )
    smtp_host: str = Field(
        "smtp.gmail.com",
        alias="TRADING_SMTP_HOST",
        pattern=r"^[A-Za-z0-9._:-]+$",
        description="mail server that takes the e-mails",
    )
    smtp_port: Port = Field(465, alias="TRADING_SMTP_PORT", description="its port")
    smtp_security: Literal["tls", "starttls", "none"] = Field(
        "tls", alias="TRADING_SMTP_SECURITY", description="tls, starttls, or none for a server on this machine"
    )
    urls: SecretStr = Field(
        SecretStr(""),
        alias="TRADING_NOTIFY_URLS",
        description="addresses for Slack, Telegram, Discord, webhooks and so on as Apprise writes them, blank between them",
    )
    severity: Literal["info", "warning", "critical"] = Field(
        "warning", alias="TRADING_NOTIFY_SEVERITY", description="least severity that leaves this machine, by default"
    )
    per_hour: Annotated[int, Field(ge=1, le=1000)] = Field(
        20, alias="TRADING_NOTIFY_PER_HOUR", description="messages an hour through a channel, by default"
    )
    timeout: Seconds = Field(10, alias="TRADING_NOTIFY_TIMEOUT", description="seconds until a channel counts as down")
