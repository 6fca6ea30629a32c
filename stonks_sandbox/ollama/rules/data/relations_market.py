"""Verbs between two companies in the language of advice, market share, courts and deals; see `relations` for the columns."""

from stonks_core.vocabulary import Catalyst
from stonks_sandbox.ollama.rules.data.relations import COMPANY_RELATIONS, Relation

_MA = Catalyst.MERGER_ACQUISITION
_REG = Catalyst.REGULATORY
_LIT = Catalyst.LITIGATION
_RATE = Catalyst.ANALYST_RATING
_WIN = Catalyst.CONTRACT_WIN
_LOSS = Catalyst.CONTRACT_LOSS

MARKET_RELATIONS: tuple[tuple[str, Relation], ...] = (
    # Advice.
    ("prefer%|like%|favor%|favour%|pick%|choose%|rate% ~6 over|to|than", Relation(0.0, -0.35, _RATE, 0.8, True, 0.45)),
    ("more bullish|positive|upbeat on ~5 than", Relation(0.0, -0.3, _RATE, 0.8, True, 0.45)),
    ("better|safer|cheaper|stronger|superior ~2 than|to", Relation(0.4, -0.35, None, 0.3, True)),
    ("better|safer ~1 bet|pick|buy|choice|placed|stock than", Relation(0.45, -0.35, _RATE, 0.8, True)),
    ("worse|weaker|costlier|dearer|riskier|slower ~1 than", Relation(-0.4, 0.3, None, 0.3, True)),
    ("switch% ~1 from ~5 to|into", Relation(0.0, 0.45, _RATE, 0.8, True, -0.4)),
    ("swap%|replace%|ditch%|dump%|drop% ~5 for|with", Relation(0.0, 0.4, None, 0.4, True, -0.4)),
    ("switch%|shift%|rotate%|move% to|into", Relation(0.0, 0.4, _RATE, 0.7, True)),
    ("^ avoid|exit|sell|reduce|dump|trim|short", Relation(0.0, -0.5, _RATE, 1.2, True)),
    ("^ accumulate|add|buy|pick|own", Relation(0.0, 0.5, _RATE, 1.2, True)),
    ("book profit#|gains in|on", Relation(0.0, -0.4, _RATE, 0.6)),
    (
        "not|isn't|aren't ~1 comfortable|bullish|positive|convinced|keen|excited ~1 with|on|about|by",
        Relation(0.0, -0.45, _RATE, 0.8),
    ),
    ("stay%|keep%|steer% away|clear|off ~1 from|of", Relation(0.0, -0.5, _RATE, 0.9)),
    ("stay%|turn%|remain% out of", Relation(0.0, -0.45, _RATE, 0.9, True)),
    ("no reason|point|case ~2 buy|own|hold|buying|owning|holding", Relation(0.0, -0.45, _RATE, 0.9, True)),
    ("reason#|time|case ~1 to|for buy|buying|own|like|accumulate", Relation(0.0, 0.45, _RATE, 0.9, True)),
    ("neutral on|about", Relation(0.0, 0.0, _RATE, 0.9)),
    ("cautious|wary|bearish|negative|skeptical|sceptical ~1 on|of|about", Relation(0.0, -0.4, _RATE, 0.9)),
    (
        "positive|bullish|upbeat|constructive|gung ho|overweight|bet%|betting|optimistic on|about",
        Relation(0.0, 0.45, _RATE, 0.9),
    ),
    ("overweight on|in", Relation(0.0, 0.45, _RATE, 0.9)),
    ("underweight on|in", Relation(0.0, -0.45, _RATE, 0.9)),
    ("lap%|load%|stock% up ~1", Relation(0.0, 0.4, None, 0.3, True)),
    ("flock%|rush% to", Relation(0.0, 0.35, None, 0.3, True)),
    ("upside in|for", Relation(0.0, 0.45, _RATE, 0.7)),
    ("downside in|for", Relation(0.0, -0.45, _RATE, 0.7)),
    ("multibagger|value|opportunity in", Relation(0.0, 0.35, _RATE, 0.4, True)),
    (
        "initiate%|start%|begin%|resume% ~1 coverage on|of ~3 with|at ~1 sell|underperform|underweight|reduce",
        Relation(0.0, 0.0, _RATE, 1.2, False, -0.45),
    ),
    (
        "initiate%|start%|begin%|resume% ~1 coverage on|of ~4 with|at ~2 buy|outperform|overweight|add|accumulate",
        Relation(0.0, 0.0, _RATE, 1.2, False, 0.45),
    ),
    ("puts|put|place% ~4 on ~1 watch", Relation(0.0, 0.0, _RATE, 1.0, False, -0.4)),
    ("raise%|hike%|lift%|boost% ~2 rating on|of|for", Relation(0.0, 0.5, _RATE, 1.3)),
    ("cut%|lower%|slash%|trim% ~2 rating on|of|for", Relation(0.0, -0.5, _RATE, 1.3)),
    (
        "cut%|lower%|slash%|downgrade%|move% ~4 to sell|reduce|underperform|underweight|neutral|hold|junk|default",
        Relation(0.0, 0.0, _RATE, 1.3, False, -0.5),
    ),
    (
        "raise%|lift%|upgrade%|move% ~4 to buy|outperform|overweight|accumulate|add|investment",
        Relation(0.0, 0.0, _RATE, 1.3, False, 0.5),
    ),
    ("revise% ~3 on ~5 to negative", Relation(0.0, 0.0, _RATE, 1.0, False, -0.45)),
    ("revise% ~3 on ~5 to positive", Relation(0.0, 0.0, _RATE, 1.0, False, 0.45)),
    ("embrace%|love%|adore%|endorse%|tout%|back%|fancy|recommend%|recommends", Relation(0.0, 0.45, _RATE, 0.7, True)),
    ("hate%|forget%|shun%|dislike%|loathe%|desert%|spurn%|ditch%|punish%|dump%", Relation(0.0, -0.45, None, 0.5, True)),
    ("downgrade for|of|to", Relation(0.0, -0.5, _RATE, 1.2, True)),
    ("upgrade for|of|to", Relation(0.0, 0.5, _RATE, 1.2, True)),
    (
        "maintain%|retain%|reiterate%|keep%|has|have|give%|assign% ~2 sell|underperform|underweight|reduce ~1 on|for|rating",
        Relation(0.0, -0.5, _RATE, 1.2),
    ),
    (
        "maintain%|retain%|reiterate%|keep%|has|have|give%|assign% ~2 buy|outperform|overweight|add|accumulate ~1 on|for|rating",
        Relation(0.0, 0.5, _RATE, 1.2),
    ),
    ("maintain%|retain%|reiterate%|keep% ~2 hold|neutral ~1 on|for", Relation(0.0, 0.0, _RATE, 1.2)),
    ("stocks|shares|scrips|names|counters to avoid|sell|exit|dump|short :", Relation(0.0, -0.45, _RATE, 0.9)),
    ("stocks|shares|scrips|names|counters to buy|own|hold|accumulate :", Relation(0.0, 0.45, _RATE, 0.9)),
    ("not|never|wrong ~2 time|price|level|idea to buy|enter|own|invest|add ~1", Relation(0.0, -0.4, _RATE, 0.8)),
    ("good|right|best|great ~1 time|price|level to buy|enter|own|accumulate ~1", Relation(0.0, 0.4, _RATE, 0.8)),
    (
        "lift%|ease%|relax%|remove%|revoke% ~2 curbs|ban|restrictions|sanctions|suspension on",
        Relation(0.0, 0.45, _REG, 1.1),
    ),
    ("file%|files ~2 chargesheet|charges|fir|case|complaint|suit|petition against", Relation(0.0, -0.5, _LIT, 1.2)),
    (
        "summon%|summons|grill%|quiz%|quizzes|question%|arrest%|detain%|book%|charge%",
        Relation(0.0, -0.5, _REG, 1.0, True),
    ),
    (
        "changes|change|revises|lowers|cuts ~4 outlook|rating to negative|junk|sell|default",
        Relation(0.0, 0.0, _RATE, 1.2, False, -0.45),
    ),
    (
        "changes|change|revises|raises|lifts ~4 outlook|rating to positive|buy|stable",
        Relation(0.0, 0.0, _RATE, 1.2, False, 0.45),
    ),
    ("^ add%|buy%|accumulate%", Relation(0.0, 0.4, _MA, 0.5, True)),
    ("adds|bought|picked", Relation(0.0, 0.35, _MA, 0.4, True)),
    ("^ sells|sold|dumps|dumped|exits|exited", Relation(0.0, -0.4, None, 0.4, True)),
    # Holdings.
    (
        "raise%|hike%|increase%|up%|boost% ~2 stake|holding|position|exposure|stakes in|to",
        Relation(0.04, 0.4, _MA, 0.5),
    ),
    (
        "cut%|pare%|trim%|reduce%|lower%|offload%|sell%|dump%|exit%|divest% ~4 stake#|holding|position|exposure|shares in|to|of",
        Relation(0.0, -0.35, None, 0.4),
    ),
    ("sell%|offload%|divest% #pct of|in", Relation(0.0, -0.3, None, 0.4, True)),
    ("urge%|ask%|press% ~1", Relation(0.0, 0.03, None, 0.2, True)),
    ("don't|not|never chase|buy|touch|own|trust|catch|bet|hold ~1 on?", Relation(0.0, -0.45, _RATE, 0.9, True)),
    ("double upgrade%", Relation(0.0, 0.55, _RATE, 1.4, True)),
    ("wipe%|knock%|shave%|erase% ~5 off|from", Relation(0.0, -0.5, None, 0.3, True)),
    ("see%|sees|expect%|predict%|forecast% ~1 #pct ~1 downside|fall|drop in|for", Relation(0.0, -0.45, _RATE, 0.9)),
    ("see%|sees|expect%|predict%|forecast% ~1 #pct ~1 upside|rise|gain in|for", Relation(0.0, 0.45, _RATE, 0.9)),
    # Market share and rivalry.
    (
        "zip%|race%|speed%|storm%|sail%|power%|cruise%|blow%|move%|climb%|leap%|pull%|go%|vault%|march% past|ahead of?",
        Relation(0.5, -0.4, None, 0, True),
    ),
    ("'s loss is", Relation(-0.4, 0.4, None, 0)),
    ("prevail%|triumph%|win% out? over|against", Relation(0.45, -0.4, _LIT, 0.8, True)),
    ("steal%|steals ~2 march|thunder|limelight|customers on|from", Relation(0.45, -0.35, None, 0, True)),
    ("play% catch up with|to", Relation(-0.3, 0.2, None, 0, True)),
    ("lose%|loses ~2 crown|lead|top|spot|position ~2 to", Relation(-0.5, 0.45, None, 0, True)),
    (
        "snatch%|grab%|take%|seize%|regain%|wrest% ~3 crown|lead|spot|title|position|throne ~1 from",
        Relation(0.5, -0.45, None, 0, True),
    ),
    ("gain%|win%|take%|grab%|grow%|benefit% ~3 at ~3 expense", Relation(0.5, 0.0, None, 0, False, -0.45)),
    ("win%|bag%|land%|secure%|clinch%|prevail% ~7 over|from under", Relation(0.5, -0.4, _WIN, 0.7, True)),
    ("lose% ~6 to", Relation(-0.5, 0.45, _LOSS, 0.6, True)),
    ("lose% ~2 ~1 account|contract|deal|order|client of|from|with", Relation(-0.5, 0.0, _LOSS, 1.0)),
    (
        "pip%|trump%|beat%|edge%|eclipse%|trounce%|leapfrog%|unseat%|outshine%|outpace%|outsell%|outrun%|outgun% ~1",
        Relation(0.5, -0.4, None, 0, True),
    ),
    ("ahead of", Relation(0.35, -0.3, None, 0, True)),
    ("dislodge%|displace%|supplant%|upstage%|pull% ahead ~1 of?", Relation(0.5, -0.4, None, 0, True)),
    ("trail%|lag%|lags behind?", Relation(-0.4, 0.3, None, 0, True)),
    ("cede%|yield%|hand% ~4 to", Relation(-0.4, 0.35, None, 0, True)),
    ("drag% ~1 down?", Relation(0.0, -0.45, None, 0, True)),
    ("eat%|eats|cut%|muscle% into ~4", Relation(0.4, -0.3, None, 0)),
    (
        "pip%|beat%|outbid%|trump%|trail% ~4 in|to race|battle|bid|contest|fight for|to",
        Relation(0.1, 0.4, _MA, 0.9, False, -0.05),
    ),
    ("in race|battle|contest|fray|running for|to ~1 buy?", Relation(0.0, 0.35, _MA, 0.7, True)),
    ("take% on|challenge%|rival% ~1", Relation(0.04, -0.1, None, 0, True)),
    ("hurt%|hit|dented|hobbled|squeezed|bruised|dragged ~2 by", Relation(-0.45, 0.0, None, 0)),
    ("helped|boosted|lifted|buoyed|cheered|aided|propelled by", Relation(0.45, 0.0, None, 0)),
    (
        "win%|bag%|land%|clinch%|secure%|get% ~3 contract|deal|order|account|business|mandate",
        Relation(0.5, 0.0, _WIN, 1.1, False, 0.02),
    ),
    ("lose% ~3 contract|deal|order|account|business|mandate", Relation(-0.5, 0.0, _LOSS, 1.1, False, 0.02)),
    (
        "collapse|crisis|woes|default|scandal|probe|halt|strike|ban hits|hit|hurts|hurt|drags|dents|rattles",
        Relation(-0.4, -0.5, None, 0, True),
    ),
    ("lose% ~3 fight|battle|case|dispute with|to|against", Relation(-0.5, 0.45, _LIT, 1.0, True)),
    ("preferred|favoured|favored|chosen|picked over", Relation(0.45, -0.35, _RATE, 0.8, True)),
    # Courts and regulators.
    ("sue%|sues", Relation(0.0, -0.5, _LIT, 1.2, True)),
    ("win%|wins ~5 against|over", Relation(0.5, -0.45, _LIT, 0.9, True)),
    (
        "lose% ~2 appeal|case|lawsuit|suit|battle|fight|dispute|ruling in|over|to|against",
        Relation(-0.5, 0.45, _LIT, 1.2),
    ),
    ("lose% ~2 appeal|case|lawsuit|suit|plea", Relation(-0.5, 0.0, _LIT, 1.2)),
    ("infringe%|copied|copies|copy|stole|steals ~1", Relation(-0.45, 0.35, _LIT, 1.0, True)),
    ("find%|held|rules ~4 infringed|violated|liable|guilty", Relation(0.0, 0.35, _LIT, 1.0, False, -0.45)),
    ("rule%|sides|sided ~1 against", Relation(0.0, -0.45, _LIT, 1.0)),
    ("sides|sided|side with", Relation(0.0, 0.4, _LIT, 0.8, True)),
    ("settle% ~4 with|against", Relation(0.15, 0.15, _LIT, 1.0, True)),
    (
        "rap%|pull% up|slam%|summon%|restrain%|bar%|debar%|chide%|question%|nail%|indict%|charge%|book%",
        Relation(0.0, -0.5, _REG, 1.0, True),
    ),
    ("slap%|impose%|levy%|levies ~6 on", Relation(0.0, -0.5, _REG, 1.2)),
    (
        "notice|summons|summon|warning|penalty|fine|ban|curbs|restrictions to|on|against",
        Relation(0.0, -0.45, _REG, 1.0, True),
    ),
    ("issue%|send%|serve% ~6 notice|letter|summons|form ~2 to|against", Relation(0.0, -0.45, _REG, 1.0)),
    ("attach%|seize%|freeze% ~3 assets|accounts|properties|shares of", Relation(0.0, -0.5, _REG, 1.0)),
    ("demand on|from|against", Relation(0.0, -0.35, _REG, 0.5, True)),
    ("stay%|quash%|set%|overturn%|annul%|void% aside? ~5 on|against|for", Relation(0.0, 0.45, _LIT, 1.0, True)),
    ("allege%|claim%|report% ~3 fraud|wrongdoing|irregularities at|by|in|against", Relation(0.0, -0.5, _LIT, 1.0)),
    ("accuse%|accuses ~1", Relation(0.0, -0.5, _LIT, 0.9, True)),
    ("relief for|to", Relation(0.0, 0.4, _REG, 0.6)),
    ("blow|setback|shock|trouble|jolt|bad news for|to", Relation(0.0, -0.45, None, 0)),
    ("boost|lift|shot in arm|breather|booster|leg up|good news for|to", Relation(0.0, 0.45, None, 0)),
    # Deals.
    (
        "approve%|clear%|okay%|ok%|back%|bless% ~6 takeover|acquisition|merger|deal|purchase|bid|buyout|buy of|with|for",
        Relation(0.0, 0.4, _MA, 1.2, False, 0.35),
    ),
    (
        "block%|veto%|oppose%|thwart%|nix%|stall% ~6 takeover|acquisition|merger|deal|purchase|bid|buyout of|with|for",
        Relation(0.0, -0.4, _MA, 1.2, False, -0.4),
    ),
    (
        "nod|approval|clearance for|to ~6 acquisition|merger|takeover|purchase of|with",
        Relation(0.1, 0.4, _MA, 1.2, False, 0.04),
    ),
    ("merger ~2 gets|wins|receives|secures|clears", Relation(0.4, 0.0, _MA, 1.0)),
    ("call%|calls off ~5 merger|deal|tie|takeover|acquisition", Relation(-0.35, 0.0, _MA, 1.1)),
    (
        "merger|deal|takeover|tie with ~3 blocked|rejected|collapses|scrapped|terminated|halted|opposed|challenged|stalls|fails",
        Relation(-0.4, 0.0, _MA, 1.2, False, -0.4),
    ),
    ("rescue%|rescues|bail% out", Relation(0.0, -0.4, _MA, 0.7, True)),
    ("near% ~1 deal|agreement for|to ~1 buy|acquire?", Relation(0.0, 0.45, _MA, 1.0, True)),
    (
        "scrap%|end%|terminate%|exit%|quit%|drop%|break% ~6 venture|jv|partnership|alliance|pact|tie with",
        Relation(-0.04, -0.4, _LOSS, 1.0),
    ),
    ("buy%|buys|acquire%|snap% up ~8 out of", Relation(0.0, 0.0, _MA, 0.8, False, 0.05)),
    ("walk%|back%|pull% away|out from|of", Relation(0.0, -0.45, _MA, 0.9, True)),
    (
        "drop%|scrap%|abandon%|withdraw%|end%|pull%|ditch% ~2 bid|offer|pursuit|chase for|of",
        Relation(0.0, -0.3, _MA, 1.0),
    ),
    ("withdraw%|pull%|drop% ~1 offer|bid", Relation(0.0, -0.3, _MA, 1.0)),
    ("reject%|rebuff%|spurn%|snub% ~5 bid|offer|approach|proposal", Relation(0.25, 0.0, _MA, 1.0, False, -0.05)),
    ("raise%|sweeten%|up%|hike%|table%|launch%|make% ~3 bid|offer ~2 for", Relation(0.0, 0.45, _MA, 1.0)),
    ("to|will ~1 acquire|buy|purchase ~5 stake|shares|interest|#pct in|of", Relation(0.04, 0.4, _MA, 1.1)),
    ("disclose%|reveal%|report%|build%|hike%|up% ~3 stake|holding|position in", Relation(0.04, 0.35, _MA, 0.5)),
    ("to ~1 acquire|buy|purchase ~1", Relation(0.04, 0.5, _MA, 1.4, True)),
    ("acquire%|buy%|pick%|take% up? #pct|minority|majority|controlling ~1 stake? in|of", Relation(0.04, 0.4, _MA, 1.1)),
    ("in ~2 talks to acquire|buy ~2", Relation(0.0, 0.2, _MA, 1.0, True)),
    ("in ~2 talks with ~1", Relation(0.0, 0.0, _MA, 0.7, True)),
    ("bidder|bid|buyer|suitor|bids for ~1", Relation(0.0, 0.4, _MA, 1.0, True)),
    ("merge% ~4 with", Relation(0.03, 0.05, _MA, 1.2, True)),
    ("completes|complete|completed ~1 acquisition|purchase|takeover of", Relation(0.04, 0.1, _MA, 1.1)),
)
RELATIONS = (*MARKET_RELATIONS, *COMPANY_RELATIONS)
