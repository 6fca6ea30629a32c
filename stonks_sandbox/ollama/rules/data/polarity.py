"""Words and phrases that are good or bad news by themselves, in [-1, 1]. Events of a known kind stand in `events_*`.

Each line: the value, then the patterns, divided by semicolons.
"""

POLARITY = """
    +0.70: beat% ~3 expectation#; beat% ~3 estimate#; beat% ~3 forecast#; beat% ~3 consensus; beat% ~2
        street; beat% ~2 view#; top% ~3 expectation#; top% ~3 estimate#; top% ~3 forecast#; top% ~2
        street; top% ~2 view#; exceed% ~3 expectation#; exceed% ~3 estimate#; exceed% ~3 guidance; exceed%
        ~3 forecast#; surpass% ~3 expectation#; surpass% ~3 estimate#; surpass% ~3 forecast#; smash% ~3
        expectation#; smash% ~3 estimate#; crush% ~3 estimate#; crush% ~3 expectation#; trounce% ~3
        estimate#; above ~3 expectation#; above ~3 estimate#; above ~2 consensus; above ~2 forecast#;
        ahead of ~3 expectation#; ahead of ~3 estimate#; ahead of ~2 forecast#; ahead of ~2 consensus;
        better than ~1 expected|feared|forecast|anticipated; stronger than ~1
        expected|forecast|anticipated; earnings beat; profit beat; revenue beat; positive surprise; upside
        surprise; surprise profit; blowout ~1 quarter|results|earnings|numbers|forecast|sales; well above
        ~3 expectation#; outpace% ~3 expectation#; outpace%
        ~2 estimate#
    +0.50: bounce% back; back to profit; return% to ~2 profit; first ~2 profit; best ~1
        profit|results|sales|revenue|month|week|performance; record peak; at|to|hit% ~1 record; record ~1
        summer|winter|month|season|bookings|order#|inflows|exports|shipments|production|holiday|backlog|volume#|margins;
        winning streak; hot streak; windfall; bonanza; top% ~1 list; lead% ~2 gain#|gainers|rally|pack;
        best performing; best performer#; strongest ~2 growth|quarter|year|performance; turn% ~3 profit;
        swing% ~3 to profit; sets ~1 record; hits ~1 milestone; decline%|fall%|drop% ~2 less than ~1
        feared|expected|forecast; smaller than feared; record high#; all time high#; all time record;
        record quarter; record revenue#; record sales; record profit#; record earnings; record orders;
        record deliveries; record demand; record results; best quarter; best year; best day; a record; new
        record; 52 week high#; multi year high#; one year high#; life high#; lifetime high#; fresh high#;
        new high#; top gainer#; top performer#; bullish; bull#; bull run; blockbuster; stellar;
        breakthrough; boom%; booming; exceptional; strong demand; strong growth; strong results; strong
        quarter; strong sales; strong earnings; robust demand; robust growth; swing% to ~2 profit; turn%
        ~1 profit; turn% profitable; return% to ~1 black; post% ~2 profit; outperform%; market leader;
        ahead of schedule; sell% out; sold out; multibagger#; hit% ~1 upper circuit; upper circuit; rise%
        to ~3 high; hit% ~2 high; scale% ~2 high; crown jewel; rave reviews; frenzy; loss# narrow%;
        narrow% ~2 loss#; loss narrows; smaller loss; narrower loss; exceed% ~3 target#; rating upgrade;
        credit upgrade; upgrades ~3 rating; investment grade
    +0.40: fear#|worry|worries|concern#|gloom ~4 overdone|overblown|exaggerated|unfounded|unwarranted;
        less ~1 serious|severe|damaging|bad than feared; setback# ~3 smaller|milder|lighter than feared;
        damage|loss|losses|impact|hit|blow ~4 less ~1 severe|serious|bad? than feared;
        end%|remove%|dispel%|lift% uncertainty|doubt#; that investors|analysts|shareholders had? hoped|waited for
    +0.35: among ~2 top pick#; top ~2 pick#; top bet#; scale% ~2 peak#|high#; new peak#; join% ~1
        dow|nifty|sensex|index; added to ~3 index|500|dow|nifty|msci; freed from; exempt% from; wins ~2
        reprieve; reprieve; spared; vindicated; acquitted; cleared of; exonerated; debt ~1 upgrade; free
        cash flow ~2 doubled|jumped; demand ~1 outstrip%|exceeds|exceeded; oversold; buy on dips;
        accumulate on; multi fold; manifold; bounty; gains share; grow% share; leads ~1 market; number
        one; pole position; stand% tall; hold% firm|up; defy%|defies ~2 slump|slowdown|gloom|expectations;
        shatter% ~2 record#; smash% ~2 record#; break% ~2 record#; set% ~2 record; unlock% value; boost%
        from; gets ~1 lift; get% ~2 thumbs up; thumbs up; applaud%; lauded; endorse%|endorsement; premium
        valuation; deep value; re rating; rerating; turn% bullish; turns positive; backs; well
        capitalised; well capitalized; over subscription; strong response; robust response; healthy
        growth; sees ~2 growth; eye% ~2 growth; growth intact; unscathed; benefits; brighten%; revive%;
        revival; resurgence; resurgent; renaissance; uplift; vigorous; sparkle%; sizzle%; delight%; stand%
        out; beneficiary; beneficiaries; lucrative; competitive edge; gain% ~1 market share; market share
        gain#; positive outlook; double digit growth; high growth; fast growing; in the black; recovery;
        buck% ~2 trend; on a roll; back% from investors; gets ~2 backing; vote of confidence; pass% ~2
        stress test; clears ~2 test; win% back ~2; shrug% off; shake% off; lift% spirits; ride% ~2
        boom|wave; reap%; cash in on; beef% up; step% up ~2 production; ramp% up; sweeten% ~2 offer;
        surplus cash; pay% off; pays off; raise% ~1 stake; pare% ~1 losses; trim% ~1 losses; erase% ~1
        losses; recoup% ~1 losses; stabilise%; stabilize%; victory; triumph%; prevail%; breakout; nod;
        turn% ~1 corner; breathe%|breather; relief rally; gain% traction; pick% up steam; win% over;
        outshine%; charm%; dazzle%; attract% ~2 investor#|investment|customers|buyers; flock% to; strong;
        stronger; better ~1 results|demand|margins|outlook|sales|terms|quarter|year|times|days; healthier;
        impress%; post%|report%|see%|deliver% ~2 growth; shortage# ~1 ease%; robust; favorable;
        favourable; positive; momentum; upbeat; optimistic; optimism; confident; bright; brisk; buoyant;
        thrive%; flourish%; success; successful; successfully; excellent; outstanding; impressive; healthy
        demand; tailwind#; milestone#; benefit% from; profitable; return% to profit|profitability|growth;
        cost savings; margin expansion; upside; turnaround; comeback; in demand; growth driver#; leader;
        leadership; best ever; popular; advantage; resume% production|operations|flights|dividend|service;
        restore% ~2 service#; reach% ~2 agreement; get% ~1 boost; draw% ~1 praise; win% ~2 praise;
        praise%; well received; investor# cheer%; cheer%; shine%; glitter%; warm% to; green light; in the
        green; bargain; undervalued; cheap valuation; attractive valuation; debt free; reduce% ~2 debt;
        pay% down ~2 debt; cut% ~2 debt; prepay%; cut% ~1 cost#; lower% ~1 cost#
    +0.20: hike% ~2 price#|rate#|fare#|tariffs|fees; raise% ~2 price#|rate#|fare#|fees|rents; price hike#;
        fare hike#; resumed; resumes; back on track; back on line; on the mend; favoured|favored; easing
        ~2 concerns|fears|worries; concerns ease; fears ease; calm%; reassure%; steady growth; clean bill;
        smooth; modest gain#; rosy; sturdy; rewarding; steady progress; safe bet; favorite|favourite; well
        received; oversubscribed; accretive; synergy#; de risk%; deleverage%; well positioned; on track; on
        schedule; commit% to; pleased; proud; opportunity#; attractive; healthy; solid; stable; steady;
        resilience; resilient; efficient; reliable; trusted; available; support% from; progress;
        encouraged; encouraging; promising; constructive; innovative; eases concerns|fears|worries
    -0.45: enthusiasm|optimism|cheer|euphoria|excitement|hype ~4
        premature|misplaced|overdone|overblown|unfounded|exaggerated|unwarranted;
        doubt#|question# ~1 grow|grows|mount|mounts|deepen|linger|persist|swirl over|about?;
        good news ~3 overstated|exaggerated
    -0.20: in limbo; uncertainty over; on hold; put% off; shelve%; defer%; deferred; backtrack%; rethink;
        tight supply; mulls ~2 exit; look% ~1 to exit; stay cautious; caution; bumpy; patchy; choppy;
        rough patch; growing pains; mixed bag; not enough; fret%; nervous; anxious; anxiety; skeptical;
        sceptical; scepticism; skepticism; hurdle#; obstacle#; snag#; hiccup#; bottleneck#; lacklustre;
        lackluster; mediocre; uninspiring; anaemic; anemic; cool% on; vulnerable; exposed to; strain#;
        strained; burden#; dampen%; grapple%; trims ~2 capacity; fewer; dilemma; uncertain future; light
        guidance|outlook; guidance|outlook light; speed bump#; wary; headwind#; challenge#; challenging;
        uncertain; uncertainty; cautious; mixed results; pressured; under pressure; setback#; difficult;
        soft; sluggish; tepid; muted; subdued; flat; stagnant; competition; competitive pressure#;
        volatile; controversy; controversial; criticism; criticise%; criticize%; underwhelm%; lukewarm;
        struggle%; tough; delay#; concern#; worry#; worried; fear#; jitters; question# about; doubt#;
        scrutiny; expensive valuation; overvalued; pricey; overhang
    -0.35: stay away from; steer clear of; sicken%; outbreak; furlough%; removed from ~3
        index|500|dow|nifty|msci; dropped from ~3 index|dow|nifty; in red; burn% cash; cash burn; bad
        debt#; npa#; slippage#; asset quality; pledge% ~2 shares; overbought; stretched valuation#; rich
        valuation#; sell on rise; trim% ~2 position#; turn% bearish; turns negative; loses momentum; lose%
        momentum|steam|favor|favour; run% out of steam; hit% ~2 wall; hit% ~2 roadblock; roadblock#;
        headache#; nightmare; bite%|bites; sting%; stung; dealt ~2 blow; suffers ~2 blow; takes ~2
        beating; beating; hammered; clobbered; pummeled|pummelled; thrashed; whacked; mauled; slaughter%;
        punished; punish% ~2 stock|shares; caught in; embroiled; mired; entangled; accused of; blamed for;
        held liable; guilty; convict%; jailed; arrested; detained; questioned by; summoned; grilled;
        evade%|evasion; tax claim#|demand#; blacklisted; suspended from; suspends ~3 executive|license;
        whistleblower; cheating; rigging; forged; forgery; fake; adulterate%; poison%; death#; deaths;
        killed; fatal; injure%; lose% ~2 case; loses ~2 appeal; stake sale; block deal; share overhang;
        lock in expiry; mass exit; key exits; talent exodus; attrition; brain drain; losing ~2 share;
        cedes; loses edge; lost ~1 edge; trails; laggard#; eats into; erodes; price erosion; pricing
        pressure; margin pressure; profit squeeze; weigh#; tough quarter; bad quarter; worst; dud; lemon;
        soured; cold feet; pull% plug; axed; shuttered; shutter%; mothball%; scale% back; rein% in; belt
        tightening; austerity; lean times; cuts ~2 spending; pause% ~2 hiring|production|sales; stops ~2
        production|sales; out of action; stranded; cripple%; paralyse%; jam%|jammed; clogged; chaos; havoc;
        disrupt%; backlash; protest#; boycott; rebels; revolt; dissent; oppose%; row over; fight over;
        clash%; feud; rocked; shaken; storm over; controversy; stink; whiff; skid%; flounder%; languish%;
        limp%; fizzle%; flop%; wane%; dwindle%; reel%; reeling; battered; bruised; beleaguered; embattled;
        ailing; stricken; hobbled; sour%; spook%; rattled; jolt%; fallout; blunder#; misstep#; mishap#;
        lapse#; flaw#; flawed; faulty; squeezed; outflow#; redemption#; dismal; painful; negative outlook;
        @cut ~3 capacity|production|output|flights; axe%|shed%|eliminate%|slash%|cull% ~4
        job#|staff|roles|positions|workers|employees; freeze% ~2 hiring|spending; hiring freeze;
        jeopardize%|jeopardise%; imperil%; at risk; downbeat; gloom; outcry; uproar; furious; anger%;
        slam%; slammed; condemn%; lambast%; under fire; hot water; in trouble; unravel%; mistake#; take%
        ~3 hit|charge; pull% out of; left behind; lose% out; miss% out; walk% out; defect% to; customer#
        ~1 leave|flee|defect; clients ~1 pull|flee|leave|withdraw; worst hit; hardest hit; drags; dragged;
        pare% ~1 gains; give% up ~1 gains; erase% ~1 gains; investor# ~1 flee|dump|wary|unimpressed; fail%
        ~2 impress; lose% patience; under ~2 cap; struggling; strugglers; strands|stranded|stranding; blackout; write% down;
        writes off; outbid; snub%; shun%; bar% from; barred; overcharge%; irregularity#; probe widens;
        raid#; kickback#; price fixing; cartel; collusion; tarnish%; overrun#; cost overrun#; hit by; hurt
        by; cut% to neutral|hold; lowest in; closes ~3 stores|branches|plants|factories; abandon%;
        stockpile%; unsold; sell% ~1 at ~1 loss; exit% ~2 market; retrench%; pullback; cold water; bleed%;
        bad loan#; non performing; fade%; weigh% heavily; red flag#; unrest; rift; spat; standoff;
        stalemate; sabotage; smear; weak; worse; scare#; upside is limited; limited upside; weakness;
        weaker; disappoint%; disappointing; disappointment; poor; gloomy; bleak; grim; adverse; adversely;
        negative; negatively impact%; unfavorable; unfavourable; pessimistic; shortfall; shortage#;
        decline in demand; lose% ~1 ground; lose% ~2 customer#; lose% ~2 subscriber#; lose% ~2 share; job
        cut#; cut% ~3 job#; cut% ~3 staff; cut% ~3 workforce; lay% off; layoff#; laid off; slash% ~3 job#;
        restructuring charge#; impairment; write down#; writedown#; write off#; writeoff#; loss of ~2
        customer#; glut; oversupply; excess inventory; burn% ~2 cash; hurt%; harm%; dent%; hamper%; drag%
        down; weigh% on; weighs on; pain; trouble#; troubled; woe#; warn%; warning#; alarm#; selloff; sell
        off; sell offs; profit booking; profit taking; take% ~1 hit; a blow; blow to; face% ~2 heat; in
        the red; wobble%; lag%; trail% ~2 market; underperform%; stumble%; falter%; stall%; bear#; top
        loser#; lose% ~1 sheen; lose% ~1 luster; lose% ~1 shine; out of favor|favour; out of stock; close%
        ~2 store#; shut% ~2 plant#; shutdown; shuts down; idle% ~2 plant#; suspend% production; halt%
        production; price cut#; price war; quality problem#; quality issue#; downside
    -0.50: horrible; terrible; dreadful; disastrous; disaster; debacle; fiasco; brutal; toxic; crippled;
        crippling; on the brink; brink of; verge of; collapse of; implode%; implosion; panic; corruption;
        bribe#; mislead%; misled; mis selling; overstate%; overstated; fraudulent; siphon%; price
        collapse; losing streak; worst performing; worst performer#; lead% ~2 losses|losers|decline;
        steepest ~2 drop|fall|decline; biggest ~2 drop|fall|decline|loss; worst ~2
        drop|fall|decline|week|month|performance; losses mount|deepen|widen|swell; deepening loss#; wind%
        down; liquidate%; liquidation; run out of cash; emergency funding; halt% trading; trading halt#;
        cut to junk; default% on; misses; lose% #num million|billion|crore; loses #num; bearish; 52 week
        low#; multi year low#; one year low#; all time low#; record low#; fresh low#; new low#; lowest
        level; worst day; worst quarter; worst year; lower circuit; net loss; quarterly loss; operating
        loss; annual loss; post% ~2 loss; report% ~2 loss; swing% to ~2 loss; slip% into ~2 loss; slip% to
        ~2 loss; widening loss#; wider loss; loss# widen%; widen% ~2 loss#; bigger loss; severe; crisis;
        turmoil; plagued; damage#; damaging; suffer%; slump in; meltdown; rout; bloodbath; wipe% out;
        wiped out; erase% ~3 value; liquidity crunch; cash crunch; going concern; debt default; junk
        status; rating downgrade; covenant breach; margin compression; margin squeeze; exodus; boycott#;
        hit% ~2 low; fall% to ~3 low; unprofitable; loss making; substantial doubt; distress; distressed;
        credit watch negative; bankrupt; insolvent; delist%; delisting; short seller#; ponzi
    -0.70: miss% ~3 expectation#; miss% ~3 estimate#; miss% ~3 forecast#; miss% ~3 consensus; miss% ~2
        street; miss% ~2 view#; miss% ~2 target#; lag% ~3 expectation#; lag% ~3 estimate#; trail% ~3
        expectation#; trail% ~3 estimate#; below ~3 expectation#; below ~3 estimate#; below ~2 consensus;
        below ~2 forecast#; short of ~3 expectation#; short of ~3 estimate#; short of ~3 forecast#; fall%
        short; come% up short; worse than ~1 expected|feared|forecast; weaker than ~1
        expected|forecast|anticipated; earnings miss; profit miss; revenue miss; sales miss; negative
        surprise; surprise loss; disappoint% investor#; profit warning#; sales warning#; underwhelm%
        investor#; well below ~3 expectation#
"""

# Phrases that look like news and are none: they only keep their words from being read.
SHIELDS = """
    decline% to comment|say|give|answer|discuss|name; declined comment; a competitor; a rival; compete% with ~1 in;
    better known; refuse% to comment;
    turnaround bid|effort|plan|efforts; turnaround strategy; record number; net income; net sales; net
    revenue; net earnings; net profit; gross profit; gross margin; operating profit; operating income;
    free cash flow; cash flow#; profit or loss; gain# or loss#; loss per share; losses per share; profit
    and loss; gains and losses; income loss; stop loss; record date; of record; for the record; track
    record; on record; fair value; market leader in; capital gain#; up to; set up; sign up; start up;
    startup#; back up; follow up; make up; made up; end up; catch up; line up; step up; speed up; break
    down; shut down; back down; cool down; write up; cleaned up; look up; higher education; lower house;
    upper house; higher court; lower court; risk factors; risks and uncertainties; risk management; bear
    market; strong buy rating scale; positive control; limited liability; good faith; best practices; best
    efforts; best buy; with respect to; beat reporter; top executive#; top management; at the top of; drop
    down; price to earnings; sales force; salesforce; sales tax; cost of sales; cost of revenue#; cost of
    goods; claims based on; gain access; gained access; gain insight; loss of life; weight loss; hair
    loss; loss prevention; data loss; net new; falls under; fall season; fall collection; black friday;
    spring break; loss carryforward#; free fall; fell through; fall through; may not be; advance funding;
    advance notice; in advance; advanced micro; growth stock#; growth fund#; retreat center; interest
    expense; risk free; strong password; dive into; deep dive; rise to the; gave rise; give rise; hold
    position; recover% damages; advance payment#; cash equivalents; contract manufactur%; contract with;
    contract for; under contract; contract manufacturer#; contract worth; adverse opinion; material
    adverse; no adverse; slide deck; slide presentation; presentation slides; slides and webcast; warning label; positive territory;
    trouble shooting; pain relief; pain management; rocket lab; rocket engine; severance; concern# the;
    shares outstanding; zip code; accounting|law|auditing|consulting|search firm#; outstanding
        shares|common|stock|equity|notes|debt|awards|options|warrants|balance|voting|capital|principal; to record
        a|an|the; expect% to record; good reason; share based; stock based; stock split
"""
