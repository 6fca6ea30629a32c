"""Where the lake is, and the probe that refuses an object store which would lose commits."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import uvicorn
from fastapi import FastAPI, Request, Response

from stonks_core.errors import PermanentError, TransientError
from stonks_core.settings import load_settings
from stonks_core.stores.lake.location import LakeLocation, lake_location, prepare


def object_store(*, honours: bool = True, may_write: bool = True, may_create: bool = True) -> FastAPI:
    """As much of S3 as the probe needs: buckets and keys by PUT, the condition honoured or not."""
    app, held = FastAPI(), set[str]()

    def refusal(status: int, code: str) -> Response:
        return Response(
            f"<Error><Code>{code}</Code><Message>no</Message></Error>", status, media_type="application/xml"
        )

    @app.put("/{path:path}")
    async def put(path: str, request: Request) -> Response:
        await request.body()
        bucket, _, key = path.strip("/").partition("/")
        if not key:
            if not may_create:
                return refusal(403, "AccessDenied")
            if bucket in held:
                return refusal(409, "BucketAlreadyOwnedByYou")
            held.add(bucket)
            return Response(status_code=200)
        if not may_write:
            return refusal(403, "AccessDenied")
        if honours and request.headers.get("if-none-match") == "*" and path in held:
            return refusal(412, "PreconditionFailed")
        held.add(path)
        return Response(status_code=200, headers={"etag": '"1"'})

    return app


@contextmanager
def served(app: FastAPI) -> Iterator[str]:
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    started = threading.Event()

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            started.set()

    server = Server(uvicorn.Config(app, log_level="error", lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        assert started.wait(20)
        yield f"127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(20)
        listener.close()


def bucket_at(endpoint: str) -> LakeLocation:
    return lake_location(load_settings({"MINIO_ENDPOINT": endpoint, "DEPLOY_STAGE": "blue"}))


def test_a_store_that_honours_conditions_is_taken_twice() -> None:
    with served(object_store()) as endpoint:
        prepare(bucket_at(endpoint), {})
        prepare(bucket_at(endpoint), {})


@pytest.mark.parametrize(
    ("store", "words"),
    [
        (object_store(honours=False), "ignores If-None-Match and would lose commits"),
        (object_store(may_write=False), "does not let us write into bucket blue-stonks-lakehouse"),
        (object_store(may_create=False), "bucket blue-stonks-lakehouse cannot be made"),
    ],
)
def test_a_store_that_will_not_do_is_refused(store: FastAPI, words: str) -> None:
    with served(store) as endpoint, pytest.raises(PermanentError, match=words):
        prepare(bucket_at(endpoint), {})


def test_a_store_that_is_down_is_said() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: nobody else gets it, and nobody answers
        endpoint = f"127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(TransientError, match=f"object store http://{endpoint} does not answer"):
            prepare(bucket_at(endpoint), {})


def test_unsafe_renames_are_refused() -> None:
    with pytest.raises(PermanentError, match="AWS_S3_ALLOW_UNSAFE_RENAME is set"):
        prepare(bucket_at("127.0.0.1:1"), {"AWS_S3_ALLOW_UNSAFE_RENAME": "true"})


def test_a_bucket_and_its_options() -> None:
    location = bucket_at("store:9000")
    assert not location.local
    assert location.table_uri("documents") == "s3://blue-stonks-lakehouse/documents"
    assert location.options["AWS_ENDPOINT_URL"] == "http://store:9000"
    assert location.options["AWS_ALLOW_HTTP"] == "true"
    secure = lake_location(load_settings({"MINIO_ENDPOINT": "store", "MINIO_SECURE": "true"}))
    assert (secure.options["AWS_ENDPOINT_URL"], secure.options["AWS_ALLOW_HTTP"]) == ("https://store", "false")
    assert not any("UNSAFE" in name for name in location.options)


def test_a_folder_is_made(tmp_path: Path) -> None:
    location = lake_location(load_settings({"STONKS_HOME": str(tmp_path / "home"), "DEPLOY_STAGE": "blue"}))
    assert location.local
    assert location.options == {}
    prepare(location, {"AWS_S3_ALLOW_UNSAFE_RENAME": "true"})
    prepare(location, {})
    assert (tmp_path / "home" / "blue-lake").is_dir()


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("a file")
    location = lake_location(load_settings({"STONKS_HOME": str(tmp_path / "home")}))
    with pytest.raises(PermanentError, match=r"the lake's folder .* cannot be made"):
        prepare(location, {})
