"""Plain words and short turns of speech with a good or bad ring, for what the idioms do not know; weak by intent.

The notation of `polarity`. `@boss` stands for whoever leads a company.
"""

GENERAL = """
    +0.45: grab%|snap%|nab%|snag%|seize%|capture%|win%|gain%|take% ~1 bigger|larger|more|greater ~2
        share|slice|pie|market; land%|nab%|clinch%|bag%|snag%|seal%|net%|scoop%|win%|wins ~4
        order#|contract#|deal|deals|mandate|project|tender|bid|client#|customer#|licence|license|approval|award#|funding;
        become% profitable; turn%|turns profitable|ebitda|cash ~1 positive?; first ~2 profit; maiden profit; scale% ~1
        mount|peak; fast lane|track; top gear; back on ~1 feet; turnaround ~1 takes|hopes|gathers|pays|bears|complete;
        hand%|give%|return% ~1 back ~3 investors|shareholders; stock split; share split; special ~1 payout|dividend;
        hike%|raise%|boost%|lift%|increase%|double%|restore%|reinstate% ~2 payout|buyback|distribution; bonus
        issue|share#; upgraded ~2 notches; averts|avert% ~2 strike|default|crisis|delisting|bankruptcy; gets ~2
        lifeline; rescue ~1 hopes; debt ~1 free; beats ~1 rival#|peers; outshine% peers; ahead of rivals|peers; in
        sympathy; on ai boom|demand|frenzy|hopes; boom in|for; near deal for; wins ~2 backing; gets ~2 backing;
        finally ~1 profitable
    +0.45: lowest|l1|winning|preferred|top bidder; succeed%|succeeds in; trounce%|trounces rivals|peers; gets ~2
        boost; settle% ~6 lawsuit|case|dispute|suit; low|tight stocks|supply|supplies|inventories; buy on dips;
        follows suit; lead; leads; pare%|trim%|recoup%|recover%|erase%|wipe% ~2 losses; can|could|may ~1
        give|deliver|return|fetch ~2 return#; can|could|may|set|likely|poised ~1 head|climb|go|move|inch|march ~2
        to|towards|higher|above; raise% ~2 delisting price|offer; in ~1 good ~1 shape; add% ~4 m cap; add% ~4
        mcap|value; rating ~1 raised|hiked|lifted|improved; bags|wins|lands|gets one; accept% ~5 offer|bid; agree% to
        ~2 takeover|offer|buyout; best placed; well positioned; charged up; fired up; fires up; fire% on; cool%
        rivals|off ~1 competition; pare%|trim%|reduce%|cut%|slash%|retire%|repay%|prepay% ~2
        debt|borrowings|leverage|loans; swell% to ~1 record; strike% ~2 oil|gas|gold; discover% ~2 oil|gas|reserves;
        strikes|struck ~2 deal|pact|agreement; lead ~1 gains; deal renewal; renew% ~3 deal|contract|pact; clean chit;
        takes shape; revival plan; rescue ~1 takes; recede|recedes|receded; relax% ~3 norms|rules|curbs; ease%|eases
        ~3 norms|curbs; stay%|remain%|still|is ~1 buy; guide% up|higher|above; pull%|pulls ahead;
        shift%|step%|move%|go% up ~1 gear; buck%|defy%|defies|shrug% ~3
        gloom|slowdown|trend|slump|weakness|selloff|rout|market; rally continues; continues ~1 rally|climb|run;
        reverse%|reverses ~2 losses; swing% higher; flies; flew; fly% past; back in ~1 favour|favor|black|demand;
        hold%|holds ~1 firm|ground|up; wins ~2 over; edges past; sweeps
    +0.35: soared; blockbuster; bumper; record; records; landmark; milestone; achieve%|achievement; exceed%; surpass%;
        win%|winner|winners; won; victory; triumph; champion; dominate%|dominance; outclass%; excel%; ace; aces; aced;
        stellar; superb; terrific; fantastic; phenomenal; sterling; strong show|showing; approve%|approves ~3
        split|buyback|dividend|bonus; strong run; upbeat; cheery|cheerful; hopeful|hopes ~1 rise; euphoria;
        bullishness; rosy; bonanza; windfall; jackpot; goldmine; lucrative; profitable|profitability; rewarded;
        richer; soar; sizzling; red hot; hot demand|cakes|property; roaring; sparkling; shining; glittering; radiant;
        boost; boosted; boosts; lifts; lifted; buoyed; propel%; fuel% ~1 rally|gains|growth; power% ~1
        higher|ahead|past; catapult%; turbocharge%; supercharge%; energise%|energize%; reinvigorate%; rejuvenate%;
        revitalise%|revitalize%; expand% ~2 market|footprint|lead|presence|reach|business; healthy; vibrant; solid;
        resilient; flourish; thriving; prosper%; multiply|multiplies; ramp% up ~2 production|output; fully subscribed;
        snapped up; sold out; sell% like; investors ~1 love|flock|pile|applaud|cheer|rejoice|pounce; customers ~1
        flock; raises ~2 toast; pop% champagne; smile%|smiling; better than; best ever; highest ~2 ever|level|since;
        highest in; strongest; fastest growing; all time best; leap%; leapfrog%; vault% past; storm% ahead; streak%
        ahead; surges ahead; gallop%; sprint%; canter%; zip%; whizz%; rev% up; accelerate%|accelerates; climb% back;
        claw% back; bottoms out; bottom% out; worst ~1 over|behind; light at; green shoots; silver lining; vindicate%;
        exonerate%
    +0.30: approve%|approved; clearance; cleared; nod; greenlight%|greenlit|okays|okayed; permit granted; certified;
        accredited; authorised|authorized; eligible; selected; shortlisted; chosen; picked; preferred; partner of
        choice; backs; backed by ~1 investors|government; support% ~1 rises; rescued; saved; relief; reprieve; eased;
        easing ~1 pressure|concerns; resolve%|settles ~1 dispute|row|case; truce; peace; agreement reached; deal ~1
        reached|sealed|done; wins praise; lauded; hailed; hail%; praised; trust; trusted; upgraded; promoted to;
        inclusion in; joins; enters ~2 index|nifty|sensex|s|dow|ftse; addition to ~2 index; cost ~1 cuts|savings pay;
        efficiency; synergies; deleverage%; prepays; repaid; oversubscription; inflow#; inflows; rebound; revival;
        recovery; uptrend; upcycle; upturn; tailwinds; favourable|favorable; conducive
    -0.50: collapse%|collapses; implode%; liquidat%|liquidation|liquidate; ordered to liquidate; wind up; winding up;
        bankruptcy; insolvent; insolvency; chapter 11|7; receivership; nationalise%|nationalisation|nationalization
        ~1; administration|administrators; bailiffs; deposit run; bank run; run on ~1 bank|deposits; emergency ~1
        funding|cash|loan|measures; rescue deal; on ~1 brink; wipe%|wipes ~5 off|out; lose%|loses ~3 in ~1
        value|market|days; value ~1 wiped|destroyed|erosion|eroded; clients|customers|depositors|investors ~1
        pull|withdraw|flee|yank|dump|exit|abandon|desert|leave; scandal; scam; fraud; ponzi; sham; cheat%; forge%;
        embezzle%; launder%; launders; bribe%; bribery; corrupt; corruption; graft; kickbacks; rigged; cartel;
        antitrust; monopolist; monopoly ~1 case|abuse|ruling|lawsuit|probe; illegal; illegally; unlawful; criminal;
        crime; guilty; convicted; verdict; jail; prison; probe; probed; probes; investigated; raid; raids; searches
        at; seized; impounded; blacklist%; sanction%|sanctions on; crackdown on; banned; bans ~2; bar% from; restrain%
        from; debar%; delist%|delisting; derecognise; deadly; fatal; death; deaths; dies; killed; kills; explosion;
        blast; blaze; fire; crash; crashes; derail%; sinks; blowout; leak; leaks; spill; contaminated; poisoning;
        outbreak; recall; recalls; defect; defective; faulty; faults; fault; breach; breached; hacked; hack; hackers;
        ransomware; outage; blackout; glitch; grounded
    -0.50: exit on ~1 rise|rally; sell on ~1 rise|rally|rallies; merger|bid|offer|takeover|deal
        rejected|opposed|challenged; to pay ~1 #num ~1 crore|million|billion|bn; pays ~1 #num ~1
        crore|million|billion|bn; dries up; dry% up; may|could|likely|might ~1 slip|fall|drop|slide|correct|decline;
        face% ~2 resistance|hurdle; crl; complete response letter; warning letter; chargesheet; fir against; red
        flag#; to shut ~4 plant|unit|factory|store#; whistleblower; unethical; user growth stalls; growth
        stalls|slows|slumps|falters; shed% ~3 crore|billion|bn|million|lakh; lose%|loses ~3 m cap|mcap; mcap ~3
        falls|drops|erodes|shrinks|declines; snap% ~3 gain#|rally|winning|advance; flag%|flags ~2
        stress|concern#|risk#|pain|weakness|pressure|slowdown; threaten% ~4 strike|stir|agitation|walkout|protest;
        pledge%|pledges ~5 stake|shares|holding; sees|see|expect%|expects ~2 loss; hit%|hits ~1 rough|choppy ~1
        waters|weather|patch|seas; hit%|hits ~1 turbulence|snag|hurdle|wall|roadblock|bump|speed; in ~1 dock;
        observations; hopes ~1 dim|dims|fade|fades|dashed; opts out; exits in huff; in huff; in troubled waters;
        tighten% ~3 norms|rules|lending; seek% half; shelved; shelve%; draft ~2 norms; crack% on; as rival ~3
        impresses|wins|succeeds; well short; marginal ~1 decline; squeezed by; freeze on; turn%|become%|now|is ~1
        sell; guide% down|lower|below; ordered to ~1 divest|sell|break|halt|recall|stop|pay|refund;
        lenders|creditors|banks ~1 take|seize|grab ~1 control|keys; lose%|loses ~2 control; reverse%|reverses ~2
        gains; lose%|loses ~2 crown|lead|licence|license|rating|status; hand%|hands ~2 keys; wiped out; face% ~2
        wipeout|collapse; holes in; hole in; black hole
    -0.45: @boss ~3
        quits|quit|resigns|resign|exits|leaves|ousted|sacked|fired|out|removed|dismissed|suspended|arrested|charged|departs|axed|goes|dumped|toppled;
        exit of ~2 @boss; departure of ~2 @boss; abrupt ~2 exit|departure; sudden ~2 exit|departure|resignation; quits
        in; resigns amid; auditor ~2 quits|resigns|exits; call% off; calls off; called off; scrap%; scraps; pull%
        plug; pulls out; walk% away; withdraw%; withdraws; withdrawn; suspend%; halt%; halts; pause%; pauses; freeze%;
        freezes; shelve%; shelves; postpone%; defer%; delay%; delays; cancel%; cancels; axe%; terminate%; terminates;
        cut%|slash%|halve%|scrap%|suspend%|cancel%|omit%|skip%|pass% ~3 dividend|payout|buyback|distribution; price
        cuts ~1 squeeze|hurt|bite|hit; lowest since|in; lowest ~2 level; weakest; slowest; worst; biggest
        loss|fall|drop; steepest; third|second|another|fresh|latest profit warning; warns on; warn% on; loses ~3
        contract|customer|client|account|deal|business|share; hit with; hit by; slapped; stung; rocked; roiled;
        reeling; dogged by; plagued; mired; haunted; saddled; burdened; squeezed; crushed; crippled; hobbled;
        derailed; thwarted; stymied; blocked; blocked by; rejected by; rebuffed; spurned; snubbed; shunned; ditched;
        dumped; dropped by; abandoned; stuck; stranded; stalled; bogged down; in limbo; under cloud; under fire; under
        scanner; in soup; in trouble; in crisis; in turmoil; in distress; in doldrums; in dire; in jeopardy; in doubt;
        at risk; at stake; off cliff; falls flat; fall% flat; flop; flops; dud; fiasco; debacle; disaster;
        catastrophe; mess; woes; blues; pain; pains; misery; agony; nightmare; gloom; doom; despair; panic; fear;
        fears; jitters; angst; anger; fury; outrage; backlash; row; spat; feud; battle; war; clash; dispute; standoff;
        strike; walkout; protest; boycott; riot; unrest; chaos; havoc
    -0.35: slump; slowdown; slowing; recession; downturn; stagnation; contraction; shrinkage; shortage; shortfall;
        glut; overcapacity; oversupply; overhang; bubble; overheated; frothy; expensive; pricey; costly; cost ~1
        overruns|pressures|inflation; inflationary; headwind; headwinds; hurdle; hurdles; roadblock; roadblocks;
        obstacle; setback; blow; jolt; shock; scare; threat; threatens; threatened; danger; dangerous; hazard; risky;
        vulnerable; fragile; shaky; wobbly; uneasy; unease; concern; concerns; worry; worries; worried; nervous; wary;
        cautious; caution; doubts; doubt; sceptic; skeptic; question% ~1 over|about|raised; criticise%; criticize%;
        slam%; blast%; lambast%; condemn%; accuse%; allege%; allegation; blame%; flak; ire; wrath; penalty; penalties;
        fine; fined; lawsuit; lawsuits; sued; suit; litigation; claim against; damages; liable; violation; violations;
        noncompliance; default; defaults; overdue; unpaid; arrears; downgrade; downgrades; underperform; underweight;
        negative; bearish; lower; weaker; softer; slower; poorer; worse; dull; tepid; lacklustre; anaemic; feeble;
        meek; dismal; grim; bleak; dire; lose; loses; losing; losses; lost; losers; loser; drag; drags; dent; dents;
        bite; bites; hurt; hurts; harm; erode; erodes; erosion; squeeze; squeezes; crunch; crimp; dilute; dilution;
        exodus; attrition; outflow; outflows; redemption; layoff; layoffs; job cuts; retrench; shut; shuts; shutting;
        closure; closures; close% ~2 stores|plants|factories|branches|shops|mines; vanish%; evaporate%; dry up|dries
        up; disappear%; shrink; fade; wane; dip; dips; soft; softness; subpar; mediocre; disappointing; disappointed;
        underwhelming; missed; miss; fail; fails; failed; failing; failure; failures; flaw; flaws; error; errors;
        lapse; lapses; misstep; blunder; mismanagement; misconduct; wrongdoing
"""
