"""Verbs between two companies: what each end of the sentence gains or loses by it.

Columns: pattern, value for the one before it, value for the one after it, catalyst (or None), how surely it means that.
A value of 0 keeps an end from being judged by this verb. `needs_object` patterns count only with a company right after.
"""

from typing import NamedTuple

from stonks_core.vocabulary import Catalyst


class Relation(NamedTuple):
    """What a verb says about the company before it (`subject`) and the company after it (`object`)."""

    subject: float
    object: float
    catalyst: Catalyst | None = None
    sureness: float = 0.8
    needs_object: bool = False
    inner: float = 0.0  # for a company named between the pattern's words


_MA = Catalyst.MERGER_ACQUISITION
_REG = Catalyst.REGULATORY
_LIT = Catalyst.LITIGATION
_RATE = Catalyst.ANALYST_RATING
_WIN = Catalyst.CONTRACT_WIN
_LOSS = Catalyst.CONTRACT_LOSS

COMPANY_RELATIONS: tuple[tuple[str, Relation], ...] = (
    ("gain% ~2 share|ground|customers|business from|against|on", Relation(0.55, -0.5)),
    ("take% ~2 share|customers|business from", Relation(0.55, -0.5)),
    ("grab% ~2 share from", Relation(0.55, -0.5)),
    ("steal% ~2 share|customers from", Relation(0.55, -0.5)),
    ("win% ~2 customers|share|business from", Relation(0.55, -0.5)),
    ("edge% out|past", Relation(0.5, -0.4, None, 0, True)),
    ("fall% behind", Relation(-0.45, 0.3, None, 0, True)),
    ("win% back ~2 share|customers|shoppers|clients|users|business from", Relation(0.5, -0.3)),
    ("expand%|extend%|widen%|build%|cement% ~2 lead|advantage over", Relation(0.5, -0.4)),
    ("pressure on", Relation(0.0, -0.4)),
    (
        "insider selling|sales|disposals at|in ~3 climb%|rise%|surge%|jump%|soar%|accelerate%",
        Relation(0.0, 0.0, Catalyst.INSIDER_TRADE, 1.3, inner=-0.4),
    ),
    (
        "insider selling|sales|disposals at|in ~3 climb%|rise%|surge%|jump%|soar%|reach% ~4 high|peak|record",
        Relation(0.0, 0.0, Catalyst.INSIDER_TRADE, 1.3, inner=-0.4),
    ),
    (
        "insider buying|purchases at|in ~3 climb%|rise%|surge%|jump%|soar%|accelerate%",
        Relation(0.0, 0.0, Catalyst.INSIDER_TRADE, 1.3, inner=0.4),
    ),
    (
        "insider buying|purchases at|in ~3 climb%|rise%|surge%|jump%|soar%|reach% ~4 high|peak|record",
        Relation(0.0, 0.0, Catalyst.INSIDER_TRADE, 1.3, inner=0.4),
    ),
    (
        "enthusiasm|optimism|cheer|euphoria|excitement|hype over|about|around|for ~6 premature|misplaced|overdone|overblown",
        Relation(0.0, 0.0, None, 0, inner=-0.45),
    ),
    (
        "fear#|worry|worries|concern#|gloom over|about|around|for ~6 overdone|overblown|exaggerated|unfounded|misplaced",
        Relation(0.0, 0.0, None, 0, inner=0.4),
    ),
    ("close% ~1 gap with|on|to", Relation(0.4, -0.15)),
    ("lose% ~3 share|ground|customers|contract|deal|business|order to", Relation(-0.55, 0.5)),
    ("poach% ~3 from", Relation(0.05, -0.3)),
    ("poach%|lure%|snatch%|wrest% ~4 from", Relation(0.45, -0.45)),
    ("chosen|selected|picked ~1 for|by|as|over", Relation(0.45, 0.0, _WIN, 0.9)),
    ("cede% ~2 share|ground to", Relation(-0.5, 0.45)),
    ("losing out to", Relation(-0.5, 0.45)),
    ("lose% out to", Relation(-0.5, 0.45)),
    ("overtake%|surpass%|outpace%|dethrone%|outsell%|leapfrog%|topple%", Relation(0.5, -0.4, None, 0, True)),
    ("outperform%", Relation(0.45, -0.35, None, 0, True)),
    ("beat%|trounce%|top%", Relation(0.5, -0.4, None, 0, True)),
    ("underperform%|lag%|trail% behind?", Relation(-0.45, 0.3, None, 0, True)),
    ("overtaken|surpassed|dethroned|outsold by", Relation(-0.45, 0.45)),
    ("undercut%", Relation(0.2, -0.4, None, 0, True)),
    ("catch% up with|to", Relation(0.35, -0.15, None, 0, True)),
    ("sue%", Relation(-0.05, -0.5, _LIT, 1.2, True)),
    ("file% ~3 lawsuit|suit|complaint|case against", Relation(-0.05, -0.5, _LIT, 1.3)),
    ("accuse%", Relation(0.0, -0.45, _LIT, 0.7, True)),
    ("sued|accused by", Relation(-0.5, 0.0, _LIT, 1.2)),
    (
        "win% ~4 lawsuit|case|verdict|suit|battle|dispute|spat|row|war|fight|feud against|with|over",
        Relation(0.5, -0.5, _LIT, 1.2),
    ),
    ("lose% ~4 lawsuit|case|suit|battle|dispute against|with|to", Relation(-0.5, 0.45, _LIT, 1.2)),
    (
        "dismiss%|toss%|reject%|drop%|threw|throws out? ~3 lawsuit|suit|case|complaint|charges|probe|claims against|into|over",
        Relation(0.1, 0.45, _LIT, 1.3),
    ),
    ("clear%|acquit%|exonerate%|absolve%", Relation(0.0, 0.5, _LIT, 1.2, True)),
    ("lawsuit|suit|case|complaint against", Relation(0.0, -0.45, _LIT, 1.2)),
    ("acquire%", Relation(0.05, 0.55, _MA, 1.4, True)),
    ("buy%|purchase%", Relation(0.05, 0.5, _MA, 1.0, True)),
    ("to|will acquire|buy|purchase ~3 maker|owner|parent|rival|startup|unit", Relation(0.05, 0.4, _MA, 1.2)),
    ("take% over", Relation(0.05, 0.5, _MA, 1.2, True)),
    ("takeover of", Relation(0.05, 0.55, _MA, 1.3)),
    ("acquisition of", Relation(0.05, 0.5, _MA, 1.3)),
    ("bid|offer for", Relation(0.05, 0.5, _MA, 1.0, True)),
    ("acquired|bought by", Relation(0.5, 0.1, _MA, 1.4)),
    ("taken over by", Relation(0.5, 0.1, _MA, 1.4)),
    ("takeover|buyout|acquisition ~1 bid|offer|interest from|by", Relation(0.55, 0.0, _MA, 1.3)),
    ("merge%|merger with", Relation(0.3, 0.3, _MA, 1.4)),
    (
        "buy%|acquire%|take%|pick%|own%|hold% ~1 up? ~5 stake|shares|position|holding|#pct in|of",
        Relation(0.04, 0.4, _MA, 0.8),
    ),
    ("raise%|increase%|boost%|hike%|up% ~2 stake|holding|position in", Relation(0.05, 0.4, _MA, 0.6)),
    (
        "sell%|cut%|trim%|reduce%|dump%|offload%|exit% ~4 stake|holding|position|shares in|of",
        Relation(0.0, -0.35, None, 0.5),
    ),
    ("exit%|dump%", Relation(0.0, -0.35, None, 0.3, True)),
    ("invest% ~4 in", Relation(0.04, 0.4, None, 0.4, True)),
    ("reject%|rebuff%|spurn% ~3 offer|bid|proposal|approach from|by", Relation(0.25, -0.04, _MA, 1.1)),
    ("partner%|collaborate% with", Relation(0.35, 0.35, _WIN, 0.8)),
    ("team% up with", Relation(0.35, 0.35, _WIN, 0.8)),
    ("tie% up with", Relation(0.35, 0.35, _WIN, 0.8)),
    (
        "sign%|ink%|strike%|sealed|seal%|reach% ~4 deal|agreement|pact|partnership|contract with",
        Relation(0.35, 0.35, _WIN, 1.0),
    ),
    ("partnership|tie|alliance|deal|pact|collaboration up? with", Relation(0.3, 0.3, _WIN, 0.7)),
    (
        "win%|bag%|secure%|land%|get%|receive%|clinch% ~5 contract#|order#|deal|business from",
        Relation(0.55, 0.05, _WIN, 1.2),
    ),
    ("award%|give%|hand% ~2 contract to", Relation(0.0, 0.5, _WIN, 1.1)),
    ("award%|pick%|select%|choose%|chose|chooses", Relation(0.05, 0.45, _WIN, 0.9, True)),
    ("picked|selected|chosen by", Relation(0.45, 0.05, _WIN, 0.9)),
    ("supplier to|for", Relation(0.15, 0.05, None, 0.2)),
    ("to supply", Relation(0.35, 0.15, _WIN, 0.8, True)),
    ("ditch%|drop%|abandon%", Relation(0.0, -0.5, _LOSS, 0.9, True)),
    ("cut% ties with", Relation(0.0, -0.4, _LOSS, 0.9)),
    (
        "end%|terminate%|cancel%|scrap% ~4 deal|contract|partnership|agreement|orders|order with|from",
        Relation(-0.15, -0.4, _LOSS, 1.1),
    ),
    ("replace%", Relation(0.35, -0.4, None, 0.2, True)),
    ("upgrade%", Relation(0.0, 0.55, _RATE, 1.4, True)),
    ("downgrade%", Relation(0.0, -0.55, _RATE, 1.4, True)),
    ("upgraded by|at", Relation(0.55, 0.0, _RATE, 1.4)),
    ("downgraded by|at", Relation(-0.55, 0.0, _RATE, 1.4)),
    ("upgraded to ~3 by|at", Relation(0.55, 0.0, _RATE, 1.4)),
    ("downgraded to ~3 by|at", Relation(-0.55, 0.0, _RATE, 1.4)),
    ("raise%|hike%|lift%|boost%|increase%|up% ~2 target ~1 price? on|for|of", Relation(0.0, 0.5, _RATE, 1.4)),
    ("cut%|lower%|slash%|trim%|reduce% ~2 target ~1 price? on|for|of", Relation(0.0, -0.5, _RATE, 1.4)),
    ("bullish|overweight|positive|upbeat on", Relation(0.0, 0.5, _RATE, 1.0)),
    ("bearish|underweight|negative|cautious on", Relation(0.0, -0.45, _RATE, 1.0)),
    ("^ buy|accumulate|add", Relation(0.0, 0.5, _RATE, 1.2, True)),
    ("^ sell|reduce|avoid|exit|dump", Relation(0.0, -0.5, _RATE, 1.2, True)),
    ("^ hold", Relation(0.0, 0.02, _RATE, 1.0, True)),
    ("outbid%", Relation(0.05, -0.25, _MA, 0.9, True)),
    ("recommend%|prefer%|like%|favor%|favour%", Relation(0.0, 0.4, _RATE, 0.6, True)),
    ("fine tune|tunes|tuned|tuning", Relation(0.0, 0.0, Catalyst.OTHER, 0.5, True)),
    ("waive%|scrap%|cancel%|annul%|withdraw% ~2 penalty|fine|ban on|against", Relation(0.0, 0.45, _REG, 1.3)),
    ("fine%|penalize%|penalise%|sanction%|ban%|blacklist%|raid%", Relation(0.0, -0.55, _REG, 1.3, True)),
    ("probe%|investigate%|scrutinize%|grill%", Relation(0.0, -0.45, _REG, 1.2, True)),
    ("fined|probed|investigated|penalized|penalised|sanctioned|banned|raided by", Relation(-0.55, 0.0, _REG, 1.3)),
    ("probe|investigation|inquiry into|against|of", Relation(0.0, -0.45, _REG, 1.2)),
    ("penalty|fine on", Relation(0.0, -0.5, _REG, 1.2)),
    ("crackdown on", Relation(0.0, -0.45, _REG, 1.1)),
    (
        "hurt%|hit%|hammer%|pressure%|squeeze%|dent%|sink%|batter%|rattle%|drag% down",
        Relation(0.0, -0.5, None, 0, True),
    ),
    ("weigh% on", Relation(0.0, -0.45, None, 0, True)),
    ("threaten%|challenge%", Relation(0.15, -0.4, None, 0, True)),
    ("threat to", Relation(0.15, -0.4, None, 0)),
    ("take% aim at", Relation(0.2, -0.3, None, 0)),
    ("bad news for", Relation(0.0, -0.5, None, 0)),
    ("blow to|for", Relation(0.0, -0.5, None, 0)),
    ("good news for", Relation(0.0, 0.5, None, 0)),
    ("boon|win|boost|lift for|to", Relation(0.0, 0.5, None, 0, True)),
    ("lift%|boost%|help%|buoy%|propel%|benefit%|aid%|cheer%|bolster%|support%", Relation(0.0, 0.45, None, 0, True)),
    ("compete%|competition|rivalry with|from|against", Relation(-0.25, 0.0, None, 0)),
    ("pressure from", Relation(-0.35, 0.1, None, 0)),
    ("fail% ~4 catch up with|to", Relation(-0.4, 0.2, None, 0)),
)
