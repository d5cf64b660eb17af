"""English words in context: heteronyms by part of speech, articles, number words, abbreviations read as words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from yinse.text.english import Pronunciation, in_dictionary, inflect, is_spelled, pronounce, source_of
from yinse.text.heteronyms import ATE, NOUN_AND_VERB, SENSES, Sense
from yinse.text.reading import Reading, Source
from yinse.text.symbols import ARPABET_VOWELS

_PRONOUNS = frozenset("i you we they he she it who".split())
_VERB_AFTER = frozenset(
    "to will would can could shall should may might must do does did don't doesn't didn't won't can't couldn't wouldn't"
    " shouldn't mustn't i you we they who let let's please cannot i'll you'll we'll they'll he'll she'll it'll i'd"
    " you'd we'd they'd he'd she'd and/or".split()
)
_NOUN_AFTER = frozenset(
    "a an the this that these those my your his her its our their whose no any some every each another either neither"
    " of in on for by with from at about without under over into against between during after before through new old"
    " first last second next big small good bad great long short main recent current former only own same other what"
    " which more most less many few several both all two three four five six seven eight nine ten one annual public"
    " national free total final early late high low political economic social daily is was are were be been".split()
)
_BE = frozenset("is was are were be been being am i'm you're we're they're he's she's it's".split())
_HAVE = frozenset("have has had having i've you've we've they've he's she's i'd got haven't hasn't hadn't".split())
_ADVERBS = frozenset("not never always often also just still already only even really then now ever soon n't".split())
_OBJECTS = frozenset("the a an my your his her its our their this that these those it him them me us you".split())
_ADVERBS_MAX = 3
_TENS = frozenset("twenty thirty forty fifty sixty seventy eighty ninety".split())
_VOWELS = frozenset(ARPABET_VOWELS)


def _starts_with_vowel(word: str) -> bool:
    phones = pronounce(word)
    return bool(phones) and phones[0].rstrip("012") in _VOWELS


def _article(words: Sequence[str], index: int) -> Pronunciation:
    """ "a": the article needs an English word after it; "Plan A is …" names the letter."""
    after = words[index + 1] if index + 1 < len(words) else ""
    letter = words[index] == "A" and index > 0 and after[:1].islower()
    return ("EY1",) if letter or len(after) < 2 and after not in ("I", "U") else ("AH0",)


class _Place:
    """A word and what stands around it, in lower case; adverbs before it are passed over."""

    def __init__(self, words: Sequence[str], index: int) -> None:
        self.word = words[index].lower()
        self.before = words[index - 1].lower() if index else ""
        self.after = words[index + 1].lower() if index + 1 < len(words) else ""
        at = index - 1
        while (
            index - at <= _ADVERBS_MAX
            and at >= 0
            and (words[at].lower() in _ADVERBS or words[at].lower().endswith("ly"))
        ):
            at -= 1
        self.head = words[at].lower() if at >= 0 else ""
        self.second = words[at - 1].lower() if at >= 1 else ""
        self.near = frozenset(word.lower() for word in words[max(0, index - 5) : index + 6])

    def is_verb(self, *, third_person: bool = False) -> bool | None:
        """Whether it is a verb; None where nothing tells. `third_person`: it ends in -s, as plural nouns do."""
        if self.head == "to" and self.second in ("due", "according", "thanks", "prior", "up", "key", "close", "next"):
            return False
        subjects = ("he", "she", "it", "who", "this", "that", "which", "everyone", "someone", "nobody")
        if third_person and self.head in subjects:
            return True
        if not third_person and self.head in _VERB_AFTER:
            return True
        if self.head in _NOUN_AFTER or self.head in _BE | _HAVE or self.head.endswith("'s"):
            return False
        if self.after in _OBJECTS:
            return True
        if self.after in ("of", "is", "was", "are", "were", "has", "had", "will", "would", "and", "or", "could", "can"):
            return False
        return None


def _chosen(place: _Place, senses: Sequence[Sense], usual: str) -> str:
    """The first sense whose condition holds."""
    for sense in senses:
        if (
            place.before in sense.before
            or place.head in sense.before
            or place.after in sense.after
            or place.near & sense.near
        ):
            return sense.phones
    return usual


def _noun_or_verb(place: _Place, stem: str, ending: str) -> str | None:
    """Reading of a stem of the tables with an ending ("", "s", "ed", "ing")."""
    if stem in NOUN_AND_VERB:
        noun, verb = NOUN_AND_VERB[stem]
    elif stem in ATE:
        base = " ".join(pronounce(stem)[:-2])
        noun, verb = f"{base} AH0 T", f"{base} EY2 T"
    else:
        return None
    is_verb = True if ending in ("ed", "ing") else place.is_verb(third_person=ending == "s")
    if is_verb is None:
        return None
    return " ".join(inflect(tuple((verb if is_verb else noun).split()), ending))


_ENDINGS = (("s", ("",)), ("ed", ("", "e")), ("ing", ("", "e")), ("es", ("",)), ("d", ("",)))


def _by_neighbours(place: _Place) -> str | None:
    word = place.word
    if word in SENSES:
        usual, senses = SENSES[word]
        return _chosen(place, senses, usual)
    if word == "used" and place.after == "to" and place.before not in _BE:
        return "Y UW1 S T"
    if word in NOUN_AND_VERB or word in ATE:
        return _noun_or_verb(place, word, "")
    for ending, letters in _ENDINGS:
        if word.endswith(ending):
            for letter in letters:
                stem = word[: -len(ending)] + letter
                for known in (stem, stem[:-1] if len(stem) > 3 and stem[-1] == stem[-2] else ""):
                    if known in NOUN_AND_VERB or known in ATE:
                        return _noun_or_verb(place, known, {"es": "s", "d": "ed"}.get(ending, ending))
    return None


def _of_pair(place: _Place) -> Pronunciation | None:
    """Words that the dictionary has together with the one before: twenty-three, e-mail, et cetera."""
    if place.before == "et" and place.word == "cetera":
        return None
    if place.word == "et" and place.after == "cetera":
        return ("EH2", "T")
    joined = f"{place.before}-{place.word}"
    if (place.before in _TENS or len(place.before) == 1 and place.before not in "ai") and in_dictionary(joined):
        return pronounce(joined)[len(pronounce(place.before)) :]
    return None


def _in_context(words: Sequence[str], index: int) -> Pronunciation | None:
    word = words[index]
    lower = word.lower()
    if lower == "a":
        return _article(words, index)
    place = _Place(words, index)
    if lower == "the" and place.after and _starts_with_vowel(words[index + 1]):
        return ("DH", "IY0")
    if pair := _of_pair(place):
        return pair
    if lower == "polish" and word[0].isupper() and index:
        return ("P", "OW1", "L", "IH0", "SH")
    special = None if is_spelled(word) else _by_neighbours(place)
    return tuple(special.split()) if special else None


def _read(words: Sequence[str], index: int, forced: Mapping[int, Pronunciation]) -> Reading:
    word = words[index]
    if index in forced:
        phones, source = forced[index], Source.OVERRIDE
    elif special := _in_context(words, index):
        phones, source = special, Source.RULE
    else:
        phones, source = pronounce(word), source_of(word)
    return Reading(word, "en", phones, phones, phones, source)


def read_words(words: Sequence[str], *, forced: Mapping[int, Pronunciation] | None = None) -> list[Reading]:
    """Reads a run of English words that stand together.

    Args:
        words: words without marks between them, letters and apostrophes, in the case they are written.
        forced: ARPAbet of the words (by index) whose reading is given.

    Returns:
        One reading per word; without phonemes for one without letters.
    """
    return [_read(words, index, forced or {}) for index in range(len(words))]
