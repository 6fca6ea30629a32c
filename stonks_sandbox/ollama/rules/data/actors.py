"""Who acts in financial news without being a company asked about: markets, sectors, prices, people, the state."""

from stonks_sandbox.ollama.rules.data.wordset import words

ACTORS = words(
    """
    bank banks lenders lender peers peer rivals rival competitors market markets sensex nifty index indices dow
    nasdaq equities bonds yields dollar rupee yen euro pound sterling yuan currency currencies crude
    oil gold silver copper metals metal steel fuel coal gas commodities prices bulls bears investors traders
    analysts brokers fiis diis funds punters government govt centre state rbi fed ecb boe sebi opec regulator
    regulators china us uk eu europe india japan congress parliament trump modi brexit economy gdp inflation
    exports imports pack sector industry exporters importers importer refiners automakers carmakers chipmakers
    retailers airlines miners drugmakers marketers financials techs autos midcaps smallcaps tech realty fmcg pharma
    heavyweights bluechips defensives cyclicals utilities insurers telcos
    """
)
BEFORE_ACTORS = words(
    """
    the global us asian european indian chinese oil crude fuel metal it auto bank banking psu private pharma tech
    rubber commodity energy steel sugar cement realty fmcg power telecom stock broader other most all many some rising
    foreign domestic retail institutional input raw material base precious spot export small mid large cap key main
    """
)
OPENERS = words(", ; : as while but and after amid even though although when whereas since because if despite — – -")
