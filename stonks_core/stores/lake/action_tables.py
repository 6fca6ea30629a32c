"""Corporate actions: splits and dividends, the silver table that makes bars as traded comparable."""

from stonks_core.stores.lake.tables import FROM_0, POSITIVE, Grade, LakeTable, instant, real, text

CORPORATE_ACTIONS = LakeTable(
    name="corporate_actions",
    grade=Grade.SILVER,
    owner="ingestion",
    doc="Splits and dividends as vendors list them, under their ex-date; a correction is a row of its own.",
    key=("ticker", "kind", "ex_date", "provider", "action_id", "terms"),
    columns=(
        text("ticker", "the company's ticker"),
        text("kind", "split (stock dividends among them) or dividend", among=("split", "dividend")),
        text("ex_date", "first session that trades without it, ISO date; also the partition", "raw_market_api.payload"),
        text("provider", "who lists it: polygon, alpaca or sandbox"),
        text("action_id", "the vendor's name for it, or its type where it has none", "raw_market_api.payload"),
        text("terms", "its figures in words, such as 1:10 or 0.25 USD", "raw_market_api.payload"),
        real("split_from", "old shares", "raw_market_api.payload", null=True, within=POSITIVE),
        real("split_to", "new shares for them", "raw_market_api.payload", null=True, within=POSITIVE),
        real("cash_amount", "cash for each share", "raw_market_api.payload", null=True, within=FROM_0),
        text("currency", "currency of the cash; dollars where the vendor names none", null=True),
        text("dividend_type", "the vendor's word for the kind of dividend", "raw_market_api.payload", null=True),
        text("declared_on", "ISO date of its declaration", "raw_market_api.payload", null=True),
        text("record_on", "ISO date of record", "raw_market_api.payload", null=True),
        text("pay_on", "ISO date of payment", "raw_market_api.payload", null=True),
        text("raw_sha256", "the raw payload it was read from", "raw_market_api.sha256"),
        instant("published_at", "its declaration, or when it was known where that is not told"),
        instant("available_at", "fetch time; for a backfill the opening of the ex-date's session"),
    ),
    blocks="they set the scale of every price",
)
