"""Idioms of business headlines, Indian, British and American, that are good or bad news by themselves.

The same notation as `polarity`: the value, then the patterns, divided by semicolons. `@low` and `@high` are the words
for an extreme, `@results` those for what a company reports.
"""

IDIOMS = """
    +0.60: swing% ~1 to|into profit; swing%|turn%|return% ~1 to|into ~1 black; back in ~1 black; post% ~1 surprise
        profit; profit ~2 doubles|triples|quadruples; profit ~1 up ~1 fold; @results beat|beats|top|tops ~2
        street|view#|forecast#|estimate#|consensus; crush% it; blow% past ~2 estimate#|expectation#; lock% in|at ~1
        upper circuit; hit%|touch% ~1 upper circuit|limit; upper limit; frozen ~2 upper circuit; record ~1
        result#|earnings|quarter; bumper ~1 profit|results|listing|debut|crop|sales|dividend
    +0.50: hit%|touch%|scale%|at|near%|reach%|clock%|register%|log%|close% ~1 at? ~3 @high;
        fresh|new|record|life|lifetime|year|month|week|time high|highs|peak; scale% ~1 new height#|peak; new height#;
        fresh peak; strong|stellar|robust|bumper|blockbuster|solid|impressive ~1 debut|listing|start; list% at ~2
        premium; debut% at ~2 premium; premium to issue price; list% ~1 above issue; double% on debut; snap% ~3 losing
        streak|fall|decline; end% ~3 losing streak; snap% ~2 losses; reclaim% ~1 #num; regain% ~1 #num;
        end%|close%|settle%|open%|trade%|hold%|stay%|move%|climb%|rise% ~1 above ~1 #num; above #num; cross% ~1 #num;
        tops #num; breach% #num mark; breakout; break% out; break% above; bullish|hammer|piercing ~1
        candle|pattern|hammer|engulfing|reversal|divergence; golden cross; bulls ~2 charge|control|grip; stage% ~2
        comeback|recovery|rebound; sharp recovery; smart recovery|gains|rally; all set ~2 rally; oversubscribed;
        subscribed #num times; subscribed ~3 times; issue subscribed; most valued|valuable firm|company|bank; best ~1
        pick#|bet#|stock#|buy#|idea#|picks; top ~2 pick#|bet#|buy#|idea#; good ~1 bet|buy|bargain|pick|investment;
        great ~1 buy|bargain; safe ~1 bet|buy; better ~1 bet|pick|choice|placed; favourite ~1 pick|stock;
        multibagger#; wealth creator#; screaming buy; table thumping buy; a steal; must have
    +0.45: lap% up; load% up on; pile% into; bet% big; bet% on; accumulate%; stock% up on; reason# to ~1
        buy|own|like|hold|love; look% ~1 attractive|good|strong|promising|cheap|undervalued|interesting|bullish|ripe;
        potential to ~1 hit|touch|reach|double|rise|gain|rally|go; can|could|may|might|will|should|likely|set ~2
        rise|rally|outperform|gain|touch|hit|double|climb|surge|jump|scale|test ~1 to? ~1 #num?; seen|headed|heading
        higher; #num upside; #pct upside; see% ~3 upside; upside ~2 left|remains|potential; more upside; more steam
        left; can outperform; not done yet; buying opportunity; buy ~1 on dips|decline|correction; add% on dips;
        remain% invested; stay% invested; hold% on to; long term ~1 buy|bet|winner; value buy; contra buy; top
        gainer#; lead% ~3 gainer#|gains|rally|advance; among ~2 gainer#; gainers; best performer#; star performer#;
        outshine%; market darling#; steal% ~2 show|limelight|thunder; in demand; in limelight; glitter%; sweeten%;
        shine%; in fine fettle; on song; on ~1 high; fly% high; flying high; flies|flew #pct; fire% on all cylinders;
        in top gear; shift%|change% gears; race% ahead; power% ahead; sail% through; speed% ahead; on fast track;
        roar%; roars back; bounce%|spring%|roar%|claw% back; find% favour|favor; sparkle%; buck% ~3 trend;
        defy%|defies ~2 trend|gravity|odds; hog% limelight; emerge% ~2 winner; emerge% stronger; turn% corner; ride%
        ~1 high; ride% on
    +0.40: clear% ~4 inspection|audit|trial|test|scrutiny|exam; clean chit; clean bill; pass% ~2 inspection|audit;
        zero observations; no observations; establishment inspection report; gets eir;
        stay%|quash%|overturn%|set%|strike% aside|down? ~5 order|demand|penalty|ban|notice|ruling|fine|verdict|tax;
        court|tribunal|judge|panel|sat|itat|cestat ~2 relief; get% ~3 relief|reprieve|respite|breather; relief for|to;
        breather for; wins ~4 ruling|dismissal|reprieve|relief|injunction|award|arbitration|appeal; win% dismissal;
        secure% ~2 win|victory; prevail%; freed of|from; exempted from; lift% ~2 ban|curbs|suspension|restrictions;
        ban ~2 lifted|revoked; get% ~3 licence|license|clearance|green|patent|status|upgrade|certification; awarded ~3
        licence|license|status; receive% ~3 licence|license|patent|certification|tentative; grant% ~4
        approval|licence|license|patent; usfda|fda|ema|ec|dcgi ~1 nod|approval|clearance|approves|clears|okays; final
        approval; tentative approval; nod for|to; gets ~4 nod; trial ~2 succeed%|success|positive; meets ~2 endpoint#;
        met ~2 endpoint#; breakthrough|fast track ~2 status|designation|tag
    +0.40: narrow%|trim%|cut%|pare%|shrink%|reduce% ~4 loss|losses|deficit; loss|losses|deficit ~3
        narrow%|narrows|shrink%|shrinks|fall%|drop%|decline%|ease%|lower|reduced|halve%|down; less than ~1
        feared|expected|forecast; smaller than ~1 feared|expected; better than ~1 feared|expected|forecast|estimated;
        not as bad as; infuse% ~5 in|into; capital infusion; fund infusion; bailout package; rescue package; rescue ~1
        deal|plan|fund; fare hike; tariff ~1 boost|hike#|relief; price hike#; raise%|hike% ~3
        price#|fare#|tariffs|rates; subsidy|subsidies ~1 boost|relief; duty ~1 relief|protection; safeguard duty; tax
        ~1 relief|break|sop#; sops for; good monsoon; asset quality ~1 improve%|improves|better; npas ~2
        fall|ease|decline|drop|improve; bad loan# ~2 fall|ease|decline|drop|shrink|improve; provisions ~2
        fall|drop|decline|halve; repay% ~3 debt|loan#|dues; debt ~1 repaid|cut|reduction; debt free; deleverage%;
        turn% debt free; margins ~2 expand%|improve%|rise%|widen%; input costs ~1 ease|fall|cool; win% ~2
        customers|clients|users|subscribers
    +0.35: near%|nears|cross%|tops|hits ~1 #num; #num paise|points|pts|cents|pips|bps higher|up|stronger|firmer; lend%
        ~1 support; gain% #num paise|points|pts; add% ~1 #num ~2
        users|subscribers|customers|clients|lakh|million|crore|mn; gain% ~3
        users|subscribers|customers|share|ground|altitude|weight|currency|momentum|strength;
        take%|grab%|regain%|extend%|seize% ~2 lead; become% ~2 most ~1 valued|valuable; become% ~1
        largest|biggest|first|top; pip% ~2; join% ~3 club; top% ~2 chart#|list|rankings; market cap ~2
        crosses|tops|hits|surpasses; cheer% ~1; investors cheer; street cheers; thumbs up; rejoice%; warm% up to;
        step% on gas; steady growth; strong ~2
        numbers|traffic|show|demand|growth|sales|response|volumes|orders|pipeline|outlook; stellar ~2
        numbers|show|quarter|growth|results; good ~1 numbers|show|results|growth|quarter|run; upbeat ~2; buoyant;
        robust; healthy ~2 growth|numbers|demand|results|profit; uptick in; pick% up in|pace|steam; offtake ~2
        up|rises|improves; safe haven ~1 demand|buying|appeal; firm% up; firm% ~1 trend; remain%|stay%|hold%|turn% ~1
        firm|strong|bullish|positive; firm; firms; firmed; harden%; strengthen%; tight ~1 stocks|supply|supplies;
        supply ~1 fears|crunch|concerns|disruption ~2 lift|boost; to ~1 gain|benefit ~1 from; gain% ~1 from;
        beneficiary; beneficiaries; tailwind#; cheers ~3; win% over; delight%; restore% ~2
        payout|dividend|flights|service; resume% ~2 buyback|dividend|service|flights|production|operations; reopen%;
        restart% ~2 plant|production|operations; ahead of schedule; back% ~5 takeover|bid|offer; better placed; well
        placed; re rated; rerated
    -0.50: hit%|at|to|touch%|near%|from ~1 record|fresh|new|time low|lows|bottom
    -0.60: swing%|slip%|sink%|slide%|fall%|plunge%|dip% ~1 to|into ~2 red|loss; in|into ~1 red; post% ~3 surprise
        loss; report% ~3 surprise loss; incur% ~3 loss; slip% into losses; hit%|touch%|lock% ~2 lower circuit|limit;
        lower limit; auditor# ~2 resign%|quit%|quits|resigns|flag%|flags|raise%|raises|warn%|doubt%|refuse%; default%
        ~1 on|in; defaults; in default; default watch; to default; miss% ~2 payment|repayment|deadline|interest; file%
        ~2 for bankruptcy|insolvency|administration|liquidation|protection; go% bust; go% belly up; go% under;
        collapse% into; enters administration; call% in administrators; insolvency ~1
        plea|petition|proceedings|resolution; dragged to nclt; admit% ~3 insolvency|fraud|bankruptcy; fraud
        charges|case|probe|allegations; accounting ~1 scandal|irregularities|lapses|fraud|hole|error
    -0.50: hit%|touch%|slip%|fall%|slump%|sink%|plunge%|at|near%|reach%|drop%|tumble%|skid%|slide% ~1 to? ~4 @low;
        @low; multi year low#; life low; list% at ~2 discount; debut% ~2 below|discount|lower; list% ~1 below issue;
        below ~1 issue price; discount to issue price; weak|tepid|muted|lukewarm|flat|disappointing|poor|dull ~1
        debut|listing|start|response|opening;
        end%|close%|settle%|open%|trade%|slip%|fall%|sink%|drop%|break%|slide%|dip%|plunge% ~1 below ~1 #num; below
        #num; lose% #num ~1 points|mark|level; break% below; breakdown; bearish ~1
        candle|pattern|engulfing|reversal|divergence|harami; death cross; bears ~2 charge|control|grip|upper|tighten;
        bear ~1 grip|hug|hammering; off|from ~1 day's? ~1 high#; off highs; off peak; give%|gives ~1 up|away ~1 gains;
        pare%|erase%|trim% ~2 gains; slip%|turn% ~1 negative|red; turn% ~1 lower; extend%|extends ~2
        losses|losing|fall|decline|slide|losing; losing ~1 streak|run; losers; top loser#; among ~2 loser#; biggest ~1
        loser#|drag#|laggard#; worst ~1 hit|performer#|performing|affected; lead% ~3
        losers|losses|decline|fall|rout|selloff; bloodbath; mayhem; carnage; rout; meltdown; hammered; mauled;
        thrash%; battered; bleed%; bleeds; crack%; tank%; nosedive%; skid%; skids; crash%; in
        freefall|tatters|doldrums; lose% ~2
        altitude|sheen|shine|lustre|luster|steam|momentum|appeal|ground|weight|sparkle|fizz|charm|favour|favor; off
        colour; go% downhill; fall% from grace; wipe% out
    -0.45: not ~2 buy|comfortable|bullish|positive|attractive|convinced|excited|interested|recommend|touch; no ~1
        reason to ~1 buy|own|hold; stay%|keep%|steer% ~1 away|clear|off from|of; exit on|at|every; exit ~2 on
        rise|rally; sell on|at ~1 rise|rally|every; book ~1 profit#|losses|gains; take ~1 profit# home; short ~1
        stock; go short; reduce exposure; time to ~3 sell|exit|cautious|avoid|book; no longer ~2
        attractive|buy|favourite; can|could|may|might|will|set|likely|headed ~2
        fall|slip|slide|drop|decline|correct|crash|tumble|test ~1 to? ~1 #num?; more ~1 pain|downside; further ~1
        downside|fall|correction|decline; downside ~1 risk#|left|ahead|seen; value trap; overvalued; expensive; rich
        valuation#; priced ~1 to perfection; cautious on; wary of; stretched; worry%|worries ~1 over|about|on; lose%
        ~1 #num ~2 users|subscribers|customers|lakh|clients; shed% ~2 users|subscribers|customers|gains|weight;
        dampen%|dampens ~2; crimp%; mar%|marred; eat% into; squeeze%; sour%; hurt%; dent%|dents; bite%; sting%
    -0.45: raid%; raided; searched by; search% ~3 offices|premises; pull% up; pulled up; rap%; rapped; slapped with;
        slap% ~6 on; debar%; barred; bar%|bars ~1 from; attach% ~3 assets|properties; assets ~1
        attached|seized|frozen; freeze% ~3 accounts|assets; seize% ~3; show cause; notice to|from; issue% ~3
        notice|summons|warning|form; import alert; under ~2
        lens|scanner|probe|investigation|cloud|fire|scrutiny|curbs|pca; face% ~3
        probe|investigation|action|heat|penalty|ban|curbs|charges|lawsuit|suit|fine|backlash|boycott|headwind#|strike|risk#|pressure|insolvency|flak;
        licence|license ~1 suspended|cancelled|revoked|stripped; stripped of; reject% ~5
        plea|appeal|petition|application|request|claim; plea ~1 rejected|dismissed; lose% ~3
        appeal|case|suit|bid|plea|battle|arbitration|claim; found guilty; guilty of; held liable; ordered to ~1
        pay|refund|stop|halt|compensate|shut; order% ~2 to ~1 pay|refund|stop|halt|shut; to pay ~6
        fine|penalty|damages|settlement|ruling; pay% ~4 penalty|fine|damages; adverse ruling|order|verdict; curbs on;
        under curbs; clamp% down; tighten% ~2 norms|rules|curbs; demand notice; tax ~1
        demand|notice|claim|evasion|bill|blow; hike% ~2 tax|duty|excise|cess|levy|royalty; windfall tax; higher ~1
        tax|duty|excise|cess|royalty; subsidy burden
    -0.45: chairman|ceo|md|chief|founder|promoter|director|cfo|official#|executive# ~2
        arrested|booked|jailed|charged|detained|missing|sacked|ousted|fired|held|suspended|dead|dies|indicted|accused|resigns|quits;
        arrest% ~3 chairman|ceo|md|chief|founder|promoter; sack%|oust%|fire%|suspend%|remove% ~3
        chairman|ceo|md|chief|founder|cfo; goes missing; feud; boardroom battle|row|coup|tussle;
        board|promoter#|founders ~2 row|feud|rift|tussle|spat|fight; mass resignations; governance ~1
        issue#|concern#|lapse#; pledge ~1 fears|concerns; pledged shares; invoke% pledge%; invoke% ~2 shares; block
        deal; offer for sale; stake ~1 sale|dilution; promoter#|founder#|backer# ~3
        sell%|sells|offload%|trim%|pare%|dilute% ~3; share overhang; lock in ~1 expiry|expires; threaten% ~2 strike;
        go% on ~1 strike; on strike; strike ~1 hits|enters|continues|cripples; call% ~1 strike; lock ~1 out|down;
        lockout; down tools; workers ~2 protest|strike|walk; ground% ~3 jets|planes|aircraft|fleet; gas leak; fire ~1
        at|in|breaks|hits|guts; blast at|in; blaze at|in; kill% #num?; shut%|close% ~5
        plant#|store#|factory|branches|outlets|mine#|unit|stores|refinery; halve%|halves; on the block;
        output|production ~2 falls|drops|declines|hit|halts|halted|down; trim%|cut%|slash%|lower%|reduce% ~2
        capacity|production|output|price#|forecast|spending|exposure; axe%|slash%|cut%|shed%|cull% ~3
        jobs|workforce|staff|roles|workers|positions|employees
    -0.35: drag; drags; #num paise|points|pts|cents|pips lower|down|weaker; lose%|shed%|drop% ~1 #num
        paise|points|pts; lenders|creditors|bankers ~1 reject%|oppose%|block%|object%; short of cash; go% missing
    -0.40: ease% ~1 on|after|amid; eases; eased; soften%; softens; weaken%; weakens; subdued; sluggish;
        remain%|stay%|turn%|trade% ~1 weak|bearish|subdued|sluggish|under|depressed|lower|negative; dull ~1
        demand|trade; profit booking; profit taking; book% profit#; adequate ~1 stocks|supply|supplies; ample ~1
        stocks|supply|supplies; increased ~1 arrivals|supply|supplies; higher ~1 arrivals|supply|supplies|output;
        lower|weak|muted|thin|poor|slack|sluggish ~1
        demand|offtake|cues|response|show|numbers|sales|volumes|growth|outlook|guidance|trend; stockpiles ~1
        build|rise|swell; losing ~1 sheen|steam|market; under pressure; pressure on; slack; asset quality ~1
        worsens|deteriorates|woes|concerns|worries|slips; npas ~2 rise|jump|surge|mount|climb|swell; bad loan# ~2
        rise|jump|surge|mount|climb|swell|spike; gross npa# ~1 rise|rises|at|jumps; provision# ~2
        surge|jump|rise|double|soar|spike|triple|mount; margins ~2
        shrink%|contract%|narrow%|fall%|squeezed|pressure|slip%|disappoint%; volumes ~2
        shrink%|fall%|drop%|decline%|slip%; losses|loss ~2
        mount%|widen%|swell%|balloon%|deepen%|grow%|rise%|jump%|doubles|soars|surges|bigger; loss of ~2
        crore|million|billion|lakh|bn; net loss; underwhelm%; fail% to ~3; fails; misses; miss% ~3 deadline; letdown;
        let% down; wrong foot%; spook%; jitter%; nervous; fret%; unnerve%; rattle%; woes ~1 mount|deepen|continue;
        write% ~1 off|down; writes off; take%|takes ~3 writedown|charge|hit|impairment|knock;
        scrap%|skip%|suspend%|axe%|omit%|halve% ~2 dividend|payout|buyback; warn%|warns ~1 of|on|about; profit
        warning; restates; price war; turf war; contract risk; losing ~2 customers|users|share; hack%|hacked|breach
        exposes; exposes ~3 consumers|users|customers; recall% ~6; faulty; illness; outbreak; contaminate%; cripple%;
        short seller; shorts; overpriced; put% ~3 on watch; outlook ~2 negative; negative outlook; revise%|cut%|lower%
        ~3 outlook ~6 negative; rating ~1 slashed|cut|withdrawn|suspended|downgraded; downgraded ~2 notches;
        downgrade% ~4 debt|rating|bonds|paper; target ~2 slashed|cut|lowered|trimmed; cut to ~1
        sell|hold|neutral|reduce|underperform|underweight; behind schedule; behind ~1 rival#|peers|curve; hurdles;
        suffer%|suffers; jolt%; blow to|for; setback|setbacks ~1 to|for|in|at?
"""

# Questions, lists, dates and plain business that look like news and are none.
IDLE = """
    is|are|was|were|be|been|do%|feel%|just|perfectly ~1 fine; weather ~2 fine; fine
        tune|tunes|tuned|tuning|dining|print|art|arts|line|grained|jewelry|jewellery|wine#|chemicals|weather|session;
    losses of; turn% ex dividend; ex dividend; stocks to watch; stocks in news|focus; buzzing stocks; stop loss ~1
    of|at|rs|below; stop loss; record date; book closure; price band; f&o ban; in early trade; most traded; most
    active; profit seen; seen up; due today; what to expect; key things; to watch; to consider; board meet; a strong
    foothold; strong room; weak hands; lower house; upper house; up for grabs; up for sale; loss making unit; short
    term bounce?; gold loan; in a bid; wait% for ~3; drag king; to retire in; retire% in; end%|ends ~2 merger talks;
    big bull; shareholder nod|approval; outlook stable; stable outlook; in line with ~2
    estimates|expectations|forecast|consensus|street; meets ~1 estimates|expectations|forecasts; merger to be
    completed; tentative ~1 nod; pause operations in; mixed ahead; sideways; to spin off; hold on to; don't add; no
    surprises; as expected; on expected lines; board approval|nod for; panel to; npas worth; share sale ~1 plan; floor
    price; vote on merger; extend% ~1 merger talks; merger talks; okays ~2 proposal|plan; steady ahead; steady
    at|as|before; brokers split; in focus; buzz; merger buzz; neutral on; reject% ~3 appointment|resolution; delist%
    after;
    ends|end|ended|closes|close|closed|opens|open|opened|trades|trade|traded|settles|settled|remains|stay|stays|almost|nearly|largely
    ~1 flat|unchanged|steady|rangebound; flat; little changed; steady in; f & o ban; what ~1 expect; seek% ~3
    nod|approval|clearance|permission; mull%|weigh%|consider%|explore%|eye%|ponder% ~5
    exit|sale|bid|stake|listing|ipo|offer|split|options|merger; to consider ~4
    shares|buyback|bonus|dividend|split|raising|issue|results; bonus ~3 record date; awaits approval|nod|clearance;
    profit ~1 seen ~1 up|down; seen ~2 rising|falling|growing; may sell ~6; to vote on; early|advanced talks; at low
    cost|prices|stocks|base; on low base; sell by; best buy; next level
"""
