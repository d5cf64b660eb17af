"""What in a text is not yet words: the patterns of numbers, dates, addresses and signs, in the order they are tried."""

from __future__ import annotations

import re

from yinse.text.characters import HAN
from yinse.text.dates import MONTH_PATTERN

NUMBER = r"(?:\d{1,3}(?:,\d{3})+(?![\d])|\d+)(?:\.\d+)?"
_SIGN = r"(?:(?<![\w).%°-])[-+])?"
DASH = r"[-~–—]"
UNITS = tuple(
    "km/h MB/s GB/s KB/s m/s km² cm² m² m³ km cm mm μm kg mg ml mL kWh kW mAh Gbps Mbps Kbps kbps GHz MHz kHz Hz dB GB"
    " MB KB TB °C °F ms min sec hrs hr lbs lb oz yds yd ft mi mph mpg bpm gal tsp tbsp m g L W V h s t d".split()
)
"""Signs of units that follow a number; each language reads those that it knows."""
_UNIT = "(?:" + "|".join(sorted(map(re.escape, UNITS), key=len, reverse=True)) + r"|sq ft|in\.)(?![A-Za-z0-9²³])"
_HALF_DAY = r" ?[apAP](?:\.[mM]\b\.?|[mM]\b)"
_TIME = rf"(?:(?:[01]?\d|2[0-4]):[0-5]\d(?::[0-5]\d)?(?:{_HALF_DAY})?|\d{{1,2}}{_HALF_DAY})"
_LABEL = "[A-Za-z0-9_-]{1,64}"
_SCALE = r"(?: ?(?:hundred|thousand|million|billion|trillion|(?:[kKmMB]|bn|mn)(?![A-Za-z])|[万亿]))?"
_CURRENCY = r"(?:(?:US|HK|NT|AU|CA|A|C)?\$|[€£¥])"
_DAY = r"\d{1,2}(?:st|nd|rd|th)?"
GREEK = "\u0391-\u03a9\u03b1-\u03c9"

_PATTERNS = {
    "address": rf"(?<![A-Za-z0-9.@-]){_LABEL}(?:\.{_LABEL}){{0,8}}"
    r"@[A-Za-z0-9-]{1,64}(?:\.[A-Za-z]{2,12}){1,4}",
    "site": r"(?:https?://|www\.)[A-Za-z0-9./_-]{1,256}",
    "domain": r"(?<![A-Za-z0-9.@-])[A-Za-z0-9-]{1,64}(?:\.[A-Za-z0-9-]{1,64}){0,3}"
    r"\.(?:com|org|net|edu|gov|io|cn|dev|app|co\.uk|de|jp|tv)(?![A-Za-z0-9])(?:/[A-Za-z0-9/_-]{1,256})?",
    "file": rf"(?<![A-Za-z0-9.@-]){_LABEL}"
    r"\.(?:pdf|txt|docx?|xlsx?|pptx?|jpe?g|png|gif|mp[34]|wav|zip|exe|html?|csv|json|py|js)(?![A-Za-z0-9])",
    "dotted": r"(?<![\w.])\.(?=NET\b)",
    "date": r"(?<!\d)(?:\d{4}(?:-\d{1,2}-\d{1,2}|/\d{1,2}/\d{1,2}|\.\d{1,2}\.\d{1,2})|\d{1,2}/\d{1,2}/\d{4})(?!\d)",
    "daymonth": rf"(?<![\d.,]){_DAY} {MONTH_PATTERN}\.?,? \d{{4}}(?!\d)",
    "monthday": rf"\b{MONTH_PATTERN}\.? {_DAY}(?: ?[-–] ?{_DAY})?(?:,? \d{{4}})?(?![\d:])",
    "phone": r"(?<![\d.-])(?:\+?\d{1,3}[- ])?(?:1[3-9]\d{9}|1[3-9]\d-\d{4}-\d{4}|(?:\(\d{3}\) ?|\d{3,4}-)\d{3,4}-\d{4}"
    r"|0\d{2,3}-\d{7,8}|0\d{2,4} \d{3,4} \d{4}|\d{4}(?: \d{4}){2,6})(?!\d)|(?<![\d.-])\d{3}-0\d{3}(?!\d)",
    "time": rf"(?<![\d:.]){_TIME}(?: ?{DASH} ?{_TIME})?(?![\d:])",
    "money": rf"(?:(?<![\w).%-])-)?{_CURRENCY} ?{NUMBER}(?: ?{DASH} ?[$€£¥]?{NUMBER})?{_SCALE}"
    rf"|(?<![\d.]){NUMBER} ?(?:USD|EUR|GBP|CNY|RMB)\b|(?<![\d.]){NUMBER} ?¢",
    "percent": rf"{_SIGN}{NUMBER}(?: ?[%‰]? ?{DASH} ?-?{NUMBER})? ?[%‰]",
    "version": r"(?<![\d.])\d+(?:\.\d+){2,}",
    "height": r"(?<![\w'])\d'\d{1,2}(?:\"|'')?(?!\w)",
    "mixed": r"(?<![\d/.])\d{1,4} {1,3}\d{1,2}/\d{1,2}(?![\d/])",
    "fraction": r"(?<![\d/.])\d{1,4}/\d{1,4}(?![\d/])(?! ?=)",
    "minus": r"(?<=[\d)²³]) ?- ?(?=[\dA-Za-z(][\w.]{0,12} ?[=+×÷*])",
    "ordinal": r"(?<![\d.])(?:\d{1,3}(?:,\d{3})+|\d{1,12})(?:st|nd|rd|th)\b",
    "decade": r"(?<![\d.,])'?(?:\d{3}0|\d0)'?s\b",
    "plural": r"(?<![\d.,])\d{1,3}s\b",
    "short year": r"(?<![\w'])'\d\d(?![\d'])",
    "ratio": r"(?<![\d:])\d{1,4}:\d{1,4}(?![\d:])",
    "range": rf"(?<![\d.-]){_SIGN}{NUMBER}(?: ?{_UNIT})? ?{DASH} ?-?{NUMBER}(?![-\d])(?! ?[=+×÷*])(?: ?{_UNIT})?",
    "join": rf"(?<=[年月日号点分秒时章页周楼层级岁]) ?{DASH} ?(?=(?:第|周|星期)?\d)|(?<=\d){DASH}(?=(?:第|周|星期)\d)",
    "angle": rf"{_SIGN}{NUMBER}°(?![CF])",
    "measure": rf"{_SIGN}{NUMBER} ?{_UNIT}",
    "times": rf"(?<![\d.,]){NUMBER}x\b(?! ?[-+=*/])",
    "code": r"(?<![A-Za-z0-9])(?:[BCGDP]2[BCGDP]|CO2|\d{3,4}[pP]|\d{3}[A-Z])(?![A-Za-z0-9])",
    "numero": rf"(?<![A-Za-z])(?:N[oO]\. ?|no\. ?|#)(?=\d)|#(?=[A-Za-z{HAN}])",
    "about": r"(?<![\w~])~(?=\d)",
    "number": rf"(?:(?<![\w.])\.\d+|{_SIGN}{NUMBER})(?:M(?![A-Za-z0-9]))?",
    "power": r"\^-?(?:\d{1,3}|[²³])",
    "square": r"(?:(?<![A-Za-z])[a-z]{2})?[²³]",
    "initials": r"(?<![A-Za-z])[A-Z]{1,3}&[A-Z]{1,3}(?![A-Za-z])",
    "coded": r"(?<![A-Za-z])[A-Z](?:\+\+|#)(?![A-Za-z0-9])",
    "greek": f"[{GREEK}]",
    "sign": r"[<>!]=|==|(?<=\d) ?\* ?(?=\d)|(?<=\d) / (?=\d)|(?<=\d)/(?=\d{1,4} ?=)|[≈≠≤≥±∞√+=&@#%‰°×÷<>*/\\^~$€£¥¢_|]",
}
TO_READ = re.compile("|".join(f"(?P<{name.replace(' ', '_')}>{pattern})" for name, pattern in _PATTERNS.items()),
                     re.ASCII)  # fmt: skip
"""Whatever has to be read out; `lastgroup` of a match is its kind."""

NAMES_AND_ROMAN = re.compile(r"(?<![A-Za-z])([A-Z][a-z]+) (?=[IVXL])(L?X{0,3}(?:IX|IV|V?I{0,3}))(?![A-Za-z.'-])")
"""A capitalised word and a Roman numeral up to 89."""
HAN_ROMAN = re.compile(
    rf"(?<=第)[IVX]{{1,5}}(?=[章节卷部期册回集条篇])"
    rf"|(?<=[{HAN}])(?=[IVX]{{2}})X{{0,3}}(?:IX|IV|V?I{{0,3}})(?![A-Za-z0-9])"
)
"""A Roman numeral beside Han characters."""
