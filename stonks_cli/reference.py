"""`docs/configuration.md`, made out of the settings themselves, so that it cannot say anything else."""

from pydantic import SecretStr
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from stonks_core.settings import GONE, SLICES

_HEAD = """# Configuration

Every setting is an environment variable; a `.env` file in the folder you start from is read too, and the environment
goes before it. An empty value counts as unset. A bad value stops the start with the variable, its value and what is
allowed. This page is made from the settings by `stonks docs --write`.
"""
_TAIL = """
## What took Redis' place

{gone}

Queues became partitioned assets and rows in PostgreSQL, dead letters the table `failures` with replay, locks PostgreSQL's
own, rate limits the table `rate_limits`, wake-ups `NOTIFY`; polling finds whatever a lost wake-up would miss. These
variables are not read: {names}.
"""


def configuration_page() -> str:
    """The page, from the slices' fields."""
    parts = [_HEAD]
    for name, model in SLICES.items():
        parts.append(
            f"\n## {name.replace('_', ' ').capitalize()}\n\n{model.__doc__}\n\n| variable | default | what it is |\n|---|---|---|\n"
        )
        parts += [
            f"| `{info.alias}` | {_default(info)} | {info.description} |\n" for info in model.model_fields.values()
        ]
    parts.append(_TAIL.format(gone="There is no Redis.", names=", ".join(f"`{name}`" for name in GONE)))
    return "".join(parts)


def _default(info: FieldInfo) -> str:
    value = info.default
    if value is PydanticUndefined or value is None or value == "":
        return "_(none)_"
    if isinstance(value, SecretStr):
        return f"`{value.get_secret_value()}`" if value.get_secret_value() else "_(none)_"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return f"`{value}`"
