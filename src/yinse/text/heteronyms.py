"""English spellings with more than one reading: by part of speech, and by sense."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

_NO_WORDS: frozenset[str] = frozenset()


def _pairs(table: str) -> dict[str, tuple[str, str]]:
    """Lines "spelling | as a noun or adjective | as a verb" as a mapping."""
    rows = (line.split(" | ") for line in table.strip().splitlines())
    return {spelling: (noun, verb) for spelling, noun, verb in rows}


NOUN_AND_VERB: Mapping[str, tuple[str, str]] = _pairs("""
abuse | AH0 B Y UW1 S | AH0 B Y UW1 Z
addict | AE1 D IH2 K T | AH0 D IH1 K T
ally | AE1 L AY0 | AH0 L AY1
annex | AE1 N EH2 K S | AH0 N EH1 K S
attribute | AE1 T R AH0 B Y UW2 T | AH0 T R IH1 B Y UW2 T
close | K L OW1 S | K L OW1 Z
combat | K AA1 M B AE2 T | K AH0 M B AE1 T
combine | K AA1 M B AY2 N | K AH0 M B AY1 N
compact | K AA1 M P AE2 K T | K AH0 M P AE1 K T
compound | K AA1 M P AW2 N D | K AH0 M P AW1 N D
compress | K AA1 M P R EH2 S | K AH0 M P R EH1 S
conduct | K AA1 N D AH0 K T | K AH0 N D AH1 K T
confine | K AA1 N F AY2 N | K AH0 N F AY1 N
conflict | K AA1 N F L IH0 K T | K AH0 N F L IH1 K T
console | K AA1 N S OW2 L | K AH0 N S OW1 L
construct | K AA1 N S T R AH0 K T | K AH0 N S T R AH1 K T
contest | K AA1 N T EH0 S T | K AH0 N T EH1 S T
contract | K AA1 N T R AE2 K T | K AH0 N T R AE1 K T
contrast | K AA1 N T R AE2 S T | K AH0 N T R AE1 S T
converse | K AA1 N V ER0 S | K AH0 N V ER1 S
convert | K AA1 N V ER0 T | K AH0 N V ER1 T
convict | K AA1 N V IH0 K T | K AH0 N V IH1 K T
decrease | D IY1 K R IY2 S | D IH0 K R IY1 S
defect | D IY1 F EH0 K T | D IH0 F EH1 K T
desert | D EH1 Z ER0 T | D IH0 Z ER1 T
diffuse | D IH0 F Y UW1 S | D IH0 F Y UW1 Z
digest | D AY1 JH EH0 S T | D AY0 JH EH1 S T
discharge | D IH1 S CH AA2 R JH | D IH0 S CH AA1 R JH
discount | D IH1 S K AW0 N T | D IH0 S K AW1 N T
entrance | EH1 N T R AH0 N S | EH0 N T R AE1 N S
escort | EH1 S K AO0 R T | EH0 S K AO1 R T
excuse | IH0 K S K Y UW1 S | IH0 K S K Y UW1 Z
exploit | EH1 K S P L OY2 T | EH2 K S P L OY1 T
export | EH1 K S P AO0 R T | IH0 K S P AO1 R T
extract | EH1 K S T R AE2 K T | IH0 K S T R AE1 K T
ferment | F ER1 M EH0 N T | F ER0 M EH1 N T
fragment | F R AE1 G M AH0 N T | F R AE0 G M EH1 N T
frequent | F R IY1 K W AH0 N T | F R IY0 K W EH1 N T
house | HH AW1 S | HH AW1 Z
impact | IH1 M P AE0 K T | IH0 M P AE1 K T
implant | IH1 M P L AE2 N T | IH0 M P L AE1 N T
import | IH1 M P AO2 R T | IH0 M P AO1 R T
imprint | IH1 M P R IH0 N T | IH0 M P R IH1 N T
incense | IH1 N S EH2 N S | IH0 N S EH1 N S
increase | IH1 N K R IY2 S | IH0 N K R IY1 S
insert | IH1 N S ER2 T | IH0 N S ER1 T
insult | IH1 N S AH2 L T | IH0 N S AH1 L T
invalid | IH1 N V AH0 L AH0 D | IH0 N V AE1 L AH0 D
invite | IH1 N V AY0 T | IH0 N V AY1 T
misuse | M IH0 S Y UW1 S | M IH0 S Y UW1 Z
mouth | M AW1 TH | M AW1 DH
object | AA1 B JH EH0 K T | AH0 B JH EH1 K T
overlap | OW1 V ER0 L AE2 P | OW2 V ER0 L AE1 P
perfect | P ER1 F IH2 K T | P ER0 F EH1 K T
permit | P ER1 M IH2 T | P ER0 M IH1 T
present | P R EH1 Z AH0 N T | P R IY0 Z EH1 N T
produce | P R OW1 D UW0 S | P R AH0 D UW1 S
progress | P R AA1 G R EH2 S | P R AH0 G R EH1 S
project | P R AA1 JH EH0 K T | P R AH0 JH EH1 K T
protest | P R OW1 T EH2 S T | P R AH0 T EH1 S T
rebel | R EH1 B AH0 L | R IH0 B EH1 L
recall | R IY1 K AO2 L | R IH0 K AO1 L
record | R EH1 K ER0 D | R IH0 K AO1 R D
recount | R IY1 K AW2 N T | R IH0 K AW1 N T
refill | R IY1 F IH2 L | R IY0 F IH1 L
refund | R IY1 F AH2 N D | R IH0 F AH1 N D
refuse | R EH1 F Y UW2 Z | R AH0 F Y UW1 Z
reject | R IY1 JH EH0 K T | R IH0 JH EH1 K T
relay | R IY1 L EY2 | R IY0 L EY1
segment | S EH1 G M AH0 N T | S EH2 G M EH1 N T
subject | S AH1 B JH IH0 K T | S AH0 B JH EH1 K T
survey | S ER1 V EY2 | S ER0 V EY1
suspect | S AH1 S P EH2 K T | S AH0 S P EH1 K T
torment | T AO1 R M EH2 N T | T AO0 R M EH1 N T
transfer | T R AE1 N S F ER0 | T R AE0 N S F ER1
transplant | T R AE1 N S P L AE2 N T | T R AE0 N S P L AE1 N T
transport | T R AE1 N S P AO0 R T | T R AE0 N S P AO1 R T
update | AH1 P D EY2 T | AH2 P D EY1 T
upgrade | AH1 P G R EY2 D | AH0 P G R EY1 D
upset | AH1 P S EH2 T | AH0 P S EH1 T
use | Y UW1 S | Y UW1 Z
""")
ATE = frozenset(
    "advocate alternate animate appropriate approximate articulate associate coordinate degenerate delegate deliberate"
    " desolate duplicate elaborate estimate graduate intimate moderate predicate separate subordinate".split()
)
"""Verbs end in EY2 T, nouns and adjectives in AH0 T."""


@dataclass(frozen=True, slots=True)
class Sense:
    """A reading, and the words that ask for it.

    Attributes:
        phones: ARPAbet.
        before: words right before it, adverbs passed over.
        after: words right after it.
        near: words within five places.
    """

    phones: str
    before: frozenset[str] = _NO_WORDS
    after: frozenset[str] = _NO_WORDS
    near: frozenset[str] = _NO_WORDS


def _sense(phones: str, before: str = "", after: str = "", near: str = "") -> Sense:
    return Sense(phones, frozenset(before.split()), frozenset(after.split()), frozenset(near.split()))


_MODALS = (
    "to will would can could shall should may might must do does did don't doesn't didn't won't can't let let's please"
    " cannot i'll you'll we'll they'll"
)
_ARTICLES = "a an the this that my your his her its our their no another any"
_PERFECT = "have has had having i've you've we've they've was were is are be been being i'd he'd she'd got"

SENSES: Mapping[str, tuple[str, tuple[Sense, ...]]] = {
    "read": (
        "R IY1 D",
        (
            _sense("R IY1 D", _MODALS),
            _sense("R EH1 D", f"{_PERFECT} he she it well widely", near="yesterday ago last already"),
        ),
    ),
    "reread": ("R IY2 R IY1 D", (_sense("R IY2 R EH1 D", f"{_PERFECT} he she"),)),
    "lead": (
        "L IY1 D",
        (
            _sense("L EH1 D", "of heavy molten contains", "pipe pipes poisoning paint pencil bullet acid"),
            _sense("L IY1 D", "the a in took take " + _MODALS, "role singer to us them"),
        ),
    ),
    "live": (
        "L IH1 V",
        (
            _sense("L IH1 V", _MODALS + " i you we they who people", "in on at with there here together by"),
            _sense(
                "L AY1 V",
                "a the watch go went broadcast performed perform streamed is was are were",
                "music broadcast concert performance performances show shows television tv audience stream event album"
                " recording coverage wire ammunition animals bait streaming updates band chat interview report",
            ),
        ),
    ),
    "lives": (
        "L IH1 V Z",
        (
            _sense("L IH1 V Z", "he she it who", "in on at with there here alone by"),
            _sense("L AY1 V Z", "our your their my his her the many of save saved human people's lost two both nine"),
        ),
    ),
    "tear": (
        "T IH1 R",
        (_sense("T EH1 R", _MODALS + " i you we they wear", "up down apart it off the into open out along"),),
    ),
    "tears": (
        "T IH1 R Z",
        (_sense("T EH1 R Z", "he she it", "up down apart it off the into through open"),),
    ),
    "wind": (
        "W IH1 N D",
        (_sense("W AY1 N D", _MODALS, "up down it around through"),),
    ),
    "winds": ("W IH1 N D Z", (_sense("W AY1 N D Z", "it road river path he she", "up through around its"),)),
    "winding": ("W AY1 N D IH0 NG", ()),
    "wound": (
        "W UW1 N D",
        (_sense("W AW1 N D", "clock i he she it we they who road path river", "up around down through"),),
    ),
    "bow": (
        "B OW1",
        (
            _sense("B OW1", near="arrow arrows violin cello tie ribbon hair string strings archer hunting"),
            _sense("B AW1", _MODALS + " took take deep low of i we they", "to before down out and low deeply"),
        ),
    ),
    "bows": (
        "B OW1 Z",
        (_sense("B OW1 Z", near="arrows violin ribbons hair"), _sense("B AW1 Z", "he she it took", "to before down")),
    ),
    "bass": ("B EY1 S", (_sense("B AE1 S", near="fish fishing caught lake river sea striped grilled fillet pond"),)),
    "row": ("R OW1", (_sense("R AW1", near="argument quarrel blazing neighbours"),)),
    "sow": ("S OW1", (_sense("S AW1", "a the fat old pregnant", near="piglets pigs pig boar farrowed"),)),
    "dove": ("D AH1 V", (_sense("D OW1 V", "i he she we they it", "into in under off down straight headfirst"),)),
    "does": ("D AH1 Z", (_sense("D OW1 Z", near="bucks fawns"),)),
    "minute": (
        "M IH1 N AH0 T",
        (_sense("M AY0 N UW1 T", "so very", "detail details amounts quantities particles traces"),),
    ),
    "content": (
        "K AA1 N T EH0 N T",
        (_sense("K AH0 N T EH1 N T", "perfectly quite am is was are were feel felt seemed looked be not", "with to"),),
    ),
    "invalid": (
        "IH0 N V AE1 L AH0 D",
        (_sense("IH1 N V AH0 L AH0 D", "an the", near="wheelchair bedridden nursed bed"),),
    ),
    "resume": (
        "R IH0 Z UW1 M",
        (_sense("R EH1 Z AH0 M EY2", "my your his her their a", near="job cv application employer"),),
    ),
    "refuse": (
        "R AH0 F Y UW1 Z",
        (_sense("R EH1 F Y UW2 Z", "of household the", "collection bin dump collectors"),),
    ),
    "sewer": ("S UW1 ER0", (_sense("S OW1 ER0", near="needle thread sewing"),)),
    "number": ("N AH1 M B ER0", (_sense("N AH1 M ER0", near="colder"),)),
    "axes": ("AE1 K S AH0 Z", (_sense("AE1 K S IY0 Z", near="graph x y coordinate horizontal vertical"),)),
    "bases": ("B EY1 S AH0 Z", (_sense("B EY1 S IY0 Z", near="theoretical acids philosophical"),)),
    "buffet": ("B AH0 F EY1", (_sense("B AH1 F AH0 T", _MODALS, near="winds storm waves"),)),
    "polish": ("P AA1 L IH0 SH", ()),
    "august": ("AA1 G AH0 S T", (_sense("AO0 G AH1 S T", after="body assembly institution company presence"),)),
    "job": ("JH AA1 B", (_sense("JH OW1 B", near="bible psalms prophet biblical"),)),
    "nice": ("N AY1 S", (_sense("N IY1 S", near="cannes riviera marseille"),)),
    "learned": (
        "L ER1 N D",
        (_sense("L ER1 N AH0 D", "a the very most", "man men scholar scholars judge society"),),
    ),
    "blessed": ("B L EH1 S T", (_sense("B L EH1 S AH0 D", "the", "virgin mother mary sacrament are"),)),
    "aged": ("EY1 JH D", (_sense("EY1 JH AH0 D", "the an his her", "man woman parents couple mother father"),)),
    "dogged": ("D AO1 G D", (_sense("D AO1 G AH0 D", "a his her their with", "determination persistence pursuit"),)),
    "crooked": ("K R UH1 K AH0 D", ()),
    "supposed": ("S AH0 P OW1 Z D", (_sense("S AH0 P OW1 S T", _PERFECT + " not i'm you're we're they're", "to"),)),
    "estimate": (
        "EH1 S T AH0 M AH0 T",
        (_sense("EH1 S T AH0 M EY2 T", _MODALS + " i we they experts scientists", "that the how"),),
    ),
    "pasty": ("P EY1 S T IY0", (_sense("P AE1 S T IY0", "cornish a hot", near="cornish pie meat baked"),)),
    "putting": ("P UH1 T IH0 NG", (_sense("P AH1 T IH0 NG", after="green practice", near="golf"),)),
    "moped": ("M OW1 P EH2 D", (_sense("M OW1 P T", "he she i they and", "around about"),)),
    "celtic": ("K EH1 L T IH0 K", (_sense("S EH1 L T IH0 K", near="rangers glasgow"),)),
}
