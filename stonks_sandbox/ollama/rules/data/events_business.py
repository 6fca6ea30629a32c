"""What happened, by catalyst: products, regulators, courts, contracts, incidents, the economy.

Each line: the value in [-1, 1] of such news and how surely it means the catalyst (0 to about 1.6), then the patterns,
divided by semicolons. A value of 0 says the kind and leaves the judgement to the other words of the clause.
`@name` stands for a set of words.
"""

from stonks_core.vocabulary import Catalyst

BUSINESS_EVENTS: dict[Catalyst, str] = {
    Catalyst.PRODUCT_LAUNCH: """
    +0.35 1.1: sells|sold out within|in ~3 minutes|hours|days
    +0.10 0.9: go%|went on sale; hit% ~1 shelves
    -0.40 1.2: delay%|postpone%|defer%|push% ~1 back? ~2 launch|rollout|release|debut;
        halt%|pause%|suspend%|scrap%|cancel% ~5 launch|rollout|release
    -0.45 1.2: launch|rollout|release ~3 suspended|halted|paused|delayed|postponed|cancelled|canceled|scrapped
    +0.08 0.8: unveil%; launch%
    +0.08 0.7: debut%; roll% out
    +0.08 0.6: introduce%; new product#; release% ~3 new
    +0.20 0.6: start% ~2 shipping
    +0.25 0.4: begin% ~2 production
    +0.25 0.3: patent granted
    +0.20 0.5: rollout; new line of; expand% ~3 lineup|portfolio; general availability
    +0.20 0.3: next generation; enter% ~3 market
    +0.15 0.4: new model|version|chip|device|phone|drug|platform
    """,
    Catalyst.REGULATORY: """
    +0.50 1.3: close%|drop%|end% ~2 investigation|probe|inquiry; cleared after|by|in|over; clear% ~2
        regulators;
        green light from ~4 regulator#|authorities|agency; gets ~2 green light
    +0.70 1.4: fda approv%
    +0.65 0.9: met ~2 primary endpoint
    +0.60 1.2: win% ~3 approval; approved by ~2 fda|regulators|sec|commission|ema
    +0.60 0.8: phase 3 ~4 met|success|successful
    +0.55 1.1: receive% ~4 approval|clearance|authorization; secure% ~4 approval|clearance|nod
    +0.50 1.1: get% ~4 approval|nod|clearance; bags ~3 nod|approval
    +0.50 0.9: approval from
    +0.45 1.1: regulatory approval#
    +0.40 0.8: clear% ~3 hurdle; cleared by
    +0.45 1.1: escape%|avoid%|dodge%|evade%|sidestep% ~3 fine#|penalty#|ban|sanction#|charges;
        waive%|scrap%|cancel%|annul%|withdraw% ~3 fine#|penalty#|ban|sanction#|charges
    -0.10 0.6: regulator#
    -0.10 0.5: faa; new rules
    -0.20 0.6: nhtsa; data privacy rules
    -0.35 0.8: price cap#
    -0.35 0.7: tax demand; non compliance
    -0.40 1.0: export control#; export restriction#; export curb#; regulatory scrutiny
    -0.40 0.9: show cause notice
    -0.40 0.8: investigate%; penalty#
    -0.40 0.7: investigation; sanction#
    -0.40 0.6: fine#
    -0.45 1.2: antitrust
    -0.45 1.0: fda|usfda ~3 observation#; form 483; trial|study ~2 suspended|halted|paused|stopped; asset
        cap; license ~2 suspended|cancelled|revoked; subpoena#
    -0.45 0.9: probe#; crackdown
    -0.45 0.8: drop%|abandon%|scrap%|halt%|discontinue%|stop%|pause%|suspend% ~5
        drug|pill|trial|trials|study|program|vaccine|treatment|therapy; ban#
    -0.50 1.2: fined
    -0.50 1.1: warning letter
    -0.50 0.9: banned
    -0.55 1.3: violate% ~2 law#|rule#|regulation#; antitrust ruling; illegal monopoly
    -0.55 1.0: reject% ~4 application|approval|drug|merger
    -0.55 1.2: regulator#|agency|watchdog|authority|authorities|department|commission|fda
        reject%|refuse%|deny|denies|denied|turn% ~1 down?
    -0.60 1.2: wells notice; clinical hold
    -0.60 1.1: sec charges; license revoked; ground% ~4 fleet|jets|planes|aircraft; delisting notice
    -0.65 1.3: complete response letter
    -0.65 0.9: fail% ~4 trial; trial fail%
    """,
    Catalyst.LITIGATION: """
    +0.50 1.3: cleared|acquitted|absolved|exonerated of; found not guilty; clear% ~4 of
        wrongdoing|fraud|charges
    +0.50 1.2: win% ~4 case|lawsuit|appeal|dispute
    +0.45 1.2: judge reject%|dismiss% ~3 lawsuit|case|claims|suit
    +0.45 1.0: rule% in ~1 favor of
    +0.10 1.2: settle% ~4 lawsuit#|case#|suit#|claims|charges|litigation|dispute
    +0.05 1.2: settlement ~3 lawsuit|case|claims|litigation
    -0.15 0.7: arbitration
    -0.20 0.9: verdict
    -0.20 0.8: jury
    -0.25 0.9: litigation
    -0.30 1.1: plea agreement
    -0.30 1.0: file% suit
    -0.35 1.1: legal battle; patent infringement
    -0.35 1.0: legal challenge
    -0.35 0.6: damages
    -0.35 0.5: allegation#
    -0.40 1.2: lawsuit#
    -0.40 1.1: sue% over|for; deferred prosecution
    -0.40 0.5: misconduct
    -0.45 1.2: class action#
    -0.50 1.2: is|are|was being? sued; plead% guilty; court rule% against; lose% ~4
        case|lawsuit|appeal|dispute
    -0.50 1.1: order% to pay
    -0.50 0.9: insider trading
    -0.50 0.5: scandal#
    -0.60 0.9: fraud; bribery; embezzle%; money laundering
    -0.60 0.6: scam
    -0.70 1.3: indict%
    -0.70 0.9: restate% ~4 financial|results|earnings|statements
    -0.70 0.8: insolvency
    -0.80 1.2: no longer be relied upon
    -0.80 1.1: accounting fraud
    -0.85 1.0: chapter 11
    -0.85 0.9: bankruptcy
    """,
    Catalyst.CONTRACT_WIN: """
    +0.55 1.2: win% ~4 contract#|order#|deal|tender|bid; bag% ~4 order#|contract#|deal; contract win#
    +0.50 1.2: secure% ~4 contract#|order#|deal
    +0.50 1.1: award% ~5 contract#; land% ~3 contract|deal|order; order win#
    +0.45 1.1: direct funding agreement
    +0.45 1.0: receive% ~3 order#|contract#
    +0.40 1.0: get% ~3 order#|contract#
    +0.40 0.8: large order
    +0.40 0.7: awarded
    +0.35 0.9: sign% ~5 contract|deal|agreement|pact|order; multi year agreement|deal|contract; supply
        agreement|deal|contract; ink% ~3 deal|pact|agreement
    +0.35 0.7: selected by; chosen by
    +0.30 0.9: strategic partnership
    +0.30 0.8: partnership with; partner% with; team% up with; tie up with; renew% ~3
        contract|agreement|deal
    +0.25 0.7: collaborate% with
    +0.20 0.4: net orders
    """,
    Catalyst.CONTRACT_LOSS: """
    -0.50 1.4: not renew ~4 contract#|agreement|deal|order#; non renewal; lose% ~4 supply
        deal|agreement; walks away from
    -0.35 0.9: terminate% ~4 contract#|agreement|deal|partnership; end% ~3 partnership|contract|deal
    -0.40 0.8: deal collapses|collapsed|falls
    -0.45 0.9: scrap% ~3 deal|contract|order
    -0.50 1.1: cancel% ~4 contract#|order#|deal; order cancellation#; contract ~2
        terminated|cancelled|canceled
    -0.55 1.2: lose% ~4 contract#|order#|deal|bid|client|customer|account; contract loss
    -0.55 1.1: drop% ~3 as ~1 supplier; loss of ~4 contract|customer|client|order
    """,
    Catalyst.OPERATIONAL_INCIDENT: """
    -0.45 1.3: disrupt% ~3 operations|production|service|services|supply|flights|deliveries; collapse disrupts
    +0.40 1.1: resume% ~1 full|normal operations|production|output|service|capacity; back|return% at|to
        full|normal output|capacity|production|operation#; restart% ~3 site|plant|mine|mill|refinery|factory|smelter;
        recover% ~2 from ~1 outage|fire|attack|breach|strike|disruption|incident|flood|explosion
    +0.20 0.6: repairs ~1 completed|complete|finished
    +0.45 0.9: end%|resolve%|settle%|avert%|avoid% ~3 strike|walkout|dispute|standoff|outage|shutdown
    -0.05 0.7: cost reduction plan
    -0.20 0.8: restructuring plan
    -0.25 0.8: reduction in force
    -0.30 0.7: layoff#; job cuts; reduce%|reduction|cut% ~5 headcount|workforce
    -0.35 0.5: disruption#
    -0.35 0.4: loses access
    -0.40 0.9: walkout; supply chain disruption#; plant closure#
    -0.40 0.8: delay% ~3 delivery|deliveries|production; mass layoffs; glitch#; software
        failure|bug
    -0.40 0.7: strike#; derail%; goes dark
    -0.45 1.1: work stoppage
    -0.45 1.0: outage#; suspend% ~3 production|operations|flights|shipments|service|services|sales; shut%
        down ~4 plant|factory|facility|refinery; gained unauthorized|access
    -0.45 0.9: production|flights|shipments|sales|operations|deliveries ~3
        suspended|halted|paused|delayed|postponed|cancelled|canceled|stopped|scrapped; ground% ~4
        planes|jets|flights|fleet|aircraft; production delay#; malfunction#
    -0.45 0.8: accident#; defect#; safety concern#|issue#|problem#
    -0.45 0.6: impairment charge#
    -0.50 1.3: cybersecurity incident#
    -0.50 1.2: recall%; cyber security threat
    -0.50 1.1: plant fire; production halt#; halt% ~3 production|operations|flights|shipments;
        unauthorized access
    -0.50 1.0: breach of ~4 data|systems; fire at
    -0.50 0.9: hack%; hackers; contamination
    -0.50 0.8: spill#; grounding
    -0.60 1.3: data breach#; cyberattack#; cyber attack#
    -0.60 1.2: ransomware
    -0.60 1.1: explosion#
    -0.60 0.8: crash of
    """,
    Catalyst.MACRO: """
    +0.25 0.8: rate cut#
    +0.25 0.7: stimulus
    +0.00 0.7: federal reserve; central bank#; gdp; opec
    +0.00 0.6: oil price#; unemployment
    +0.00 0.5: interest rate#; inflation
    -0.20 0.7: geopolitical
    -0.25 0.8: rate hike#
    -0.30 0.9: tariff#
    -0.30 0.7: hurricane#
    -0.35 0.7: earthquake#
    -0.40 0.9: trade war
    -0.40 0.8: recession
    """,
    Catalyst.OTHER: """
    +0.00 1.5: unsolicited mini tender offer#; mini tender offer#
    +0.00 1.0: submission of matters
    +0.00 0.9: bylaws; performance share program; severance policy
    +0.00 0.8: annual meeting; incentive plan; compensation plan; annual cash bonus
    +0.00 0.7: investor conference
    +0.00 0.6: advisory basis; shareholder proposal#
    +0.00 0.3: compensatory
    +0.00 0.1: conference call
    +0.00 0.0: non gaap
    """,
}
