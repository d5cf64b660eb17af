"""Numbers, dates, money, units and signs in Mandarin characters."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

_DIGITS = "零一二三四五六七八九"
_PLACES = ("", "十", "百", "千")
_GROUPS = ("", "万", "亿", "万亿")
_CODE_DIGITS = 8
"""So many digits without a counted thing are an account or telephone number: read one by one."""
_CARDINAL_DIGITS_MAX = 16
_CURRENCIES = {"$": "美元", "€": "欧元", "£": "英镑", "¥": "元"}
_SCALES = {"hundred": "百", "thousand": "千", "million": "百万", "billion": "十亿", "trillion": "万亿", "k": "千",
           "K": "千", "m": "百万", "M": "百万", "B": "十亿"}  # fmt: skip
_UNITS = {
    "km²": "平方公里", "cm²": "平方厘米", "m²": "平方米", "m³": "立方米", "km/h": "公里每小时", "mph": "英里每小时",
    "kg": "公斤", "km": "公里", "cm": "厘米", "mm": "毫米", "mg": "毫克", "ml": "毫升", "mL": "毫升", "kW": "千瓦",
    "°C": "摄氏度", "°F": "华氏度", "m": "米", "g": "克", "L": "升", "lb": "磅", "lbs": "磅", "ft": "英尺",
    "Hz": "赫兹", "kHz": "千赫", "MHz": "兆赫", "ms": "毫秒",
}  # fmt: skip
_SIGNS = {
    "²": "平方", "³": "立方", "+": "加", "=": "等于", "&": "和", "%": "百分号", "°": "度", "×": "乘", "÷": "除以",
    "<": "小于", ">": "大于", "€": "欧元", "£": "英镑", "$": "美元", "¥": "元",
}  # fmt: skip
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


def _digits(text: str, *, telephone: bool = False) -> str:
    spoken = "".join(_DIGITS[int(c)] for c in text if c.isdigit())
    return spoken.replace("一", "幺") if telephone else spoken


def _group(value: int) -> str:
    """Up to 9999, with inner zeros: 1005 is 一千零五."""
    spoken, gap = "", False
    for place in (3, 2, 1, 0):
        digit = value // 10**place % 10
        if digit == 0:
            gap = bool(spoken)
            continue
        spoken += ("零" if gap else "") + _DIGITS[digit] + _PLACES[place]
        gap = False
    return spoken


def _whole(digits: str) -> str:
    if len(digits) > _CARDINAL_DIGITS_MAX or (len(digits) > 1 and digits[0] == "0"):
        return _digits(digits)
    value = int(digits)
    if value == 0:
        return "零"
    spoken = ""
    for group in (3, 2, 1, 0):
        part = value // 10 ** (4 * group) % 10000
        if part:
            gap = bool(spoken) and (part < 1000 or value // 10 ** (4 * group + 4) % 10 == 0)
            spoken += ("零" if gap else "") + _group(part) + _GROUPS[group]
    spoken = re.sub("^一十", "十", spoken)
    return re.sub("二(?=千)|^二(?=万|亿)", "两", spoken)


def cardinal(text: str) -> str:
    """ "1,234.5" as "一千两百三十四点五"."""
    whole, _, decimals = text.replace(",", "").partition(".")
    return _whole(whole or "0") + (f"点{_digits(decimals)}" if decimals else "")


def _signed(text: str) -> str:
    return {"-": "负", "+": "正"}.get(text[:1], "") + cardinal(text.lstrip("+-"))


def _date(year: str, month: str, day: str) -> str:
    return f"{_digits(year)}年{cardinal(month.lstrip('0') or '0')}月{cardinal(day.lstrip('0') or '0')}日"


def _isodate(text: str) -> str:
    year, month, day = re.split(r"[-/.]", text)
    return _date(year, month, day)


def _usdate(text: str) -> str:
    month, day, year = text.split("/")
    return _date(year, month, day)


def _monthday(text: str) -> str:
    name, day, *year = re.findall(r"[A-Za-z]+|\d+", re.sub(r"(?<=\d)(?:st|nd|rd|th)", "", text))
    month = _MONTHS.index(name[:3].lower()) + 1
    return (f"{_digits(year[0])}年" if year else "") + f"{cardinal(str(month))}月{cardinal(day)}日"


def _clock_number(digits: str) -> str:
    value = int(digits)
    return "两" if value == 2 else _whole(str(value))


def _time(text: str) -> str:
    hour, *rest = re.findall(r"\d+", text)
    half = re.search(r"[ap](?=\.?m)", text.lower())
    spoken = {"a": "上午", "p": "下午"}.get(half[0], "") if half else ""
    spoken += _clock_number(hour) + "点"
    if rest and (int(rest[0]) or len(rest) > 1):
        minutes = rest[0]
        spoken += (
            "半"
            if minutes == "30" and len(rest) == 1
            else ("零" if minutes[0] == "0" else "") + (_whole(str(int(minutes))) + "分" if int(minutes) else "分")
        )
    if len(rest) > 1:
        spoken += _whole(str(int(rest[1]))) + "秒"
    return spoken


def _money(text: str) -> str:
    amount = re.search(r"[\d,]*\d(?:\.\d+)?", text)
    number = amount[0] if amount else "0"
    scale = text[text.index(number) + len(number) :].strip()
    return cardinal(number) + _SCALES.get(scale, scale) + _CURRENCIES[text[0]]


def _range(text: str, read: Callable[[str], str] = _signed) -> str:
    match = re.fullmatch(r"([-+]?[\d,.]+) ?%?[-~–] ?([\d,.]+)(.*)", text)
    if match is None:
        return read(text)
    unit = match[3].strip()
    return f"{read(match[1])}到{read(match[2])}" + _UNITS.get(unit, unit)


def _percent(text: str) -> str:
    head = "百分之" if text.endswith("%") else "千分之"
    number = text[:-1].strip()
    sign = {"-": "负", "+": "正"}.get(number[:1], "")
    return sign + head + _range(number.lstrip("+-"))


def _fraction(text: str) -> str:
    over, under = text.split("/")
    return f"{cardinal(under)}分之{cardinal(over)}"


def _measure(text: str) -> str:
    match = re.fullmatch(r"([-+]?[\d,.]*\d) ?(.+)", text)
    if match is None:
        return text
    number, unit = match[1], _UNITS.get(match[2], match[2])
    if unit.endswith("度") and number.startswith("-"):
        return f"零下{cardinal(number[1:])}{unit}"
    return ("两" if number == "2" and unit not in ("毫米", "毫克") else _signed(number)) + unit


def _number(text: str) -> str:
    """`text` may end with the character that decides the reading, such as 年 or 个."""
    match = re.fullmatch(r"([-+]?[\d,.]*\d)(\D?)", text)
    if match is None:
        return _signed(text)
    number, after = match[1], match[2]
    if after == "年" and re.fullmatch(r"\d{4}|0\d|[5-9]\d", number):
        return _digits(number) + after
    if after == "后" and re.fullmatch(r"\d0", number):
        return _digits(number) + after
    if number.isdigit() and len(number) >= _CODE_DIGITS and not number.endswith("000") and not after:
        return _digits(number)
    if after and number == "2" and after not in "月日号楼路班年级":
        return "两" + after
    if not after and re.fullmatch(r"(?:19|20)\d\d", number):
        return _digits(number)
    return _signed(number) + after


def _address(text: str) -> str:
    text = re.sub(r"^(?:https?://)?(?:www\.)?", "", text).rstrip("./")
    for sign, word in ((".", " dot "), ("@", " at "), ("/", " slash "), ("_", " underscore "), ("-", " dash ")):
        text = text.replace(sign, word)
    return re.sub(r"\d+", lambda m: _digits(m[0]), text)


def _mixed(text: str) -> str:
    whole, fraction = text.split(" ")
    return f"{cardinal(whole)}又{_fraction(fraction)}"


_READERS: Mapping[str, Callable[[str], str]] = {
    "address": _address,
    "site": _address,
    "domain": _address,
    "isodate": _isodate,
    "usdate": _usdate,
    "phone": lambda text: ",".join(_digits(part, telephone=True) for part in re.findall(r"\d+", text)),
    "time": _time,
    "clock": _time,
    "money": _money,
    "percent": _percent,
    "version": lambda text: "点".join(cardinal(part) for part in text.split(".")),
    "mixed": _mixed,
    "fraction": _fraction,
    "ratio": lambda text: "比".join(cardinal(part) for part in text.split(":")),
    "monthday": _monthday,
    "ordinal": lambda text: "第" + _whole(re.sub(r"\D", "", text)),
    "decade": lambda text: _digits(text) + "年代",
    "range": _range,
    "measure": _measure,
    "number": _number,
    "sign": lambda text: _SIGNS.get(text, ""),
}


def read_mandarin(kind: str, text: str) -> str:
    """Mandarin characters for a matched expression.

    Args:
        kind: which pattern of `normalize` matched.
        text: the matched text; a "number" may bring the character after it.
    """
    return _READERS[kind](text)
