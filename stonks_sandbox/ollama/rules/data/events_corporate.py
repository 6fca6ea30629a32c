"""What happened, by catalyst: results, guidance, deals, people, capital, ratings.

Each line: the value in [-1, 1] of such news and how surely it means the catalyst (0 to about 1.6), then the patterns,
divided by semicolons. A value of 0 says the kind and leaves the judgement to the other words of the clause.
`@name` stands for a set of words.
"""

from stonks_core.vocabulary import Catalyst

CORPORATE_EVENTS: dict[Catalyst, str] = {
    Catalyst.EARNINGS_BEAT: """
    +0.70 1.2: earnings beat; beat%|top%|exceed%|surpass%|smash%|crush% ~3
        expectation#|estimate#|forecast#|consensus|view#
    +0.65 1.1: beat%|top% on; beat% ~1 handily; beat% across; beats; double beat
    +0.50 0.5: record revenue
    +0.00 0.9: results of operations
    +0.00 0.8: report% ~6 results; announce% ~6 results; post% ~5 results; quarterly results; quarter
        results
    +0.00 0.7: financial results; earnings report; quarterly earnings
    +0.00 0.6: earnings per share; net profit; quarterly profit; quarterly revenue; quarterly sales; eps
    +0.00 0.5: same store sales
    +0.00 0.4: net income; comparable sales; first|second|third|fourth quarter; q1|q2|q3|q4; deliver% ~4
        vehicle#
    +0.00 0.3: operating income; deliveries
    -0.65 1.1: miss% on; miss% badly; falls short; double miss
    -0.70 1.2: fall%|come%|came ~1 short of ~3 estimate#|expectation#|forecast#|consensus|target#|view#;
        earnings miss; miss%|lag%|trail% ~3 expectation#|estimate#|forecast#|consensus|view#
    -0.70 0.5: profit warning#
    """,
    Catalyst.GUIDANCE_RAISE: """
    +0.75 1.6: @raise ~5 @guidance
    +0.70 1.5: @guidance @raise; @guidance ~2 raised|increased|lifted|boosted
    +0.60 1.3: upbeat|strong|bullish|rosy ~2 @guidance; upgrade% its|their|full ~2 forecast|outlook|guidance
    +0.60 1.2: now expects ~4 higher; raise% ~3 full year; sees ~4 above ~2 estimates|consensus
    +0.55 1.1: strengthened|improved|higher ~2 @guidance
    +0.50 0.5: above ~3 @guidance
    +0.45 0.7: @raise ~4 target#
    +0.40 0.6: @raise its own
    +0.35 0.5: expect% ~3 revenue|sales|earnings|profit to grow|increase|rise
    +0.05 0.5: reaffirm%|reiterate%|maintain%|confirm%|affirm%|back% ~5 @guidance
    +0.00 0.5: provide%|issue%|give% ~4 @guidance
    """,
    Catalyst.GUIDANCE_CUT: """
    -0.70 1.5: downgrade% its|their|full ~2 @guidance
    -0.40 0.6: @cut its own
    -0.45 0.7: @cut ~4 target#
    -0.35 0.7: expect%|forecast%|project%|guid% ~6 loss per ~1 share
    -0.50 0.8: expect% ~3 revenue|sales|earnings|profit to decline|fall|drop|decrease|shrink
    -0.50 0.5: below ~3 @guidance
    -0.60 1.3: weak|soft|disappointing|gloomy|downbeat|cautious|dour|bleak ~2 @guidance;
        reduced|lower|lowered|weaker ~2 @guidance
    -0.60 1.2: no longer expect% ~4 growth; scrap% ~2 target#; now expects ~4 lower; sees ~4 below ~2
        estimates|consensus
    -0.65 1.4: @guidance ~2 disappoint%|underwhelm%|miss%|lag%; @guidance ~1 fall% short; disappoint% ~2
        @guidance
    -0.65 1.2: warn% ~5 results|earnings|profit|profits|sales|revenue|demand
    -0.70 1.5: @guidance ~2 @cut; withdraw%|suspend%|pull%|scrap%|abandon% ~4 @guidance
    -0.75 1.6: @cut ~5 @guidance; profit warning#
    """,
    Catalyst.MERGER_ACQUISITION: """
    -0.45 1.3: talks|deal|merger|takeover|acquisition ~9 fail|fails|failed|collapse|collapses|collapsed|stall|stalls
    +0.50 1.4: to be acquired; be acquired by
    +0.50 1.2: clear%|approve%|okay%|back% ~6 deal|acquisition|merger|takeover|bid|purchase; take%
        private; go% private
    +0.35 1.1: buyout#; hostile bid
    +0.30 1.1: takeover#; bid%|offer% #num ~1 for
    +0.30 1.0: unsolicited ~3 offer|bid|proposal
    +0.30 0.8: strategic alternatives
    +0.30 0.4: premium of
    +0.25 1.5: definitive agreement to acquire|merge|buy|sell|purchase
    +0.20 1.4: agree% to buy|acquire|purchase|merge
    +0.20 1.1: acquisition# of; merger#; merge% with
    +0.20 1.0: acquire%|acquires; all cash deal
    +0.20 0.8: buy% ~3 stake; buys out
    +0.20 0.7: bid for; joint venture
    +0.15 1.0: completion of acquisition
    +0.15 0.9: tender offer
    +0.10 1.0: all stock deal
    +0.05 0.9: spin% off; spinoff#
    +0.10 0.7: acquisition#
    +0.10 0.5: change in control
    +0.05 1.0: completed the sale of
    +0.05 0.9: divest%; divestiture#
    +0.05 0.8: sell% ~4 unit|business|division|stake|arm
    +0.00 0.5: mini tender offer
    -0.45 1.2: scrap%|abandon%|end%|drop%|terminate% ~3 merger|takeover|deal|talks|acquisition
    -0.50 1.2: block%|veto%|oppose%|thwart%|derail% ~6 deal|acquisition|merger|takeover|purchase|bid;
        deal|merger|acquisition|takeover|bid ~2
        blocked|collapses|collapsed|falls|terminated|abandoned|scrapped|called; call% off ~4
        deal|merger|acquisition|takeover
    """,
    Catalyst.MANAGEMENT_CHANGE: """
    +0.05 1.1: to lead|head|run ~3 company|bank|group|firm; new leader|boss|chief|head|chairwoman;
        taps ~6 chief|ceo|cfo;
        expert|veteran|executive ~3 to lead|run|head
    +0.30 1.1: respected|renowned|acclaimed|proven|seasoned ~6 to lead|head|run; turnaround expert|specialist|artist
    +0.25 1.0: returns as ceo|chief
    +0.05 0.9: hire% ~5 ceo|cfo|chief|head
    +0.05 1.0: appoint% ~8 chief|ceo|cfo|coo|president|chairman|chair|officer|director|head; name% ~6
        chief|ceo|cfo|coo|president|chairman|chair|officer
    +0.10 0.7: join% ~3 board
    +0.05 1.0: new ceo|cfo|coo|chairman; new chief executive
    +0.05 0.8: elect% ~8 board of directors
    +0.05 0.7: elected ~10 director|directors|board
    +0.05 0.5: appointment of
    +0.00 0.8: succeed% ~5 as
    +0.00 0.7: successor
    -0.05 0.9: transition% to ~5 role
    -0.05 0.6: stand for reelection
    -0.10 1.1: decision to retire
    -0.10 1.0: retire% as|from; to retire; will retire; leadership change#|transition
    -0.10 0.9: retirement of; not to stand for re election
    -0.15 1.0: interim ceo|cfo|chief
    -0.20 1.0: cease% serving; management shakeup|shake
    -0.25 1.0: cease% to serve
    -0.25 0.8: departure of
    -0.30 1.1: step% down; resignation
    -0.30 0.8: depart% as|from
    -0.35 1.1: resign%; resigned
    -0.40 1.1: oust%; ceo|cfo|coo|chief|chairman ~4 depart%|leave%|quit%|exit%|out|fired
    -0.40 1.0: fire% ~3 ceo|cfo|chief|executive; passing of ~8 ceo|chief|chairman|president|officer; death
        of ~6 ceo|chief|chairman|founder
    -0.50 1.4: ceo|executive officer? ~8 resign%|retire%|depart%|quit%|oust%|fired; resign% ~8 ceo|chief
        executive officer?; ceo|executive officer? ~4 step% down; step% down as ~3 ceo|chief
    """,
    Catalyst.CAPITAL_RETURN: """
    +0.45 1.1: special dividend; @raise ~4 dividend; initiate% ~4 dividend
    +0.40 1.1: buyback#; accelerated share repurchase
    +0.40 1.0: dividend increase|hike
    +0.35 1.1: repurchase program#; repurchase authorization
    +0.35 1.0: buy back; buys back
    +0.35 0.7: bonus issue|shares
    +0.30 1.0: share repurchase#; stock repurchase#
    +0.25 1.0: declare% ~5 dividend
    +0.25 0.6: stock split; forward ~1 split
    +0.20 0.8: interim dividend
    +0.20 0.6: return% ~4 shareholders|stockholders; returned ~4 to shareholders|stockholders
    +0.15 0.7: cash dividend; quarterly dividend
    +0.10 0.5: dividend
    -0.60 1.1: dividend cut|suspension
    -0.65 1.1: @cut ~3 dividend; suspend%|eliminate%|scrap%|omit% ~3 dividend
    """,
    Catalyst.CAPITAL_RAISE: """
    +0.35 1.1: raise% ~5 on favourable|favorable|attractive|better terms; secure%|attract%|receive% ~3 investment of
    +0.35 0.5: direct funding
    +0.30 1.0: raise% ~4 million|billion|bn|mn|crore|cr|m|b ~2 from
    +0.00 1.1: raise% ~5 via|through|by selling|issuing|rights|qip|bonds|ncds|debentures|ecb; fund raising; raise% ~2 funds|capital
    +0.30 0.9: funding round
    +0.15 0.9: initial public offering
    +0.15 0.8: ipo
    +0.10 0.3: investment rating affirmed
    +0.00 1.1: credit agreement
    +0.00 1.0: credit facility
    +0.00 0.6: commercial paper
    -0.02 0.9: senior notes
    -0.02 0.8: notes due
    -0.03 1.0: issued ~4 aggregate principal
    -0.05 1.2: notes offering
    -0.05 1.1: underwriting agreement
    -0.05 1.0: bond sale|issue|offering
    -0.05 0.9: term loan
    -0.10 1.0: debt offering
    -0.03 0.9: raise% ~2 #num ~3 funding|equity|debt|capital|bonds|shares
    -0.03 0.8: qip
    -0.15 1.0: private placement
    -0.15 0.8: issue% ~4 warrants
    -0.20 0.9: depositary shares; to raise capital|funds|cash
    -0.20 0.8: share issue|issuance
    -0.03 1.1: rights issue
    -0.30 1.1: convertible notes
    -0.30 1.0: convertible preferred; agreed to issue and sell
    -0.30 0.9: sale of ~4 shares by the company
    -0.05 0.8: share sale
    -0.35 1.1: public offering; at the market offering|program
    -0.30 1.2: issue%|sell%|offer%|place% ~5 new|additional shares|stock; to repay ~2 debt|loans by issuing|selling;
        issue%|sell% ~4 new shares|stock to repay|pay|refinance ~2 debt|loans
    -0.40 1.2: secondary offering; discounted ~1 stock|share|equity sale|offering|placement;
        shares|stock at ~2 discount to ~2 market price
    -0.40 1.1: stock offering
    -0.40 0.7: dilute%; further|heavy dilution
    -0.45 1.2: common stock offering
    """,
    Catalyst.INSIDER_TRADE: """
    -0.35 1.3: executive#|director#|officer#|insider#|chief|founder|chairman|ceo ~4 sell%|offload% ~6 shares|stock|stake;
        executive#|director#|officer#|insider# ~5 @cut|halve%|sell% their|his|her ~2 holding#|stake#|shares
    -0.40 1.3: insider selling|sales|disposals ~8 @high
    +0.40 1.3: insider buying|purchases ~8 @high;
        executive#|director#|officer#|insider# ~5 @raise|double%|add% to? their|his|her ~2 holding#|stake#|shares
    +0.40 1.3: executive#|director#|officer#|insider#|chief|founder|chairman|ceo ~4 buy% ~6 shares|stock
    +0.40 1.2: insider buying|purchases; insider# buy%|bought;
        ceo|cfo|director|chairman|founder|executive|chief buy% ~5 shares|stock
    +0.35 1.1: promoter# ~4 buy% ~3 stake|shares
    +0.00 0.6: form 4
    -0.10 0.8: 10b5 1
    -0.30 0.9: pledge% ~3 shares; sold ~5 shares worth; founder sells
    -0.35 1.2: insider selling|sales; insider# sell%|sold;
        ceo|cfo|director|chairman|founder|executive|chief sell% ~5 shares|stock|stake
    -0.35 1.1: promoter# ~4 sell% ~3 stake|shares
    """,
    Catalyst.ANALYST_RATING: """
    +0.55 1.4: upgraded on|as|after|over; upgraded ~2 shares of
    -0.55 1.4: downgraded on|as|after|over; downgraded ~2 shares of
    +0.55 1.2: upgrade#|upgraded to|at|by|from; upgrade% to
    +0.55 1.1: strong buy
    +0.50 1.3: @raise|move% ~4 to buy|overweight|outperform|accumulate; @raise ~2 price target
    +0.50 1.2: price target raised|boosted|lifted|hiked|increased
    +0.50 1.1: analyst# upgrade%
    +0.50 1.0: upgraded; top pick
    +0.45 1.2: initiate% ~3 coverage ~5 buy|outperform|overweight
    +0.45 1.1: buy rating; outperform rating
    +0.45 1.0: overweight
    +0.45 0.9: remain% bullish on
    +0.45 0.7: bullish on
    +0.45 0.4: +0.40 0.7: stock# to buy
    +0.35 0.5: positive on
    +0.30 0.8: target price
    +0.10 0.9: initiate% ~2 coverage
    +0.10 0.6: price target
    +0.00 1.0: hold rating; neutral rating
    +0.00 0.4: -0.35 0.5: negative on
    -0.40 0.7: stock# to sell
    -0.40 0.6: -0.40 0.5: -0.45 1.2: initiate% ~3 coverage ~5 sell|underperform|underweight
    -0.45 1.1: underperform rating
    -0.45 1.0: underweight
    -0.45 0.7: bearish on
    -0.45 0.4: -0.50 1.3: @cut ~2 price target
    -0.50 1.3: @cut|move% ~4 to sell|hold|neutral|underperform|underweight|reduce
    -0.50 1.2: price target cut|lowered|slashed|reduced|trimmed
    -0.50 1.1: downgrade#; sell rating; analyst# downgrade%
    -0.50 0.9: credit rating ~3 cut|downgraded|lowered
    -0.55 1.2: downgrade% to|at|by|from
    -0.55 1.1: downgraded
    """,
}
