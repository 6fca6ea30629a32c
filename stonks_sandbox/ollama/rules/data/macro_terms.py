"""Words of world events: kinds of event with their direction and severity, and the regions, sectors and commodities hit."""

from typing import NamedTuple

from stonks_sandbox.ollama.rules.data.wordset import words


class EventKind(NamedTuple):
    """A kind of event: direction in [-1, 1] for company profits at large, severity 0 to 3, duration, sectors hit."""

    name: str
    direction: float
    severity: int
    duration: str
    sectors: dict[str, float]


FIN, TECH, ENERGY, IND, MAT = "Financials", "Information Technology", "Energy", "Industrials", "Materials"
DISC, STAPLES, HEALTH, UTIL, REAL, COMM = (
    "Consumer Discretionary",
    "Consumer Staples",
    "Health Care",
    "Utilities",
    "Real Estate",
    "Communication Services",
)

KINDS: dict[str, EventKind] = {
    "rate_hike": EventKind(
        "monetary_policy", -0.5, 2, "medium", {REAL: 0.8, FIN: 0.5, UTIL: 0.5, TECH: 0.4, DISC: 0.4}
    ),
    "rate_cut": EventKind("monetary_policy", 0.5, 2, "medium", {REAL: 0.8, FIN: 0.5, UTIL: 0.5, TECH: 0.4, DISC: 0.4}),
    "rate_hold": EventKind("monetary_policy", 0.0, 1, "medium", {FIN: 0.4, REAL: 0.4}),
    "inflation_up": EventKind("inflation", -0.4, 1, "medium", {DISC: 0.6, STAPLES: 0.4, REAL: 0.4, FIN: 0.3}),
    "inflation_down": EventKind("inflation", 0.4, 1, "medium", {DISC: 0.6, STAPLES: 0.3, REAL: 0.4, FIN: 0.3}),
    "tariffs": EventKind("trade_policy", -0.5, 2, "medium", {IND: 0.7, TECH: 0.6, DISC: 0.6, MAT: 0.5}),
    "trade_deal": EventKind("trade_policy", 0.5, 1, "medium", {IND: 0.7, TECH: 0.5, DISC: 0.5, MAT: 0.5}),
    "export_controls": EventKind("trade_policy", -0.5, 2, "long", {TECH: 0.9, IND: 0.3}),
    "sanctions": EventKind("sanctions", -0.4, 2, "long", {ENERGY: 0.6, FIN: 0.4, MAT: 0.4}),
    "war": EventKind("geopolitical_conflict", -0.7, 3, "long", {ENERGY: 0.7, IND: 0.5, MAT: 0.4, DISC: 0.3}),
    "ceasefire": EventKind("geopolitical_conflict", 0.5, 1, "medium", {ENERGY: 0.5, IND: 0.4, DISC: 0.3}),
    "shipping": EventKind("supply_chain", -0.5, 2, "medium", {IND: 0.7, DISC: 0.6, ENERGY: 0.5, STAPLES: 0.4}),
    "shipping_eased": EventKind("supply_chain", 0.4, 1, "medium", {IND: 0.7, DISC: 0.6, STAPLES: 0.4}),
    "shortage": EventKind("supply_chain", -0.5, 1, "medium", {IND: 0.6, TECH: 0.5, DISC: 0.5}),
    "disaster": EventKind(
        "natural_disaster", -0.5, 2, "short", {UTIL: 0.5, FIN: 0.4, REAL: 0.4, IND: 0.4, ENERGY: 0.4}
    ),
    "drought": EventKind("natural_disaster", -0.4, 1, "medium", {STAPLES: 0.7, UTIL: 0.5, MAT: 0.3}),
    "pandemic": EventKind("public_health", -0.7, 3, "long", {DISC: 0.8, IND: 0.6, REAL: 0.5, HEALTH: 0.6}),
    "supply_cut": EventKind("commodity_supply", -0.3, 1, "medium", {ENERGY: 0.8, IND: 0.4, DISC: 0.3}),
    "supply_up": EventKind("commodity_supply", 0.2, 1, "medium", {ENERGY: 0.8, IND: 0.4, DISC: 0.3}),
    "commodity_up": EventKind("commodity_price", -0.3, 1, "short", {}),
    "commodity_down": EventKind("commodity_price", 0.3, 1, "short", {}),
    "recession": EventKind("economic_growth", -0.7, 2, "long", {DISC: 0.8, IND: 0.7, FIN: 0.7, MAT: 0.6}),
    "growth_down": EventKind("economic_growth", -0.4, 1, "medium", {DISC: 0.6, IND: 0.6, FIN: 0.4}),
    "growth_up": EventKind("economic_growth", 0.5, 1, "medium", {DISC: 0.6, IND: 0.6, FIN: 0.4}),
    "stimulus": EventKind("fiscal_policy", 0.6, 2, "medium", {IND: 0.6, DISC: 0.5, MAT: 0.6}),
    "tax_up": EventKind("fiscal_policy", -0.4, 1, "long", {}),
    "tax_down": EventKind("fiscal_policy", 0.4, 1, "long", {}),
    "jobs_up": EventKind("labour_market", 0.3, 1, "short", {DISC: 0.5, IND: 0.3}),
    "jobs_down": EventKind("labour_market", -0.4, 1, "short", {DISC: 0.5, IND: 0.3}),
    "bank_crisis": EventKind("financial_stress", -0.8, 3, "medium", {FIN: 1.0, REAL: 0.5}),
    "default": EventKind("financial_stress", -0.7, 2, "medium", {FIN: 0.8}),
    "rules_tighter": EventKind("regulation", -0.4, 1, "long", {}),
    "rules_looser": EventKind("regulation", 0.4, 1, "long", {}),
    "strike": EventKind("labour_dispute", -0.4, 1, "short", {IND: 0.7, DISC: 0.4}),
    "cyber": EventKind("cyber_attack", -0.5, 2, "short", {TECH: 0.6, FIN: 0.4, UTIL: 0.4}),
    "outage": EventKind("infrastructure", -0.5, 2, "short", {UTIL: 0.7, TECH: 0.4, IND: 0.4}),
    "election": EventKind("politics", 0.0, 1, "medium", {}),
    "unrest": EventKind("politics", -0.4, 1, "short", {}),
}

# Patterns (the notation of the word lists) of each kind, with how surely they mean it.
PATTERNS: dict[str, str] = {
    "rate_hike": """
        raise%|hike%|lift%|increase% ~4 rate#; rate hike#|increase#|rise#; higher interest rates; tighten%
        ~2 policy; hawkish; tightening ~1 cycle; rates on hold for longer
    """,
    "rate_cut": """
        cut%|lower%|reduce%|slash% ~5 rate#; rate cut#|reduction#; lower ~1 the ~1 target range; ease% ~2
        policy; dovish; quantitative easing; policy easing
    """,
    "rate_hold": """
        hold%|keep%|leave%|maintain% ~4 rate# ~1 steady|unchanged|on; maintain the target range; rates
        unchanged; rates steady
    """,
    "inflation_up": """
        inflation ~2 rise%|surge%|accelerate%|jump%|climb%|quicken%; consumer prices ~1
        rise%|jump%|surge%|climb%; hot inflation; inflation hits; soaring|rising|higher inflation|prices;
        inflation shock
    """,
    "inflation_down": """
        inflation ~2 fall%|ease%|cool%|slow%|decline%|drop%; consumer prices ~1 fall%|ease%;
        cooling|easing|slowing|lower inflation; disinflation
    """,
    "tariffs": """
        tariff#; import duty#|levy#|tax#; trade war; trade barrier#; protectionist; retaliatory measures;
        import ban#; anti dumping
    """,
    "trade_deal": """
        trade deal|agreement|pact|truce; remove%|cut%|lift%|suspend%|scrap%|roll% back? ~3 tariff#; free
        trade
    """,
    "export_controls": """
        export ~1 control#|curb#|restriction#|ban#|rule#|limit#; curb#|limit#|restriction# on ~2
        sale#|export#|shipment#; restricted list; ban%|restrict%|bar%|limit% ~4
        export#|sale|sales|shipment#; curb% ~3 export#; export license#; entity list; chip
        ban#|curb#
    """,
    "sanctions": "sanction#; embargo#; asset freeze; blacklist%",
    "war": """
        war; invasion; invade%; missile# ~2 strike#|attack#|hit%; air strike#; airstrike#; military
        strike#|conflict|action|operation; armed conflict; attack% on; hostilities; drone attack#|strike#;
        coup; blockade; escalat%; mobilisation; mobilization
    """,
    "ceasefire": """
        ceasefire; cease fire; truce; peace deal|talks|agreement|accord; de escalation; hostage deal; troop
        withdrawal
    """,
    "shipping": """
        shipping ~2 disruption#|lane#|route#|crisis; canal ~3 blocked|closed|closure|blockage; port# ~2
        closure#|closed|congestion|shut; strait ~4 closed|closure|blocked; freight rates ~2
        surge%|soar%|jump%|rise%; supply chain disruption#|crisis; container ship ~3 stuck|aground;
        reroute%; rail disruption
    """,
    "shipping_eased": """
        freight rates ~2 fall%|ease%|drop%; port ~2 reopen%; canal ~2 reopen%; supply chain# ~1
        ease%|recover%|normalise%|normalize%
    """,
    "shortage": "shortage#; scarcity; rationing; supply squeeze; supply crunch",
    "disaster": """
        earthquake#; hurricane#; typhoon#; cyclone#; tsunami; flood#; flooding; wildfire#; storm#; tornado#;
        eruption; volcano; blizzard; cold snap; heatwave; heat wave; landslide#
    """,
    "drought": "drought#; crop failure; poor harvest; failed harvest; crop damage",
    "pandemic": """
        pandemic; epidemic; outbreak#; lockdown#; quarantine; virus; bird flu; public health emergency
    """,
    "supply_cut": """
        opec ~3 cut%|reduce%|curb%; output cut#; production cut#; supply cut#; cut% ~3
        output|production|supply; mine# ~3 closed|closure|halt%|shut%; pipeline ~3
        shut%|halt%|damaged|explosion|leak|rupture; refinery ~2 fire|outage|shut%; halt% ~2 export#; export
        halt; supply disruption#; field outage
    """,
    "supply_up": """
        opec ~3 raise%|increase%|boost%; raise%|increase%|boost% ~3 output|production|supply; supply glut;
        oversupply; record harvest|output|crop; bumper crop|harvest; new discovery; surplus
    """,
    "commodity_up": """
        oil|crude|gas|gold|copper|steel|wheat|lithium|power|electricity|commodity ~1 price#? ~2
        surge%|jump%|soar%|spike%|rise%|climb%|rally%|gain%
    """,
    "commodity_down": """
        oil|crude|gas|gold|copper|steel|wheat|lithium|power|electricity|commodity ~1 price#? ~2
        fall%|drop%|plunge%|slump%|tumble%|slide%|sink%|ease%|collapse%|crash%|decline%
    """,
    "recession": """
        recession; depression; economic contraction; economy ~2 contract%|shrink%|shrank; gdp ~2
        contract%|shrink%|fall%; hard landing; stagflation
    """,
    "growth_down": """
        growth ~2 slow%|weaken%|cool%|miss%|stall%|disappoint%; economic slowdown; slowing economy; economy
        ~2 slow%|weaken%|cool%; gdp ~2 miss%|slow%; factory activity ~2 shrink%|contract%|fall%|slow%;
        manufacturing ~2 contract%|slump%|slow%; retail sales ~2 fall%|drop%|slump%; consumer confidence ~2
        fall%|drop%|slump%|sink%; weaker demand; property slump; housing slump
    """,
    "growth_up": """
        growth ~2 accelerate%|quicken%|beat%|surprise%|pick%; economy ~2 grow%|expand%|rebound%|recover%;
        gdp ~2 grow%|rise%|expand%|beat%|accelerate%; economic recovery|expansion|boom; retail sales ~2
        rise%|jump%|climb%|surge%; consumer confidence ~2 rise%|jump%|climb%|improve%; factory activity ~2
        expand%|grow%|rise%; manufacturing ~2 expand%|rebound%; solid pace
    """,
    "stimulus": """
        stimulus; fiscal package; spending package|plan|bill; infrastructure bill|plan|package|spending;
        bailout; relief package; subsidy#; economic support; aid package; reserve requirement ~2 cut
    """,
    "tax_up": """
        tax increase#|hike#; higher tax#; raise%|hike%|increase% ~3 tax#; windfall tax; new levy; digital
        tax; carbon tax
    """,
    "tax_down": "tax cut#|relief|break#|credit#; cut%|lower%|reduce% ~3 tax#",
    "jobs_up": """
        payroll# ~2 rise%|jump%|beat%|surge%; unemployment ~2 fall%|drop%|decline%; add% ~3 job#; strong
        jobs report; job gains
    """,
    "jobs_down": """
        payroll# ~2 fall%|miss%|drop%; unemployment ~2 rise%|jump%|climb%|surge%; jobless claims ~2
        rise%|jump%|climb%|surge%; job losses; mass layoffs
    """,
    "bank_crisis": """
        bank run#; banking crisis; bank failure#; bank ~2 collapse%|fail%; financial crisis; credit crunch;
        liquidity crisis; contagion; market crash; stock market ~2 crash%|plunge%
    """,
    "default": """
        sovereign default; debt default; default% on ~3 debt|bonds; debt crisis; currency crisis; currency
        ~2 collapse%|crash%|plunge%; devaluation; debt ceiling; government shutdown; credit downgrade;
        rating downgrade
    """,
    "rules_tighter": """
        capital|liquidity requirements|requirement|rules|buffer#; tougher|stricter|tighter ~2
        capital|rules|oversight; hold ~2 more capital;
        new ~1 rule#|regulation#|law#; stricter|tougher|tighter ~1 rule#|regulation#|standards; regulatory
        crackdown; crackdown on; antitrust; price cap#|control#; ban% ~2 sale|sales|imports|use; emission#
        ~1 rule#|standards|limits; export ban; capital controls
    """,
    "rules_looser": """
        deregulation; deregulate%; relax%|ease%|loosen%|lift% ~3 rule#|regulation#|restriction#|curbs|ban;
        approve% ~3 law|bill; lifts ban
    """,
    "strike": """
        strike#; walkout; work stoppage; dockworker#; union# ~3 strike; industrial action; labour dispute;
        labor dispute
    """,
    "cyber": "cyberattack#; cyber attack#; ransomware; hack#; hackers; malware",
    "outage": """
        blackout#; power outage#; grid failure; power cut#; internet outage; rolling blackouts
    """,
    "election": """
        election#; referendum; ballot; snap poll; coalition government; vote of confidence
    """,
    "unrest": """
        protest#; unrest; riot#; civil disorder; political crisis; impeachment; resign% ~3 prime|president;
        no confidence
    """,
}

# A decision outweighs the description of the economy around it.
DECISIVE = {
    "rate_hike": 2.5,
    "rate_cut": 2.5,
    "rate_hold": 4.0,
    "war": 1.5,
    "ceasefire": 1.5,
    "export_controls": 1.5,
    "trade_deal": 1.5,
}

# Words that place an event, in lower case; the weight a region gets rises with how often it is named.
PLACES: dict[str, str] = {
    "north_america": """
        u.s| us| usa| america| american| united states| washington| fed| fomc| federal reserve| federal open
        market| white house| congress| wall street| canada| canadian| ottawa| mexico| mexican| texas|
        california| florida| gulf coast| gulf of mexico| north america| new york| treasury
    """,
    "europe": """
        europe| european| eu| eurozone| euro area| ecb| brussels| germany| german| berlin| france| french|
        paris| italy| italian| spain| spanish| uk| u.k| britain| british| london| bank of england| boe|
        poland| netherlands| dutch| sweden| norway| norwegian| switzerland| swiss| russia| russian| moscow|
        ukraine| ukrainian| kyiv| black sea| north sea| greece| rotterdam| baltic| nato
    """,
    "china": """
        china| chinese| beijing| shanghai| hong kong| pboc| people's bank| shenzhen| guangdong| xinjiang|
        yuan
    """,
    "asia_pacific": """
        japan| japanese| tokyo| boj| bank of japan| korea| korean| seoul| taiwan| taiwanese| taipei| india|
        indian| new delhi| mumbai| rbi| australia| australian| sydney| indonesia| vietnam| thailand|
        malaysia| singapore| philippines| asia| asian| asia pacific| asean| south china sea| new zealand|
        pakistan
    """,
    "latin_america": """
        brazil| brazilian| argentina| argentine| chile| chilean| peru| peruvian| colombia| venezuela| latin
        america| panama| ecuador| bolivia| south america| south american| buenos aires| caracas| caribbean
    """,
    "middle_east_africa": """
        middle east| saudi| saudi arabia| opec| iran| iranian| tehran| israel| israeli| gaza| iraq| qatar|
        uae| emirates| kuwait| yemen| houthi| houthis| red sea| suez| strait of hormuz| hormuz| egypt|
        turkey| turkish| africa| african| south africa| nigeria| nigerian| congo| libya| syria| lebanon|
        persian gulf| ghana| kenya| zambia
    """,
}
WORLD_WORDS = "global|world|worldwide|across the globe"

SECTOR_WORDS: dict[str, str] = {
    COMM: """
        telecom| telecoms| media| advertising| streaming| social media| broadcasters| internet companies|
        wireless carriers
    """,
    DISC: """
        carmakers| automakers| auto| autos| cars| vehicles| retailers| consumer spending| luxury| travel|
        hotels| restaurants| apparel| tourism| shoppers| e commerce| housing| homebuilders
    """,
    STAPLES: """
        food| grocery| groceries| beverage| agriculture| farmers| crops| grain| grains| household goods|
        tobacco| food producers
    """,
    ENERGY: """
        oil| crude| energy| refiners| refinery| refineries| drillers| lng| natural gas| pipeline| fuel|
        petroleum| gasoline
    """,
    FIN: """
        banks| banking| lenders| insurers| insurance| brokers| financial| credit| mortgage| lending| bond
        market
    """,
    HEALTH: """
        drugmakers| pharmaceutical| pharmaceuticals| hospitals| health care| healthcare| vaccine| vaccines|
        medical| biotech| medicines| drug prices
    """,
    IND: """
        manufacturers| manufacturing| factories| factory| airlines| aerospace| defense| defence| shipping|
        freight| logistics| railroads| machinery| construction| ports| industrial| trucking| infrastructure
    """,
    TECH: """
        chip| chips| chipmakers| semiconductor| semiconductors| software| technology| tech| cloud|
        computing| electronics| data centers| data centres| smartphones| artificial intelligence| cyber
    """,
    MAT: """
        mining| miners| mine| metals| steel| copper| aluminum| aluminium| chemicals| fertilizer| fertiliser|
        lithium| rare earths| rare earth| timber| cement| iron ore
    """,
    REAL: """
        real estate| property| housing| mortgage| mortgages| landlords| reits| office towers| developers|
        commercial property
    """,
    UTIL: """
        utilities| utility| power grid| grid| electricity| power plants| water supply| power prices|
        nuclear| blackout| blackouts
    """,
}
COMMODITY_WORDS: dict[str, str] = {
    "oil": """
        oil| crude| brent| wti| petroleum| opec| barrel| barrels| refinery| gasoline| diesel
    """,
    "natural_gas": """
        natural gas| lng| gas supplies| gas pipeline| gas prices| gas price| gas exports| gas flows| gas
        supply
    """,
    "gold": "gold| bullion",
    "copper": "copper",
    "steel": "steel| iron ore| steelmakers",
    "wheat": "wheat| grain| grains| corn| crop| crops| harvest",
    "lithium": "lithium| battery metals| rare earths",
    "electricity": """
        electricity| power prices| power grid| power outage| blackout| blackouts| power supply
    """,
}
# Kinds after which a commodity grows scarce (+1) or plentiful (-1) unless the text says where its price went.
SCARCER = frozenset(
    {"supply_cut", "war", "sanctions", "shipping", "disaster", "drought", "shortage", "strike", "outage", "cyber"}
)
CHEAPER = frozenset({"supply_up", "ceasefire", "recession", "growth_down", "shipping_eased"})
SAFE_HAVEN_KINDS = frozenset({"war", "bank_crisis", "default", "recession", "unrest"})

WORSE = words(
    """
    severe severely major massive devastating unprecedented sweeping sharp sharply worst crippling
    full scale historic catastrophic emergency plunge collapse crash panic critical nationwide
    """
)
MILDER = words(
    """
    minor slight slightly modest modestly limited brief briefly small mild partial partially contained
    local isolated gradual
    """
)
LONG_WORDS = words(
    """
    years long-term permanent permanently decade structural indefinitely prolonged lasting multi
    """
)
SHORT_WORDS = words(
    """
    days temporary temporarily brief briefly hours weekend overnight short-lived shortly
    """
)
