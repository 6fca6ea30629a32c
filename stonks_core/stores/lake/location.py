"""Where the lake is: a local folder or an S3-compatible bucket, and whether that store can hold a lake at all."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from stonks_core.errors import PermanentError, TransientError
from stonks_core.settings import Settings
from stonks_core.settings.slices import Minio

BUCKET = "stonks-lakehouse"
_REGION = "us-east-1"


@dataclass(frozen=True)
class LakeLocation:
    """The folder or bucket address under which each table has a folder, and delta-rs' options to reach it."""

    root: str
    options: Mapping[str, str] = field(default_factory=dict)

    @property
    def local(self) -> bool:
        """Whether it is a folder of this machine."""
        return not self.root.startswith("s3://")

    def table_uri(self, name: str) -> str:
        """The address of one table."""
        return f"{self.root}/{name}"


def lake_location(settings: Settings) -> LakeLocation:
    """The lake's place by the settings: STONKS_HOME/lake, or the bucket at MINIO_ENDPOINT; staged by prefix."""
    if settings.minio.local:
        folder = settings.general.home.resolve() / f"{settings.stage_prefix}lake"
        return LakeLocation(str(folder))
    return LakeLocation(f"s3://{settings.stage_prefix}{BUCKET}", _s3_options(settings.minio))


def _s3_options(minio: Minio) -> dict[str, str]:
    scheme = "https" if minio.secure else "http"
    return {
        "AWS_ENDPOINT_URL": f"{scheme}://{minio.endpoint}",
        "AWS_ACCESS_KEY_ID": minio.access_key.get_secret_value(),
        "AWS_SECRET_ACCESS_KEY": minio.secret_key.get_secret_value(),
        "AWS_REGION": _REGION,
        "AWS_ALLOW_HTTP": "false" if minio.secure else "true",
        "AWS_VIRTUAL_HOSTED_STYLE_REQUEST": "false",
    }


def prepare(location: LakeLocation, environment: Mapping[str, str]) -> None:
    """Make the folder or bucket, and refuse an object store that would lose commits.

    Commits rest on conditional writes: the second `PUT If-None-Match: *` of one key must be refused with 412. A server
    that ignores the condition loses commits silently.
    """
    if location.local:
        try:
            Path(location.root).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise PermanentError(f"the lake's folder {location.root} cannot be made: {error}") from error
        return
    if environment.get("AWS_S3_ALLOW_UNSAFE_RENAME"):
        raise PermanentError("AWS_S3_ALLOW_UNSAFE_RENAME is set: it lets two writers overwrite each other; unset it")
    client = _client(location)
    bucket = location.root.removeprefix("s3://")
    try:
        _ensure_bucket(client, bucket)
        _probe(client, bucket, location.options["AWS_ENDPOINT_URL"])
    except BotoCoreError as error:
        raise TransientError(f"object store {location.options['AWS_ENDPOINT_URL']} does not answer: {error}") from error


def _client(location: LakeLocation) -> Any:
    return boto3.client(
        "s3",
        endpoint_url=location.options["AWS_ENDPOINT_URL"],
        aws_access_key_id=location.options["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=location.options["AWS_SECRET_ACCESS_KEY"],
        region_name=_REGION,
        config=Config(
            s3={"addressing_style": "path"}, connect_timeout=5, read_timeout=15, retries={"total_max_attempts": 2}
        ),
    )


def _ensure_bucket(client: Any, bucket: str) -> None:
    try:
        client.create_bucket(Bucket=bucket)
    except ClientError as error:
        if error.response["Error"]["Code"] not in {"BucketAlreadyOwnedByYou", "BucketAlreadyExists"}:
            raise PermanentError(f"bucket {bucket} cannot be made: {error}") from error


def _probe(client: Any, bucket: str, endpoint: str) -> None:
    key = "_probe/conditional-write"
    try:
        client.put_object(Bucket=bucket, Key=key, Body=b"1")
    except ClientError as error:
        raise PermanentError(f"object store {endpoint} does not let us write into bucket {bucket}: {error}") from error
    try:
        client.put_object(Bucket=bucket, Key=key, Body=b"2", IfNoneMatch="*")
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] == 412:
            return
        raise PermanentError(f"object store {endpoint} answered the conditional-write probe with {error}") from error
    raise PermanentError(
        f"object store {endpoint} ignores If-None-Match and would lose commits: use one that honours conditional writes"
    )
