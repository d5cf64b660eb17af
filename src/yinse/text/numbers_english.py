"""Numbers, dates, money, units and signs in English words."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Mapping

_DIGIT_NAMES = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_MONTHS = (
    "January February March April May June July August September October November December".split()
)  # fmt: skip
_CURRENCIES = {
    "$": ("dollar", "cent"),
    "€": ("euro", "cent"),
    "£": ("pound", "penny"),
    "¥": ("yuan", "fen"),
}
_SCALES = {"k": "thousand", "K": "thousand", "m": "million", "M": "million", "B": "billion", "万": "ten thousand",
           "亿": "hundred million"}  # fmt: skip
_UNITS = {
    "km/h": "kilometers per hour", "km²": "square kilometers", "cm²": "square centimeters", "m²": "square meters",
    "m³": "cubic meters", "mph": "miles per hour", "kg": "kilograms", "km": "kilometers", "cm": "centimeters",
    "mm": "millimeters", "mg": "milligrams", "ml": "milliliters", "mL": "milliliters", "kW": "kilowatts",
    "GB": "gigabytes", "MB": "megabytes", "KB": "kilobytes", "TB": "terabytes", "GHz": "gigahertz",
    "MHz": "megahertz", "kHz": "kilohertz", "Hz": "hertz", "°C": "degrees Celsius", "°F": "degrees Fahrenheit",
    "m": "meters", "g": "grams", "L": "liters", "lb": "pounds", "lbs": "pounds", "ft": "feet", "ms": "milliseconds",
}  # fmt: skip
_SINGULARS = {"feet": "foot", "gigahertz": "gigahertz", "megahertz": "megahertz", "kilohertz": "kilohertz"}
_SIGNS = {
    "²": "squared", "³": "cubed", "+": "plus", "=": "equals", "&": "and", "@": "at", "%": "percent", "°": "degrees",
    "×": "times", "÷": "divided by", "<": "less than", ">": "greater than", "€": "euros", "£": "pounds",
    "$": "dollars", "¥": "yuan",
}  # fmt: skip
_DENOMINATORS = {2: ("half", "halves"), 4: ("quarter", "quarters")}
_CODE_DIGITS = 8
"""So many digits without commas are an account or telephone number: read one by one."""
_CARDINAL_DIGITS_MAX = 15
"""Longer numbers are read digit by digit."""

ABBREVIATIONS: Mapping[str, str] = {
    "mr.": "mister", "mrs.": "missus", "ms.": "miz", "dr.": "doctor", "prof.": "professor", "st.": "saint",
    "jr.": "junior", "sr.": "senior", "vs.": "versus", "etc.": "et cetera.", "e.g.": "for example", "i.e.": "that is",
    "approx.": "approximately", "no.": "number", "gen.": "general", "sgt.": "sergeant", "capt.": "captain",
    "col.": "colonel", "lt.": "lieutenant", "rev.": "reverend", "mt.": "mount", "w/o": "without",
    "a.k.a.": "also known as",
}  # fmt: skip
"""Abbreviations with their dot and how they are read; "no." only before a number, "etc." keeps a full stop."""


@functools.lru_cache(maxsize=4096)
def _words(value: int, form: str) -> str:
    from num2words import num2words

    return str(num2words(value, to=form)).replace("-", " ").replace(",", "").replace(" and ", " ")


def _digits(text: str) -> str:
    return " ".join(_DIGIT_NAMES[int(c)] for c in text if c.isdigit())


def cardinal(text: str) -> str:
    """ "1,234.5" as "one thousand two hundred thirty four point five"."""
    whole, _, decimals = text.replace(",", "").partition(".")
    spoken = _whole(whole or "0")
    return f"{spoken} point {_digits(decimals)}" if decimals else spoken


def _whole(digits: str) -> str:
    if len(digits) > _CARDINAL_DIGITS_MAX or (len(digits) > 1 and digits[0] == "0"):
        return _digits(digits)
    return _words(int(digits), "cardinal")


def _signed(text: str) -> str:
    sign = {"-": "minus ", "+": "plus "}.get(text[:1], "")
    return sign + cardinal(text.lstrip("+-"))


def _year(text: str) -> str:
    value = int(text)
    if 2000 <= value < 2010 or value % 1000 == 0:
        return _words(value, "cardinal")
    return _words(value, "year")


def _number(text: str) -> str:
    if text.isdigit() and len(text) >= _CODE_DIGITS and not text.endswith("000"):
        return _digits(text)
    if re.fullmatch(r"1066|1[1-9]\d\d|20\d\d", text):
        return _year(text)
    return _signed(text)


def _date(year: str, month: str, day: str) -> str:
    if not (1 <= int(month) <= 12 and 1 <= int(day) <= 31):
        return f"{_number(year)} {cardinal(month)} {cardinal(day)}"
    return f"{_MONTHS[int(month) - 1]} {_words(int(day), 'ordinal')} {_number(year)}"


def _isodate(text: str) -> str:
    year, month, day = re.split(r"[-/.]", text)
    return _date(year, month, day)


def _usdate(text: str) -> str:
    month, day, year = text.split("/")
    return _date(year, month, day)


def _monthday(text: str) -> str:
    name, day, *year = re.findall(r"[A-Za-z]+|\d+", re.sub(r"(?<=\d)(?:st|nd|rd|th)", "", text))
    month = next(m for m in _MONTHS if m.startswith(name[:3].capitalize()))
    return f"{month} {_words(int(day), 'ordinal')}" + (f", {_number(year[0])}" if year else "")


def _time(text: str) -> str:
    parts = re.findall(r"\d+", text)
    hour, rest = int(parts[0]), parts[1:]
    half = re.search(r"[ap](?=\.?m)", text.lower())
    spoken = _words(hour, "cardinal")
    for part in rest:
        if int(part) == 0 and len(rest) == 1:
            spoken += "" if half else " o'clock" if 0 < hour <= 12 else " hundred"
        else:
            spoken += (" oh " if part[0] == "0" else " ") + _words(int(part), "cardinal")
    return f"{spoken} {half[0].upper()}M" if half else spoken


def _money(text: str) -> str:
    unit, part = _CURRENCIES[text[0]]
    amount = re.search(r"[\d,]*\d(?:\.\d+)?", text)
    number = amount[0] if amount else "0"
    scale = text[text.index(number) + len(number) :].strip()
    plural = unit if unit == "yuan" else unit + "s"
    if scale:
        return f"{cardinal(number)} {_SCALES.get(scale, scale)} {plural}"
    whole, _, cents = number.replace(",", "").partition(".")
    if len(cents) == 2 and unit != "yuan":
        spoken = f"{_whole(whole)} {unit if whole == '1' else plural}"
        small = part if cents == "01" else {"penny": "pence"}.get(part, part + "s")
        if int(cents) == 0:
            return spoken
        return (
            f"{_words(int(cents), 'cardinal')} {small}"
            if whole == "0"
            else (f"{spoken} and {_words(int(cents), 'cardinal')} {small}")
        )
    return f"{cardinal(number)} {unit if number == '1' else plural}"


def _percent(text: str) -> str:
    name = "percent" if text.endswith("%") else "per mille"
    return f"{_range(text[:-1].strip())} {name}"


def _range(text: str) -> str:
    match = re.fullmatch(r"([-+]?[\d,.]+) ?%?[-~–] ?([\d,.]+)(.*)", text)
    if match is None:
        return _signed(text)
    unit = match[3].strip()
    return f"{_number(match[1])} to {_number(match[2])}" + (f" {_UNITS[unit]}" if unit else "")


def _fraction(text: str) -> str:
    over, under = (int(part) for part in text.split("/"))
    if (over, under) == (24, 7):
        return "twenty four seven"
    if over == under:
        return f"{cardinal(str(over))} {cardinal(str(under))}"
    if under < 2 or under > 100:
        return f"{cardinal(str(over))} over {cardinal(str(under))}"
    one, many = _DENOMINATORS.get(under, (_words(under, "ordinal"), _words(under, "ordinal") + "s"))
    return f"{_words(over, 'cardinal')} {one if over == 1 else many}"


def _measure(text: str) -> str:
    match = re.fullmatch(r"([-+]?[\d,.]*\d) ?(.+)", text)
    if match is None:
        return text
    unit = _UNITS[match[2]]
    if match[1] == "1":
        first, *others = unit.split()
        unit = " ".join([_SINGULARS.get(first, first.removesuffix("s")), *others])
    return f"{_signed(match[1])} {unit}"


def _decade(text: str) -> str:
    digits = re.sub(r"\D", "", text)
    tens = digits[-2:]
    head = digits[:-2]
    if tens == "00":
        return "two thousands" if head in ("", "20") else f"{_words(int(head), 'cardinal')} hundreds"
    name = _words(int(tens), "cardinal")
    name = name[:-1] + "ies" if name.endswith("y") else name + "s"
    return f"{_words(int(head), 'cardinal')} {name}" if head else name


def _address(text: str) -> str:
    text = re.sub(r"^(?:https?://)?(?:www\.)?", "", text).rstrip("./")
    for sign, word in ((".", " dot "), ("@", " at "), ("/", " slash "), ("_", " underscore "), ("-", " dash ")):
        text = text.replace(sign, word)
    return re.sub(r"\d+", lambda m: f" {_digits(m[0])} ", text)


def _mixed(text: str) -> str:
    whole, fraction = text.split(" ")
    spoken = _fraction(fraction)
    return f"{cardinal(whole)} and {'a half' if spoken == 'one half' else spoken}"


_READERS: Mapping[str, Callable[[str], str]] = {
    "address": _address,
    "site": _address,
    "domain": _address,
    "isodate": _isodate,
    "usdate": _usdate,
    "phone": lambda text: ", ".join(_digits(part) for part in re.findall(r"\d+", text)),
    "time": _time,
    "clock": _time,
    "money": _money,
    "percent": _percent,
    "version": lambda text: " point ".join(cardinal(part) for part in text.split(".")),
    "mixed": _mixed,
    "fraction": _fraction,
    "ratio": lambda text: " to ".join(cardinal(part) for part in text.split(":")),
    "monthday": _monthday,
    "ordinal": lambda text: _words(int(re.sub(r"\D", "", text)), "ordinal"),
    "decade": _decade,
    "range": _range,
    "measure": _measure,
    "number": _number,
    "sign": lambda text: _SIGNS.get(text, ""),
}


def read_english(kind: str, text: str) -> str:
    """English words for a matched expression.

    Args:
        kind: which pattern of `normalize` matched.
        text: the matched text.
    """
    return _READERS[kind](text)
