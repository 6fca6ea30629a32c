"""What hangs on a company, from a shell: aliases, exposure, competitors."""

from typing import Annotated

import typer

from stonks_cli.books import LIVE
from stonks_cli.registry.book import AsOf, Because, Book, Json, Since, edit_in, opened, present, report
from stonks_cli.root import guarded, print_json, print_table
from stonks_core.errors import BadInputError
from stonks_core.registry import attachments
from stonks_core.registry.entries import AliasEntry, Exposure, Rivalry, entry

alias_app = typer.Typer(no_args_is_help=True, help="Other names of companies, by which texts are matched.")
exposure_app = typer.Typer(no_args_is_help=True, help="What companies are exposed to: regions and commodities.")
competitors_app = typer.Typer(no_args_is_help=True, help="Whom a company's news may move.")
Pairs = Annotated[list[str] | None, typer.Option(help="NAME=NUMBER; may be given several times.")]


@alias_app.command("list")
@guarded
def list_aliases(company: str, *, as_of: AsOf = None, book: Book = LIVE, as_json: Json = False) -> None:
    """The other names of a company."""
    with opened(book) as stores, stores.database.connection() as connection:
        rows = attachments.aliases_of(connection, company, present(as_of))
    if as_json:
        print_json(rows)
    else:
        print_table("Aliases", rows, {"alias": "alias", "version": "version"})


@alias_app.command("add")
@guarded
def add_alias(
    company: str, alias: str, reason: Because, *, effective_from: Since = None, book: Book = LIVE, as_json: Json = False
) -> None:
    """Give a company another name."""
    checked = entry(AliasEntry, {"ticker": "A", "alias": alias})
    with opened(book) as stores, edit_in(stores, reason, effective_from) as edit:
        new = attachments.add_alias(edit, company, checked.alias)
    said = f"{company} is also {checked.alias}" if new else f"{company} was {checked.alias} already"
    report({"company": company, "alias": checked.alias, "new": new}, said, as_json=as_json)


@alias_app.command("remove")
@guarded
def remove_alias(
    company: str, alias: str, reason: Because, *, effective_from: Since = None, book: Book = LIVE, as_json: Json = False
) -> None:
    """Take a name from a company."""
    with opened(book) as stores, edit_in(stores, reason, effective_from) as edit:
        attachments.remove_alias(edit, company, alias, None)
    report({"company": company, "removed": alias}, f"{company} is not {alias} any more", as_json=as_json)


@exposure_app.command("show")
@guarded
def show_exposure(company: str, *, as_of: AsOf = None, book: Book = LIVE, as_json: Json = False) -> None:
    """What a company is exposed to; nothing where the default of its sector holds."""
    with opened(book) as stores, stores.database.connection() as connection:
        row = attachments.exposure_of(connection, company, present(as_of))
    if as_json:
        print_json(row)
    else:
        columns = {"revenue_by_region": "revenue", "commodity_sensitivity": "commodities", "basis": "basis"}
        print_table("Exposure", [row] if row else [], columns)


@exposure_app.command("set")
@guarded
def set_exposure(
    company: str,
    reason: Because,
    *,
    region: Pairs = None,
    commodity: Pairs = None,
    supply: Annotated[list[str] | None, typer.Option(help="A region of the supply chain; several times.")] = None,
    basis: Annotated[str, typer.Option(help="What the numbers rest on.")] = "entered by hand",
    effective_from: Since = None,
    book: Book = LIVE,
    as_json: Json = False,
) -> None:
    """Say what a company is exposed to, all of it: --region europe=0.4 --commodity oil=-0.3."""
    exposure = entry(
        Exposure,
        {
            "revenue_by_region": _numbers("--region", region),
            "commodity_sensitivity": _numbers("--commodity", commodity),
            "supply_chain_regions": list(supply or ()),
            "basis": basis,
        },
    )
    with opened(book) as stores, edit_in(stores, reason, effective_from) as edit:
        new = attachments.set_exposure(edit, company, exposure, None)
    said = f"the exposure of {company} {'is set' if new else 'was that already'}"
    report({"company": company, "new": new, **exposure.model_dump()}, said, as_json=as_json)


@exposure_app.command("remove")
@guarded
def remove_exposure(
    company: str, reason: Because, *, effective_from: Since = None, book: Book = LIVE, as_json: Json = False
) -> None:
    """Let the default of the company's sector hold again."""
    with opened(book) as stores, edit_in(stores, reason, effective_from) as edit:
        attachments.remove_exposure(edit, company, None)
    report({"company": company, "removed": True}, f"the sector's default holds for {company}", as_json=as_json)


@competitors_app.command("list")
@guarded
def list_competitors(company: str, *, as_of: AsOf = None, book: Book = LIVE, as_json: Json = False) -> None:
    """Whom a company's news may move, the strongest first."""
    with opened(book) as stores, stores.database.connection() as connection:
        rows = attachments.competitors_of(connection, company, present(as_of))
    if as_json:
        print_json(rows)
    else:
        columns = {"competitor": "ticker", "legal_name": "legal name", "relationship": "is", "strength": "strength"}
        print_table("Competitors", rows, columns)


@competitors_app.command("set")
@guarded
def set_competitor(
    company: str,
    competitor: str,
    strength: float,
    reason: Because,
    *,
    relationship: Annotated[str, typer.Option(help="How the other stands to the company.")] = "direct_competitor",
    effective_from: Since = None,
    book: Book = LIVE,
    as_json: Json = False,
) -> None:
    """Say how strongly (0 to 1) a company's news moves another."""
    rivalry = entry(Rivalry, {"relationship": relationship, "strength": strength})
    with opened(book) as stores, edit_in(stores, reason, effective_from) as edit:
        new = attachments.set_competitor(edit, company, competitor, rivalry, None)
    said = f"{company} to {competitor}: {rivalry.relationship} {rivalry.strength:g}{'' if new else ', as before'}"
    done = {"company": company, "competitor": competitor, "new": new, **rivalry.model_dump(mode="json")}
    report(done, said, as_json=as_json)


@competitors_app.command("remove")
@guarded
def remove_competitor(
    company: str,
    competitor: str,
    reason: Because,
    *,
    effective_from: Since = None,
    book: Book = LIVE,
    as_json: Json = False,
) -> None:
    """Say no longer how a company stands to another."""
    with opened(book) as stores, edit_in(stores, reason, effective_from) as edit:
        attachments.remove_competitor(edit, company, competitor, None)
    done = {"company": company, "removed": competitor}
    report(done, f"nothing is said of {company} to {competitor} any more", as_json=as_json)


def _numbers(option: str, given: list[str] | None) -> dict[str, float]:
    found: dict[str, float] = {}
    for pair in given or ():
        name, _, number = pair.partition("=")
        try:
            found[name] = float(number)
        except ValueError as error:
            raise BadInputError(f"{option} {pair!r} is not NAME=NUMBER, such as europe=0.4") from error
    return found
