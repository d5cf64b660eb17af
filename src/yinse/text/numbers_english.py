"""Numbers, dates, money, units and signs in English words."""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Mapping

from yinse.text.dates import MONTHS, Date, parse_date, parse_time
from yinse.text.found import Found, Reader, is_spoken, split_money, split_range, split_unit

_DIGIT_NAMES = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_CURRENCIES = {
    "$": ("dollar", "cent"), "€": ("euro", "cent"), "£": ("pound", "penny"), "¥": ("yuan", "fen"),
    "USD": ("U S dollar", "cent"), "EUR": ("euro", "cent"), "GBP": ("pound", "penny"), "CNY": ("yuan", "fen"),
    "RMB": ("yuan", "fen"), "US$": ("U S dollar", "cent"), "HK$": ("Hong Kong dollar", "cent"),
    "NT$": ("Taiwan dollar", "cent"), "A$": ("Australian dollar", "cent"), "AU$": ("Australian dollar", "cent"),
    "C$": ("Canadian dollar", "cent"), "CA$": ("Canadian dollar", "cent"),
}  # fmt: skip
_SCALES = {"k": "thousand", "K": "thousand", "m": "million", "M": "million", "B": "billion", "bn": "billion",
           "mn": "million", "万": "ten thousand", "亿": "hundred million"}  # fmt: skip
_UNITS = {
    "km/h": "kilometers per hour", "km²": "square kilometers", "cm²": "square centimeters", "m²": "square meters",
    "m³": "cubic meters", "mph": "miles per hour", "kg": "kilograms", "km": "kilometers", "cm": "centimeters",
    "mm": "millimeters", "mg": "milligrams", "ml": "milliliters", "mL": "milliliters", "kW": "kilowatts",
    "GB": "gigabytes", "MB": "megabytes", "KB": "kilobytes", "TB": "terabytes", "GHz": "gigahertz",
    "MHz": "megahertz", "kHz": "kilohertz", "Hz": "hertz", "°C": "degrees Celsius", "°F": "degrees Fahrenheit",
    "m": "meters", "g": "grams", "L": "liters", "lb": "pounds", "lbs": "pounds", "ft": "feet", "ms": "milliseconds",
    "MB/s": "megabytes per second", "GB/s": "gigabytes per second", "KB/s": "kilobytes per second",
    "m/s": "meters per second", "μm": "micrometers", "kWh": "kilowatt hours", "mAh": "milliamp hours",
    "Gbps": "gigabits per second", "Mbps": "megabits per second", "Kbps": "kilobits per second",
    "kbps": "kilobits per second", "dB": "decibels", "min": "minutes", "sec": "seconds", "hr": "hours",
    "hrs": "hours", "oz": "ounces", "yd": "yards", "yds": "yards", "mi": "miles", "mpg": "miles per gallon",
    "bpm": "beats per minute", "gal": "gallons", "tsp": "teaspoons", "tbsp": "tablespoons", "W": "watts",
    "V": "volts", "sq ft": "square feet", "in.": "inches",
}  # fmt: skip
_SINGULARS = {"feet": "foot", "inches": "inch"}
_SIGNS = {
    "+": "plus", "=": "equals", "==": "equals", "&": "and", "@": "at", "%": "percent", "‰": "per mille",
    "°": "degrees", "×": "times", "*": "times", "÷": "divided by", "/": "divided by", "<": "less than",
    ">": "greater than", "<=": "less than or equal to", "≤": "less than or equal to", ">=": "greater than or equal to",
    "≥": "greater than or equal to", "≠": "not equal to", "!=": "not equal to", "≈": "approximately equals",
    "±": "plus or minus", "∞": "infinity", "√": "square root of", "€": "euros", "£": "pounds", "¥": "yuan",
    "¢": "cents",
}  # fmt: skip
_POWERS = {"²": "squared", "³": "cubed"}
_DENOMINATORS = {2: ("half", "halves"), 4: ("quarter", "quarters")}
_SPOKEN_SO = {"24/7": "twenty four seven", "50/50": "fifty fifty", "9/11": "nine eleven", "CO2": "C O two"}
_CODE_DIGITS = 8
"""So many digits without commas are an account or telephone number: read one by one."""
_CARDINAL_DIGITS_MAX = 15
"""Longer numbers are read digit by digit."""

_ONE_BY_ONE = re.compile(
    r"\b(?:pin|code|password|passcode|zip|account|number|phone|telephone|tel|hotline)(?: is| was| number)?:? \Z", re.I
)
_DIALLED = re.compile(r"\b(?:call|dial|dialed|called|ring|phone) \Z", re.I)
_IN_PAIRS = re.compile(
    r"\b(?:room|flight|highway|route|interstate|bus|suite|apartment|boeing|airbus|xbox|RTX|GTX|RX|BMW|area) \Z", re.I
)
_GLUED = re.compile(r"(?<![A-Za-z])[A-Z]{1,3}-?\Z")
_SERVICE = re.compile(r"[2-9]11|999|112")
_HOUSE = re.compile(
    r"(?: [A-Z][a-z]+){1,3} (?:[Ss]treet|[Aa]venue|[Rr]oad|[Dd]rive|[Ll]ane|[Bb]oulevard|St\b|Ave|Rd|Dr|Blvd)"
)
_YEAR = re.compile(r"1066|1[1-9]\d\d|20\d\d")
_LATE_YEAR = re.compile(r"\b(?:in|by|since|until|year|from) \Z", re.I)
_RATED = re.compile(r"\b(?:rate|rated|give|gave|score|scored|got)(?: (?:it|this|that|him|her|them|a|an))? \Z", re.I)
_SCORED = re.compile(r"\b(?:score|scores|scored|won|lost|win|beat|led|lead|ended|tied)\b[^.!?]*\Z", re.I)
_SPELLED_ENDING = re.compile(
    r"(?<=\.)(?:uk|io|cn|de|jp|tv|js|py|pdf|jpe?g|png|gif|html|csv|xlsx?|pptx?|docx?|txt|mp[34])(?![A-Za-z0-9])"
)
"""Countries and kinds of files that are read letter by letter."""
_DESCRIBES = re.compile(r"\b(?:a|an|A|An) \Z")


@functools.lru_cache(maxsize=4096)
def _words(value: int, form: str) -> str:
    from num2words import num2words

    return str(num2words(value, to=form)).replace("-", " ").replace(",", "").replace(" and ", " ")


def _digits(text: str) -> str:
    return " ".join(_DIGIT_NAMES[int(c)] for c in text if c.isdigit())


def cardinal(text: str) -> str:
    """ "1,234.5" as "one thousand two hundred thirty four point five"."""
    whole, _, decimals = text.replace(",", "").partition(".")
    if not whole and decimals:
        return f"point {_digits(decimals)}"
    spoken = _whole(whole or "0")
    return f"{spoken} point {_digits(decimals)}" if decimals else spoken


def _whole(digits: str) -> str:
    if len(digits) > _CARDINAL_DIGITS_MAX or (len(digits) > 1 and digits[0] == "0"):
        return _digits(digits)
    return _words(int(digits), "cardinal")


def ordinal(value: int) -> str:
    """21 as "twenty first"."""
    return _words(value, "ordinal")


def _signed(text: str) -> str:
    sign = {"-": "minus ", "+": "plus "}.get(text[:1], "")
    return sign + cardinal(text.lstrip("+-"))


def _pairs(digits: str) -> str:
    """ "747" as "seven forty seven", "1204" as "twelve oh four"."""
    head, tail = digits[:-2], digits[-2:]
    if digits[0] == "0" or not head or int(digits) % 1000 == 0:
        return _whole(digits)
    if tail == "00":
        return f"{_whole(head)} hundred"
    return f"{_whole(head)} " + (f"oh {_whole(tail[1])}" if tail[0] == "0" else _whole(tail))


def _year(text: str) -> str:
    value = int(text)
    if 2000 <= value < 2010 or value % 1000 == 0:
        return _words(value, "cardinal")
    return _words(value, "year")


def _plain(text: str) -> str:
    """A number by itself: code, year or count."""
    if text.isdigit() and len(text) >= _CODE_DIGITS and not text.endswith("000"):
        return _digits(text)
    return _year(text) if _YEAR.fullmatch(text) else _signed(text)


def _number(found: Found) -> str:
    text = found.text
    if text[-1] == "M":
        return f"{_signed(text[:-1])} million"
    if text.isdigit() and len(text) >= 3:
        if text == "007":
            return "double oh seven"
        if _ONE_BY_ONE.search(found.before) or _DIALLED.search(found.before) and _SERVICE.fullmatch(text):
            return _digits(text)
        if len(text) <= 4 and any(
            (_IN_PAIRS.search(found.before), _GLUED.search(found.before), _HOUSE.match(found.after))
        ):
            return _pairs(text)
        if len(text) == 4 and text[:2] == "21" and _LATE_YEAR.search(found.before):
            return _year(text)
    return _plain(text)


def _spoken_date(date: Date) -> str:
    days = " to ".join(ordinal(day) for day in date.days)
    return f"{MONTHS[date.month - 1]} {days}" + (f", {_plain(date.year)}" if date.year else "")


def _date(found: Found) -> str:
    date = parse_date(found.text)
    if not date.is_possible:
        return " ".join(_plain(part) for part in re.findall(r"\d+", found.text))
    return _spoken_date(date).replace(",", "") if found.kind == "date" else _spoken_date(date)


def _daymonth(found: Found) -> str:
    date = parse_date(found.text)
    return f"the {ordinal(date.days[0])} of {MONTHS[date.month - 1]} {_plain(date.year)}"


def _clock(text: str) -> str:
    time = parse_time(text)
    hour, *rest = time.parts
    spoken = _words(int(hour), "cardinal")
    for part in rest:
        if int(part) == 0 and len(rest) == 1:
            spoken += "" if time.half else " o'clock" if 0 < int(hour) <= 12 else " hundred"
        else:
            spoken += (" oh " if part[0] == "0" else " ") + _words(int(part), "cardinal")
    return f"{spoken} {time.half.upper()}M" if time.half else spoken


def _time(found: Found) -> str:
    if _SCORED.search(found.before) and re.fullmatch(r"\d+:\d+", found.text):
        return _ratio(found)
    return " to ".join(_clock(part) for part in split_range(found.text))


def _ratio(found: Found) -> str:
    return " to ".join(cardinal(part) for part in found.text.split(":"))


def _money(found: Found) -> str:
    is_negative, numbers, currency, scale = split_money(found.text)
    sign = "minus " if is_negative else ""
    if currency == "¢":
        return sign + _counted(numbers, "cent", "cents", found)
    unit, part = _CURRENCIES[currency]
    plural = unit if unit == "yuan" else unit + "s"
    first, *last = (re.sub("[$€£¥]", "", number) for number in split_range(numbers))
    if last:
        ends = f"{cardinal(first)} to {cardinal(last[0])}"
        return f"{sign}{ends} {_SCALES.get(scale, scale) + ' ' if scale else ''}{plural}"
    if scale:
        return f"{sign}{cardinal(first)} {_SCALES.get(scale, scale)} {unit if _describes(found) else plural}"
    whole, _, cents = first.replace(",", "").partition(".")
    if len(cents) != 2 or unit == "yuan":
        return sign + _counted(first, unit, plural, found)
    spoken = _counted(whole, unit, plural, found)
    small = part if cents == "01" else {"penny": "pence"}.get(part, part + "s")
    if int(cents) == 0:
        return sign + spoken
    small = f"{_words(int(cents), 'cardinal')} {small}"
    return sign + (small if whole == "0" else f"{spoken} and {small}")


def _describes(found: Found) -> bool:
    """Whether the expression stands before a noun that it describes: "a 20 km run"."""
    return bool(_DESCRIBES.search(found.before) and re.match(" [a-z]", found.after))


def _counted(number: str, one: str, many: str, found: Found) -> str:
    return f"{_signed(number)} {one if number == '1' or _describes(found) else many}"


def _percent(found: Found) -> str:
    name = "percent" if found.text.endswith("%") else "per mille"
    return f"{' to '.join(_signed(end.strip(' %‰')) for end in split_range(found.text))} {name}"


def _range(found: Found) -> str:
    (first, unit), (last, last_unit) = (split_unit(end) for end in split_range(found.text))
    if (first, last) == ("50", "50"):
        return "fifty fifty"
    if (first, last) == ("24", "7") and not last_unit:
        return _SPOKEN_SO["24/7"]
    if _IN_PAIRS.search(found.before) and first.isdigit() and last.isdigit() and len(first) == 3:
        return f"{_pairs(first)} {_pairs(last)}"
    unit, last_unit = (_UNITS.get(name, name) for name in (unit, last_unit))
    between = f" {unit}" if unit and unit != last_unit else ""
    return f"{_plain(first)}{between} to {_plain(last)} {last_unit}".strip()


def _divided(over: int, under: int) -> str:
    if under < 2 or under > 100:
        return f"{cardinal(str(over))} over {cardinal(str(under))}"
    one, many = _DENOMINATORS.get(under, (ordinal(under), ordinal(under) + "s"))
    if under == 100:
        one, many = "one hundredth", "hundredths"
    return f"{_words(over, 'cardinal')} {one if over == 1 else many}"


def _fraction(found: Found) -> str:
    if found.text in _SPOKEN_SO:
        return _SPOKEN_SO[found.text]
    over, under = (int(part) for part in found.text.split("/"))
    if over == under or under in (5, 10) and _RATED.search(found.before):
        return f"{cardinal(str(over))} out of {cardinal(str(under))}"
    return _divided(over, under)


def _mixed(found: Found) -> str:
    whole, fraction = found.text.split()
    over, under = (int(part) for part in fraction.split("/"))
    spoken = _divided(over, under)
    return f"{cardinal(whole)} and {'a half' if spoken == 'one half' else spoken}"


def _measure(found: Found) -> str:
    number, name = split_unit(found.text)
    if name not in _UNITS:
        return f"{_signed(number)} {name}"
    unit = _UNITS[name]
    if number == "1" or _describes(found):
        for plural in unit.split():
            single = _SINGULARS.get(plural) or (plural[:-1] if plural.endswith("s") and plural != "Celsius" else plural)
            if single != plural:
                unit = unit.replace(plural, single, 1)
                break
    return f"{_signed(number)} {unit}"


def _plural(words: str) -> str:
    if words.endswith("y"):
        return words[:-1] + "ies"
    return words + ("es" if words.endswith("x") else "s")


def _decade(found: Found) -> str:
    digits = re.sub(r"\D", "", found.text)
    head, tens = digits[:-2], digits[-2:]
    if tens == "00":
        return "two thousands" if head in ("", "20") else f"{_words(int(head), 'cardinal')} hundreds"
    name = _plural(_words(int(tens), "cardinal"))
    return f"{_words(int(head), 'cardinal')} {name}" if head else name


def _address(found: Found) -> str:
    text = re.sub(r"^(?:https?://)?(?:www\.)?", "", found.text).rstrip("./")
    text = _SPELLED_ENDING.sub(lambda match: match[0].upper(), text)
    for sign, word in ((".", " dot "), ("@", " at "), ("/", " slash "), ("_", " underscore "), ("-", " dash ")):
        text = text.replace(sign, word)
    return re.sub(r"\d+", lambda m: f" {_digits(m[0])} ", text)


def _height(found: Found) -> str:
    feet, inches = re.findall(r"\d+", found.text)
    return f"{cardinal(feet)} foot {cardinal(inches)}"


def _code(found: Found) -> str:
    text = found.text
    if text in _SPOKEN_SO:
        return _SPOKEN_SO[text]
    if text[0].isalpha():
        return f"{text[0]} to {text[2]}"
    return f"{_pairs(text[:-1])} {text[-1]}"


def _power(found: Found) -> str:
    exponent = found.text[1:]
    if exponent.strip("-") in ("²", "³"):
        exponent = exponent.replace("²", "2").replace("³", "3")
    return f"to the power of {_signed(exponent)}"


def _square(found: Found) -> str:
    letters, power = found.text[:-1], found.text[-1]
    if letters + power in _UNITS:
        return _UNITS[letters + power]
    return f"{' '.join(letters.upper())} {_POWERS[power]}"


def _version(found: Found) -> str:
    parts = found.text.split(".")
    if len(parts) == 4:  # an address of the net
        return " dot ".join(_pairs(part) if len(part) == 3 else cardinal(part) for part in parts)
    return " point ".join(cardinal(part) for part in parts)


def _phone(found: Found) -> str:
    groups = re.findall(r"\d+", found.text)
    return ", ".join("eight hundred" if group == "800" and len(groups) > 2 else _digits(group) for group in groups)


def _numero(found: Found) -> str:
    if found.text != "#":
        return "number"
    return "number" if found.after[:1].isdigit() else "hashtag" if found.after[:1].isascii() else ""


def _greek(found: Found) -> str:
    return unicodedata.name(found.text).split()[3].lower()


def _sign(found: Found) -> str:
    if found.text == "/" and found.before[-1:].isdigit() and found.after[:1].isalpha():
        return "per"
    return _SIGNS.get(found.text.strip(), "") if is_spoken(found) else ""


_READERS: Mapping[str, Reader] = {
    "address": _address,
    "site": _address,
    "domain": _address,
    "file": _address,
    "dotted": lambda found: "dot",
    "date": _date,
    "daymonth": _daymonth,
    "monthday": _date,
    "phone": _phone,
    "time": _time,
    "money": _money,
    "percent": _percent,
    "version": _version,
    "height": _height,
    "mixed": _mixed,
    "fraction": _fraction,
    "minus": lambda found: "minus",
    "ordinal": lambda found: ordinal(int(re.sub(r"\D", "", found.text))),
    "decade": _decade,
    "plural": lambda found: _plural(_pairs(found.text[:-1])),
    "short_year": lambda found: _whole(found.text[1:]),
    "ratio": _ratio,
    "range": _range,
    "join": lambda found: "to",
    "angle": lambda found: _counted(found.text[:-1], "degree", "degrees", found),
    "measure": _measure,
    "times": lambda found: f"{cardinal(found.text[:-1])} times",
    "code": _code,
    "numero": _numero,
    "about": lambda found: "about",
    "number": _number,
    "power": _power,
    "square": _square,
    "initials": lambda found: " and ".join(" ".join(part) for part in found.text.split("&")),
    "coded": lambda found: found.text[0] + (" sharp" if found.text[1] == "#" else " plus plus"),
    "greek": _greek,
    "sign": _sign,
}


def read_english(found: Found) -> str:
    """English words for an expression."""
    return _READERS[found.kind](found)
