"""Words of company names that tell nothing, and tickers that are also words."""

from stonks_sandbox.ollama.rules.data.wordset import words

LEGAL_SUFFIXES = words(
    """
    inc incorporated corp corporation co company companies ltd limited plc llc lp sa nv ag se ab asa
    oyj spa kk bv adr s.a n.v l.p com class a b c common stock trust &
    """
)
GENERIC_NAME_WORDS = words(
    """
    platforms group holdings holding technologies technology systems wholesale motors motor
    pharmaceuticals pharma therapeutics energy financial industries international global laboratories
    labs networks network software semiconductor semiconductors devices biosciences biotech
    biotechnology health healthcare foods brands stores retail entertainment media communications
    airlines airways bancorp bank capital partners solutions services resources materials chemicals
    chemical petroleum oil gas power electric water robotics aerospace defense logistics freight steel
    metals mining minerals gold properties realty insurance steelworks works interactive instruments
    cloud data dynamics enterprises corporation worldwide air lines foundry medical genomics payments
    beverages
    """
)
# First words that would name half the market if they stood alone.
ORDINARY_FIRST_WORDS = words(
    """
    advanced air all allied alpha american analog applied arch associated atlantic bank best blue
    capital cardinal central charles china citizens city clear cloud coast columbia comfort commercial
    community consolidated constellation continental core crown data delta diamond digital direct
    discovery dollar dominion dow duke eagle east eastern edge electronic emerging energy equity
    essential extra federal fidelity fifth first five fox franklin free freedom fresh frontier general
    global gold golden great green group harbor health heritage high home host house independent
    industrial inter international invest iron key la las leading liberty life live lord main major
    marathon market martin medical mid morgan national natural net new next nine north northern nova
    ocean old on one open oracle pacific packaging palo park peoples philip pioneer plains power
    premier prime principal pro progressive public pure quality quest range real red regional reliance
    republic rock royal safe san select sierra silver simon sky small snap social solar south southern
    southwest spirit standard star state steel sterling stone strategic summit sun super target tech
    the third total tractor trade trans tri true twin ultra union united universal us u.s valley value
    verisign victory virtual vital warner waste water wells west western white wide world zoom
    """
) - {"oracle", "verisign", "snap", "zoom", "delta", "marathon", "reliance", "target", "martin"}
ENGLISH_TICKERS = words(
    """
    A AI ALL AN ANY ARE ARM AS AT BE BEST BIG BILL BY C CAN CAR CARE CAT CEO CFO COST COO D DAY DO DOW
    E EAT EDIT EPS EU EVER F FAST FIX FLEX FOR FORM FUN G GAP GDP GO GOOD GROW H HAS HE HOME HOPE HUGE
    I IT J K KEY KIND L LAND LAW LIFE LINE LIVE LOVE LOW M MAIN MAN MAR MAY ME MET MORE MOVE N NET NEW
    NEXT NICE NO NOW O OF OLD ON ONE OPEN OR OUT P PAY PEAK PLAN PLAY PM PRO Q R REAL RH RUN S SAFE
    SAVE SEE SELF SHOP SITE SKY SNOW SO STAY SUN T TALK TEAM TECH TELL TERM THE TO TOP TRUE TV U UK UP
    US USA V VERY W WASH WELL WHO WISH WORK X Y YOU Z
    """
)
EXCHANGES = words("nasdaq nyse amex nysearca lse tsx otc nse bse cboe ticker symbol")
