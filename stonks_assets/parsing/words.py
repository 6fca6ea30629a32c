"""Frozen word lists: tickers that are English words, and the small words by which a language is known. Pure data."""

_TICKER_WORDS = """
a ace act add ads age ago aid aim air ale all also am an and ant any ape apps arc are arm army art as ask at ate
auto away axe baby back bad bag ball band bank bar bare base bass bat bath be beam bear beat bed bee beef been bell
belt best beta beyond big bike bill bio bird bit bite black block blue board boat body bold bolt bond book boom boot
born boss both bow bowl box boy bravo bread brief bright build bull burn bus but buy by cake call calm came camp can
cap car card care cars case cash cast cat cell cents chat check chef chip cite city clean clear click clock cloud club
coal coat code coin cold cole come cook cool cope copy core corn cost crew crop cross crowd cube cup cut dare dark dash
data date dawn day days dead deal dear deck deep deer desk did diet dig dime dip dirt dish do dog done door dose down
draw dream drive drop drug dry duck due dull dust each ear earn ease east easy eat echo edge edit egg else end era even
ever every evil exit eye eyes face fact fair fall fame fan far farm fast fate fax fear fed fee feed feel feet few file
fill film find fine fire firm first fish fit five fix flag flat flex flow fly foam fold food foot for ford fork form
fort forward four fox free fresh frog from fuel full fun fund fuse gain game gap gas gate gave gear gel gem get gift
girl give glad glass go goal gold golf gone good got grab grand gray great green grew grid grow gulf gun guy ha had
hail hair half hall hand hang hard harm has hat hawk he head heal hear heart heat held hello help her here hero hi hide
high hill him hint hip his hit hold hole home hook hope host hot hour house how hub huge hull hunt hut i ice icon idea
if ill in inch info inn into ion iron is it item its jack jade jam jar jazz jet job join joy judge jump just keen keep
key kick kid kids kind king kit knee know lab labs lace lack lady lake lamb lamp land lane last late law lay lazy lead
leaf lean leap led left leg lens less let life lift light like lime line link lion lip list lit live lives load loan
lock log lone long look loop lose lost lot loud love low luck lung mad made mail main make male mall man many map mark
market mart mask mass mat match mate math max may me meal mean meat media meet melt men menu met micro mid mild mile
milk mill mind mine mint miss mix mob mode mood moon more most move much must my nail name near neat neck need nest net
news next nice nine no node none noon nor nose not note now nut oak odd of off oil ok old olive on once one only onto
open opera or oral orb out oven over own pace pack page paid pain pair pale palm pan paper park part pass past path pay
peak pear peer pen per pet phone pick pie pig pin pine pink pipe pit place plan plant play plot plow plug plus pm poem
pool poor pop pork port pose post pot pour press prime pro pros pull pump pure push put quad quick race rain ram ran
rank rare rate raw ray read real red rely rent rest rice rich ride ring rise risk road rock role roll roof room root
rope rose round row rub rule run rush safe said sail sale salt same sand save saw say sea seat see seed seek sell send
sent set seven she ship shoe shop short shot show shut sick side sign silk sit site six size skin sky slow small smart
snap snow so soft soil sold some son song soon sort soul sound spin spot square star stay stem step stop store such
sum sun super sure swan swim tag tail take tale talk tall tan tank tap tape target task tax tea team tech teen tell ten
term test than that the them then they thin this tide tie tile till time tiny tip tire to today toe told tone too took
tool top tour town toy track trade trail train tree trend trex trip true truth try tube tune turn twin two type uber
ugly under unit unity up upon us use used user van vary vast vera very via vice view visa vote wage wait walk wall want
war warm was wash watch wave way we weak wear web week well went were west what when where who why wide wife wild will
win wind wine wing wire wise wish with wolf wood word work world worn wow yard yes yet you young your zip zone zoom
"""
_ACRONYMS = """
adr ai apac api ar arr atm ceo cfo cio coo cpa cto dc doj dna ebit ebitda eea emea eps esg etf etfs eu eur ev evs fda fomc ftc fx
fy gaap gbp gdp hr iii inc io ip ipo ir it iv kpi la las llc llp los ltd ma mba md ml ms ny oem otc pe phd plc pm pr qoq rd
roi san sec saas ta tbd tv uk us usa usd vat vc vp vr vs yoy ytd jan feb mar apr jun jul aug sep sept oct nov dec mon tue wed
thu fri sat sun
"""
_GENERIC_NAMES = """
advanced alpha american applied atlantic capital central city classic commercial community consolidated continental core
digital direct diversified dynamic eastern energy enterprise equity essential federal financial first franklin frontier general
global gold golden great green growth heritage home independent industrial innovative integrated international investors
liberty lincoln live major metro modern national natural new next north northern nova old open pacific peoples pioneer premier
prime pro progressive pure quality real regional resources royal select smart solar south southern standard star sterling
strategic summit superior supreme tim total trinity triumph tri ultra union united universal urban valley vision western world
"""
ENGLISH_WORDS = frozenset(_TICKER_WORDS.split())
NO_TICKERS = ENGLISH_WORDS | frozenset(_ACRONYMS.split())  # weak evidence as a ticker: words and common abbreviations
GENERIC_NAMES = frozenset(_GENERIC_NAMES.split())  # what no company is called without the rest of its name

_SMALL_WORDS = {
    "en": (
        "the of and to in is that for it as was with on by be at from this are or an which have has not its will "
        "but were their been more than also we our said would they he his she her had"
    ),
    "de": (
        "der die das und ist nicht mit von zu den des ein eine auf für im dem sich auch als wird werden bei nach "
        "oder aus sind hat wurde zum zur über"
    ),
    "fr": (
        "le la les des et est une dans que qui pour pas sur au avec par plus ce cette sont aux ses ont été leur "
        "mais comme nous vous du"
    ),
    "es": (
        "el la los las y en que es por con para una del se su al lo como más pero sus ha fue son este esta entre "
        "sobre también"
    ),
    "it": (
        "il lo gli e è di che in un una per con del della dei delle non si sono nel alla dal più anche come ha "
        "questo questa ma"
    ),
    "pt": (
        "o os as e que em um uma para com não por do da dos das no na mais como mas foi ao ele seu sua são também "
        "pela pelo"
    ),
    "nl": (
        "de het een en van ik te dat die in is niet op aan met als voor er maar om hem dan zou wat mijn door over "
        "ook worden naar"
    ),
}
STOP_WORDS = {language: frozenset(small.split()) for language, small in _SMALL_WORDS.items()}
