"""English abbreviations with their dot: how they are read, and whether a sentence can end with them."""

from __future__ import annotations

import re
from collections.abc import Mapping

from yinse.text.dates import MONTHS

_TITLES: Mapping[str, str] = {
    "mr.": "mister", "mrs.": "missus", "ms.": "miz", "dr.": "doctor", "prof.": "professor", "st.": "saint",
    "gen.": "general", "sgt.": "sergeant", "capt.": "captain", "col.": "colonel", "lt.": "lieutenant",
    "rev.": "reverend", "mt.": "mount", "ft.": "fort", "gov.": "governor", "sen.": "senator", "rep.": "representative",
    "pres.": "president", "hon.": "honorable", "cmdr.": "commander", "maj.": "major",
}  # fmt: skip
"""Before a name."""
_BEFORE_NUMBERS: Mapping[str, str] = {
    "no.": "number", "nos.": "numbers", "fig.": "figure", "figs.": "figures", "vol.": "volume", "p.": "page",
    "pp.": "pages", "ext.": "extension", "est.": "established", "max.": "maximum", "min.": "minimum", "ch.": "chapter",
    "sec.": "section", "art.": "article", "eq.": "equation", "tel.": "telephone", "ca.": "circa",
    **{f"{month[:length].lower()}.": month for month in MONTHS for length in (3, 4) if len(month) > length},
}  # fmt: skip
_AFTER_NAMES: Mapping[str, str] = {
    "jr.": "junior", "sr.": "senior", "inc.": "incorporated", "ltd.": "limited", "co.": "company",
    "corp.": "corporation", "ave.": "avenue", "blvd.": "boulevard", "rd.": "road", "ln.": "lane", "hwy.": "highway",
    "st.": "street", "dr.": "drive", "sq.": "square", "univ.": "university",
}  # fmt: skip
"""After a name; a sentence may end with them."""
_ANYWHERE: Mapping[str, str] = {
    "vs.": "versus", "etc.": "et cetera.", "e.g.": "for example", "i.e.": "that is", "approx.": "approximately",
    "dept.": "department", "govt.": "government", "misc.": "miscellaneous", "esp.": "especially",
    "a.k.a.": "also known as", "w/o": "without",
    "w/": "with", "vs": "versus", "ph.d.": "PHD",
}  # fmt: skip
NEVER_LAST = frozenset(_TITLES) | {"vs.", "e.g.", "i.e.", "approx.", "dept.", "a.k.a."}
"""Abbreviations with which no sentence ends, in small letters."""
BEFORE_NUMBERS = frozenset(_BEFORE_NUMBERS)
"""Those that stand before a number, in small letters."""
ABBREVIATION = re.compile(
    r"(?<![A-Za-z.])(?:"
    + "|".join(
        re.escape(word) + ("" if word[-1] in "./" else r"(?![A-Za-z.'/])")
        for word in sorted({*_TITLES, *_BEFORE_NUMBERS, *_AFTER_NAMES, *_ANYWHERE}, key=len, reverse=True)
    )
    + ")",
    re.IGNORECASE,
)
INITIALISM = re.compile(r"(?<![A-Za-z0-9])(?<!\d )(?:[A-Za-z]\.){2,}(?:[A-Za-z](?![A-Za-z]))?")
"""Letters with dots: U.S., J.R.R."""
_NAME_BEFORE = re.compile(r"(?:[A-Z][a-z]{1,20}|\d(?:st|nd|rd|th)|&|and|[A-Z][A-Za-z]{1,20},) \Z")
_HOUSE_BEFORE = re.compile(r"\d[A-Z]? (?:[A-Z][a-z]{1,20} ){1,3}\Z")
_NUMBER_AFTER = re.compile(r" ?\d")
_CONTEXT = 72


def expand_abbreviation(match: re.Match[str]) -> str | None:
    """What an abbreviation is read as where it stands; None if it is none there."""
    text, end = match.string, match.end()
    word = match[0].lower()
    before = text[max(0, match.start() - _CONTEXT) : match.start()]
    after = text[end : end + 3]
    follows = after.lstrip()[:1]
    ends_sentence = not follows or follows in "\n\"')" or after[:1].isspace() and follows.isupper()
    stop = "." if not follows or follows == "\n" else ""
    if word in _ANYWHERE:
        spoken = _ANYWHERE[word]
        if word == "w/" and not after[:1].isspace():
            return None
        if spoken.endswith("."):
            return spoken if ends_sentence else spoken[:-1]
        return spoken + (stop if word.endswith(".") else "")
    if word in _BEFORE_NUMBERS and _NUMBER_AFTER.match(after):
        # "No. 5" may be read in Mandarin: left to the pattern of numbered things.
        return None if word == "no." else _BEFORE_NUMBERS[word]
    if word in _AFTER_NAMES and _NAME_BEFORE.search(before):
        in_street = word not in _TITLES or not follows.isupper() or _HOUSE_BEFORE.search(before) is not None
        if in_street:
            return _AFTER_NAMES[word] + stop
    if word in _TITLES and (follows.isupper() or word not in ("st.", "mt.", "ft.", "col.", "gen.", "rep.", "hon.")):
        return _TITLES[word]
    if word == "min." and re.search(r"\d ?\Z", before):
        return "minutes" + stop
    return None


def expand_initialism(match: re.Match[str]) -> str:
    """Letters without their dots; the last dot stays at the end of the text."""
    letters = match[0].replace(".", "").upper()
    ends_text = match[0].endswith(".") and not match.string[match.end() : match.end() + 8].strip()
    return letters + ("." if ends_text else "")
