"""The one resource: a `Pipeline` over the stores that the settings name."""

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import ClassVar

import dagster as dg

from stonks_assets.pipeline import Pipeline
from stonks_core.clock import Clock, SystemClock
from stonks_core.settings import Settings, load_settings
from stonks_core.stores.opening import open_stores

Opener = Callable[[], AbstractContextManager[Pipeline]]


@contextmanager
def open_pipeline(settings: Settings, clock: Clock) -> Iterator[Pipeline]:
    """A pipeline over open stores, which `stonks up` or `stonks run` has made: an asset does not migrate."""
    with open_stores(settings, os.environ, application="stonks-assets", made=True) as stores:
        yield Pipeline(stores.settings, stores.lake, stores.database, clock)


class PipelineResource(dg.ConfigurableResource["PipelineResource"]):
    """Opens a pipeline for the time of an asset's body. Tests hand in their own opener."""

    opener: ClassVar[Opener | None] = None

    @classmethod
    def of(cls, opener: Opener) -> "PipelineResource":
        """A resource that opens what it is told to: a class of its own, because Dagster makes resources anew."""

        class Given(PipelineResource):
            """A resource with an opener."""

        Given.opener = staticmethod(opener)
        return Given()

    @contextmanager
    def open(self) -> Iterator[Pipeline]:
        """The pipeline, closed at the end of the block."""
        opener = type(self).opener
        if opener is not None:
            with opener() as pipeline:
                yield pipeline
            return
        with open_pipeline(environment_settings(), SystemClock()) as pipeline:
            yield pipeline


def environment_settings() -> Settings:
    """The settings of this process: its environment over the `.env` file of the folder it was started in."""
    return load_settings(os.environ, Path(".env"))
