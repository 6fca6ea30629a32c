"""The registry over real HTTP: read as of an instant, edited with token, reason and version, in bulk too."""

import json
import threading
from datetime import timedelta
from typing import Any

import httpx
import pytest

from stonks_core.stores.postgres import Database
from tests.api import story

COMPANY = "/registry/companies/{company}"
NOW = story.AS_OF + timedelta(hours=5)
BEFORE = (NOW - timedelta(hours=1)).isoformat().replace("+00:00", "Z")
READ = {
    "/registry/companies": "/registry/companies?sector=Industrials&active=true&search=ac&state=any",
    COMPANY: "/registry/companies/acme",
    f"{COMPANY}/aliases": "/registry/companies/ACME/aliases",
    f"{COMPANY}/exposure": "/registry/companies/ACME/exposure",
    f"{COMPANY}/exposure/history": "/registry/companies/ACME/exposure/history",
    f"{COMPANY}/competitors": "/registry/companies/BOLT/competitors",
    "/registry/watchlists": "/registry/watchlists",
    "/registry/watchlists/{watchlist}": "/registry/watchlists/mine",
    "/registry/sources": "/registry/sources?source_type=news_api&active=true&parked=false&ticker=acme",
    "/registry/sources/{source}": "/registry/sources/The%20feed",
    "/registry/sources/{source}/runs": "/registry/sources/The%20feed/runs",
    "/registry/export": "/registry/export",
}
CHANGING = {
    ("post", "/registry/companies"), ("patch", COMPANY), ("delete", COMPANY), ("post", f"{COMPANY}/rename"),
    ("post", f"{COMPANY}/delist"), ("post", f"{COMPANY}/aliases"), ("delete", f"{COMPANY}/aliases"),
    ("put", f"{COMPANY}/exposure"), ("delete", f"{COMPANY}/exposure"),
    ("put", f"{COMPANY}/competitors/{{competitor}}"), ("delete", f"{COMPANY}/competitors/{{competitor}}"),
    ("post", "/registry/watchlists"), ("patch", "/registry/watchlists/{watchlist}"),
    ("delete", "/registry/watchlists/{watchlist}"), ("put", "/registry/watchlists/{watchlist}/members/{company}"),
    ("delete", "/registry/watchlists/{watchlist}/members/{company}"), ("post", "/registry/sources"),
    ("patch", "/registry/sources/{source}"), ("delete", "/registry/sources/{source}"),
    ("post", "/registry/sources/{source}/unpark"), ("post", "/registry/import"), ("post", "/registry/import/edgar-tickers"),
}  # fmt: skip
X = {"ticker": "X", "legal_name": "X"}
FEED = {"provider": "rss", "url": "https://news.example/feed.xml"}


class Desk:
    """An operator's client: answers are checked for their status and given as JSON."""

    def __init__(self, client: httpx.Client, headers: dict[str, str]) -> None:
        self.client, self.headers = client, headers

    def ask(self, address: str, status: int = 200) -> Any:
        answer = self.client.get(address)
        assert answer.status_code == status, answer.text
        return answer.json()

    def tell(self, method: str, address: str, status: int = 200, **body: Any) -> Any:
        given = {"reason": "said the test", **body}
        answer = self.client.request(method, address, json=given, headers=self.headers)
        return self._json(answer, status)

    def delete(self, address: str, status: int = 204, **query: Any) -> Any:
        params = {"reason": "said the test", **query}
        return self._json(self.client.delete(address, params=params, headers=self.headers), status)

    def upload(self, address: str, body: bytes, status: int = 200, **query: Any) -> Any:
        params = {"reason": "said the test", **query}
        return self._json(self.client.post(address, params=params, content=body, headers=self.headers), status)

    def _json(self, answer: httpx.Response, status: int) -> Any:
        assert answer.status_code == status, answer.text
        if status >= 400:
            assert answer.headers["content-type"] == "application/problem+json"
            assert len(answer.json()["detail"]) > 15
        return answer.json() if answer.content else None


@pytest.fixture
def desk(own_client: httpx.Client, operator: dict[str, str]) -> Desk:
    return Desk(own_client, operator)


def actions(database: Database) -> list[str]:
    return [row["action"] for row in database.fetch("SELECT action FROM audit_events ORDER BY id")]


def test_every_registry_route_is_described_and_tried_here(desk: Desk) -> None:
    paths = {path: m for path, m in desk.ask("/openapi.json")["paths"].items() if path.startswith("/registry")}
    assert {path for path, methods in paths.items() if "get" in methods} == set(READ)
    assert {(method, path) for path, methods in paths.items() for method in methods if method != "get"} == CHANGING
    for operation in (one for methods in paths.values() for one in methods.values()):
        assert operation["tags"] == ["registry"]
        assert operation["description"]
        assert "application/problem+json" in operation["responses"]["default"]["content"]


def test_every_reading_route_answers(desk: Desk) -> None:
    desk.tell("POST", "/registry/watchlists", 201, name="mine")
    desk.tell("POST", "/registry/sources", 201, name="The feed", source_type="news_api", ticker="ACME", config=FEED)
    desk.tell("PUT", "/registry/companies/ACME/exposure", version=0, commodity_sensitivity={"oil": -0.2})
    for path, address in READ.items():
        body = desk.ask(address)
        assert body.get("items", True) or path.endswith("/runs"), path


def test_a_companys_life(desk: Desk, database: Database) -> None:
    new = {"ticker": "NEWCO", "legal_name": "Newco Inc.", "sector": "Energy", "cik": 77}
    made = desk.tell("POST", "/registry/companies", 201, effective_from=BEFORE, **new)
    assert (made["ticker"], made["version"], made["delisted"], made["exposure"]) == ("NEWCO", 1, False, None)
    changed = desk.tell("PATCH", "/registry/companies/newco", version=1, industry="Oil")
    assert (changed["industry"], changed["sector"], changed["version"]) == ("Oil", "Energy", 2)
    renamed = desk.tell("POST", "/registry/companies/NEWCO/rename", version=2, ticker="NCO")
    assert renamed["company_id"] == made["company_id"]
    assert [state["ticker"] for state in renamed["history"]] == ["NEWCO", "NCO"]
    then = desk.ask(f"/registry/companies/NEWCO?as_of={BEFORE}")
    assert (then["ticker"], then["industry"]) == ("NEWCO", "")
    assert desk.ask("/registry/companies/NEWCO")["ticker"] == "NCO"
    assert [c["ticker"] for c in desk.ask("/registry/companies?search=newco")["items"]] == ["NCO"]
    assert [c["ticker"] for c in desk.ask(f"/registry/companies?search=newco&as_of={BEFORE}")["items"]] == ["NEWCO"]
    assert actions(database) == ["company_added", "company_changed", "company_renamed"]
    (first,) = database.fetch("SELECT actor, reason, detail FROM audit_events ORDER BY id LIMIT 1")
    assert (first["actor"], first["reason"]) == ("operator", "said the test")
    assert first["detail"]["trace_id"]
    desk.delete("/registry/companies/NCO", version=3)
    desk.ask("/registry/companies/NCO", 404)


def test_delisting_keeps_the_past_and_frees_the_ticker(desk: Desk) -> None:
    early = (NOW - timedelta(hours=2)).isoformat().replace("+00:00", "Z")
    gone = desk.tell("POST", "/registry/companies/ACME/delist", version=1, effective_from=BEFORE)
    assert gone["delisted"]
    assert gone["aliases"] == []
    assert [c["ticker"] for c in desk.ask("/registry/companies")["items"]] == ["BOLT"]
    assert [c["ticker"] for c in desk.ask("/registry/companies?state=delisted")["items"]] == ["ACME"]
    assert [c["ticker"] for c in desk.ask(f"/registry/companies?as_of={early}")["items"]] == ["ACME", "BOLT"]
    assert [c["competitor"] for c in desk.ask(f"/registry/companies/BOLT/competitors?as_of={early}")["items"]] == [
        "ACME"
    ]
    assert desk.ask("/registry/companies/BOLT/competitors")["items"] == []
    assert desk.ask("/api/companies/BOLT")["competitors"] == []
    made = desk.tell("POST", "/registry/companies", 201, ticker="ACME", legal_name="Acme Two")
    assert made["company_id"] != gone["company_id"]
    assert desk.ask(f"/registry/companies/ACME?as_of={early}")["company_id"] == gone["company_id"]
    assert desk.ask("/registry/companies/ACME")["company_id"] == made["company_id"]


def test_what_the_lake_and_the_books_name_is_not_removed(desk: Desk) -> None:
    told = desk.delete("/registry/companies/ACME", 409, version=1)
    for what in ("competitors", "orders", "document company mentions", "recommendations", "delist it instead"):
        assert what in told["detail"]


def test_a_stale_version_a_taken_ticker_and_a_bad_instant_are_told_apart(desk: Desk, database: Database) -> None:
    desk.tell("PATCH", "/registry/companies/ACME", version=1, sector="Energy")
    stale = desk.tell("PATCH", "/registry/companies/ACME", 409, version=1, sector="Materials")
    assert "ACME is at version 2 and you changed version 1" in stale["detail"]
    assert stale["type"] == "urn:stonks:problem:conflict"
    taken = desk.tell("POST", "/registry/companies/BOLT/rename", 409, version=1, ticker="ACME")
    assert "the ticker ACME belongs to Acme Corp." in taken["detail"]
    ahead = (NOW + timedelta(days=1)).isoformat().replace("+00:00", "Z")
    assert (
        "future" in desk.tell("POST", "/registry/companies/BOLT/delist", 400, version=1, effective_from=ahead)["detail"]
    )
    desk.tell("POST", "/registry/companies/BOLT/rename", 400, version=1)
    assert actions(database) == ["company_changed"]


def test_of_two_editors_at_once_one_gets_a_409(desk: Desk) -> None:
    together, statuses = threading.Barrier(2), list[int]()

    def edit(sector: str) -> None:
        body = {"reason": "at once", "version": 1, "sector": sector}
        together.wait(10)
        statuses.append(desk.client.patch("/registry/companies/ACME", json=body, headers=desk.headers).status_code)

    editors = [threading.Thread(target=edit, args=(sector,)) for sector in ("Energy", "Materials")]
    for editor in editors:
        editor.start()
    for editor in editors:
        editor.join(30)
    assert sorted(statuses) == [200, 409]


@pytest.mark.parametrize(
    ("method", "address", "body", "where"),
    [
        ("POST", "/registry/companies", {"ticker": "x y", "legal_name": "X"}, "body.ticker"),
        ("POST", "/registry/companies", {"ticker": "X"}, "body.legal_name"),
        ("POST", "/registry/companies", {"ticker": "X", "legal_name": "X", "reason": " "}, "body.reason"),
        ("POST", "/registry/companies", {"ticker": "X", "legal_name": "X", "sector": "Tech"}, "body.sector"),
        ("POST", "/registry/companies", {**X, "effective_from": "2026-03-04T00:00:00"}, "body.effective_from"),
        ("PATCH", "/registry/companies/ACME", {"sector": "Energy"}, "body.version"),
        ("PATCH", "/registry/companies/ACME", {"version": 1, "ticker": "X"}, "body.ticker"),
        (
            *("PUT", "/registry/companies/ACME/exposure", {"version": 0, "commodity_sensitivity": {"oil": 2}}),
            "body.commodity_sensitivity.oil",
        ),
        ("PUT", "/registry/companies/BOLT/competitors/ACME", {"version": 1, "strength": -1}, "body.strength"),
        ("POST", "/registry/sources", {"name": "x", "source_type": "web_scrape"}, "config.url"),
        ("POST", "/registry/sources", {"name": "x", "source_type": "broker", "config": {"key": 1}}, "config.key"),
    ],
)  # fmt: skip
def test_a_bad_body_names_its_field(desk: Desk, method: str, address: str, body: dict[str, Any], where: str) -> None:
    told = desk.tell(method, address, 422, **body)
    assert [error["where"] for error in told["errors"]] == [where]
    assert where in told["detail"]


def test_aliases_exposure_and_competitors_live(desk: Desk, database: Database) -> None:
    assert [a["alias"] for a in desk.tell("POST", "/registry/companies/ACME/aliases", 201, alias="AC/ME")["items"]] == [
        "AC/ME",
        "Acme",
    ]
    desk.delete("/registry/companies/ACME/aliases", alias="AC/ME", version=1)
    desk.delete("/registry/companies/ACME/aliases", 404, alias="AC/ME", version=1)
    one = desk.tell("PUT", "/registry/companies/ACME/exposure", version=0, revenue_by_region={"europe": 0.5})
    two = desk.tell("PUT", "/registry/companies/ACME/exposure", version=1, revenue_by_region={"europe": 0.6})
    assert (one["version"], two["version"]) == (1, 2)
    desk.tell("PUT", "/registry/companies/ACME/exposure", 409, version=1, revenue_by_region={"europe": 0.7})
    desk.delete("/registry/companies/ACME/exposure", version=2)
    desk.ask("/registry/companies/ACME/exposure", 404)
    (rival,) = desk.tell(
        "PUT", "/registry/companies/BOLT/competitors/ACME", version=1, strength=0.1, relationship="supplier"
    )["items"]
    assert (rival["strength"], rival["relationship"], rival["version"]) == (0.1, "supplier", 2)
    desk.delete("/registry/companies/BOLT/competitors/ACME", version=2)
    assert desk.ask("/registry/companies/BOLT/competitors")["items"] == []
    assert len(actions(database)) == 7


def test_watchlists_live(desk: Desk) -> None:
    made = desk.tell("POST", "/registry/watchlists", 201, name="mine", members=["ACME"])
    desk.tell("POST", "/registry/watchlists", 409, name="mine")
    path = f"/registry/watchlists/{made['watchlist_id']}"
    assert desk.tell("PUT", f"{path}/members/bolt")["members"] == ["ACME", "BOLT"]
    assert [c["ticker"] for c in desk.ask("/registry/companies?watchlist=mine")["items"]] == ["ACME", "BOLT"]
    assert desk.delete(f"{path}/members/ACME", 200, version=2)["members"] == ["BOLT"]
    assert desk.tell("PATCH", path, version=3, name="yours", members=[])["members"] == []
    desk.tell("PATCH", path, 409, version=3, description="late")
    desk.delete(path, version=4)
    assert desk.ask("/registry/watchlists")["items"] == []


def test_a_source_is_set_up_parked_and_taken_up_again(desk: Desk, database: Database) -> None:
    made = desk.tell(
        "POST", "/registry/sources", 201, name="feed", source_type="news_api", config=FEED, credibility=0.7
    )
    path = f"/registry/sources/{made['source_id']}"
    changed = desk.tell("PATCH", path, version=1, active=False)
    assert (changed["active"], changed["config"], changed["version"]) == (False, FEED, 2)
    desk.tell("PATCH", path, 409, version=1, active=True)
    desk.tell("PATCH", path, 422, version=2, config={"provider": "fax"})
    database.execute(
        "INSERT INTO source_states (source_id, failures_in_a_row, parked, last_error) VALUES (%s, 10, true, 'down')",
        (made["source_id"],),
    )
    for number in range(3):
        database.execute(
            "INSERT INTO ingestion_runs (source_id, day, status, started_at, finished_at) VALUES (%s, %s, 'succeeded', %s, %s)",
            (made["source_id"], NOW.date(), NOW, NOW + timedelta(minutes=number)),
        )
    assert [s["last_error"] for s in desk.ask("/registry/sources?parked=true")["items"]] == ["down"]
    assert (desk.tell("POST", f"{path}/unpark")["parked"], desk.ask(path)["failures_in_a_row"]) == (False, 0)
    page = desk.ask(f"{path}/runs?limit=2")
    rest = desk.ask(f"{path}/runs?limit=2&cursor={page['next_cursor']}")
    assert [len(page["items"]), len(rest["items"]), rest["next_cursor"]] == [2, 1, None]
    assert "switch it off" in desk.delete(path, 409, version=2)["detail"]
    spare = desk.tell("POST", "/registry/sources", 201, name="spare", source_type="broker")
    desk.delete(f"/registry/sources/{spare['source_id']}", version=1)


def test_lists_continue_with_their_cursor(desk: Desk) -> None:
    rows = "".join(f"T{number:03},Company {number}\n" for number in range(7))
    desk.upload("/registry/import", f"ticker,legal_name\n{rows}".encode(), table="companies", format="csv")
    seen, cursor = [], ""
    while cursor is not None:
        page = desk.ask(f"/registry/companies?limit=2&search=company&cursor={cursor}")
        seen += [company["ticker"] for company in page["items"]]
        cursor = page["next_cursor"]
    assert seen == [f"T{number:03}" for number in range(7)]


def test_an_import_says_what_it_would_do_does_it_and_then_has_nothing_to_do(desk: Desk, database: Database) -> None:
    body = b"ticker,legal_name,sector\nACME,Acme Corp.,Energy\nNEWCO,'=Newco,\n"
    query = {"table": "companies", "format": "csv"}
    planned = desk.upload("/registry/import", body, dry_run=True, **query)
    assert (planned["dry_run"], planned["lines"], planned["changed"], planned["unchanged"]) == (True, 2, 2, 0)
    assert actions(database) == []
    done = desk.upload("/registry/import", body, **query)
    assert done["items"] == planned["items"]
    assert desk.ask("/registry/companies/NEWCO")["legal_name"] == "=Newco"
    assert desk.upload("/registry/import", body, **query)["changed"] == 0
    assert actions(database) == ["company_changed", "company_added"]
    exported = desk.client.get("/registry/export?table=companies&format=csv")
    assert exported.headers["content-type"] == "text/csv; charset=utf-8"
    assert "NEWCO,'=Newco," in exported.text
    whole = desk.client.get("/registry/export").content
    assert desk.upload("/registry/import", whole)["changed"] == 0
    assert desk.upload("/registry/import", exported.content, **query)["changed"] == 0


def test_a_bad_import_is_refused_by_line_and_column_and_changes_nothing(desk: Desk, database: Database) -> None:
    body = b"ticker,legal_name,sector\nGOOD,Good,Energy\nbad,,Tech\n"
    told = desk.upload("/registry/import", body, 422, table="companies", format="csv")
    assert {error["where"] for error in told["errors"]} == {"line 3, ticker", "line 3, legal_name", "line 3, sector"}
    desk.upload("/registry/import", body, 400, format="csv")
    desk.upload("/registry/import", b"{", 400)
    assert "larger than 16 MiB" in desk.upload("/registry/import", b" " * (16 * 1024 * 1024 + 1), 413)["detail"]
    desk.ask("/registry/export?format=csv", 400)
    assert actions(database) == []
    assert len(desk.ask("/registry/companies")["items"]) == 2


def test_the_secs_list_is_uploaded(desk: Desk) -> None:
    rows = [(11, "ACME", "ACME CORP"), (12, "NEWCO", "NEWCO INC")]
    listed = {str(n): {"cik_str": cik, "ticker": ticker, "title": name} for n, (cik, ticker, name) in enumerate(rows)}
    body = json.dumps(listed).encode()
    planned = desk.upload("/registry/import/edgar-tickers", body, tickers=["newco"], dry_run=True)
    assert (planned["added"], planned["filled"], planned["listed"]) == (["NEWCO"], ["ACME"], 2)
    desk.upload("/registry/import/edgar-tickers", body, tickers=["newco"])
    assert desk.ask("/registry/companies/ACME")["cik"] == 11
    assert desk.ask("/registry/companies/ACME")["legal_name"] == "Acme Corp."
    assert desk.ask("/registry/companies/NEWCO")["legal_name"] == "NEWCO INC"
    assert desk.upload("/registry/import/edgar-tickers", body, all=True)["added"] == []
    assert desk.upload("/registry/import/edgar-tickers", body, 422, tickers=["NOPE"])["errors"][0]["where"] == "tickers"
