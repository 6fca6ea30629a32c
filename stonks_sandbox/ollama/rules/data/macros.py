"""Sets of words that patterns refer to as `@name`."""

MACROS = {
    "@raise": "raise%|boost%|lift%|hike%|increase%|ups|upped",
    "@cut": "cut%|lower%|slash%|trim%|reduce%|pare%",
    "@guidance": "guidance|outlook|forecast#|projection#|view",
}
