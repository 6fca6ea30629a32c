"""Sets of words that patterns refer to as `@name`."""

MACROS = {
    "@raise": "raise%|boost%|lift%|hike%|increase%|ups|upped",
    "@cut": "cut%|lower%|slash%|trim%|reduce%|pare%",
    "@guidance": "guidance|outlook|forecast#|projection#|view",
    "@high": "high|highs|peak|record|heights",
    "@low": "low|lows|trough|bottom",
    "@boss": "boss|ceo|chief|chairman|chair|chairwoman|md|cfo|coo|founder|cofounder|president|promoter|director|head|executive",
    "@results": "profit|results|earnings|sales|revenue|pat|net|numbers",
}
