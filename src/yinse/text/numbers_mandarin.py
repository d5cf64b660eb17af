"""Numbers, dates, money, units and signs in Mandarin characters."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping

from yinse.text.dates import Date, parse_date, parse_time
from yinse.text.found import Found, Reader, is_spoken, split_money, split_range, split_unit

_DIGITS = "零一二三四五六七八九"
_PLACES = ("", "十", "百", "千")
_GROUPS = ("", "万", "亿", "万亿")
_CODE_DIGITS = 8
"""So many digits without a counted thing are an account or telephone number: read one by one."""
_CARDINAL_DIGITS_MAX = 16
_CURRENCIES = {"$": "美元", "€": "欧元", "£": "英镑", "¥": "元", "US$": "美元", "HK$": "港元", "NT$": "新台币",
               "A$": "澳元", "AU$": "澳元", "C$": "加元", "CA$": "加元", "USD": "美元", "EUR": "欧元", "GBP": "英镑",
               "CNY": "元", "RMB": "元", "¢": "美分"}  # fmt: skip
_SCALES = {"hundred": "百", "thousand": "千", "million": "百万", "billion": "十亿", "trillion": "万亿", "k": "千",
           "K": "千", "m": "百万", "M": "百万", "B": "十亿", "bn": "十亿", "mn": "百万"}  # fmt: skip
_UNITS = {
    "km²": "平方公里", "cm²": "平方厘米", "m²": "平方米", "m³": "立方米", "km/h": "公里每小时", "mph": "英里每小时",
    "kg": "公斤", "km": "公里", "cm": "厘米", "mm": "毫米", "mg": "毫克", "ml": "毫升", "mL": "毫升", "kW": "千瓦",
    "°C": "摄氏度", "°F": "华氏度", "m": "米", "g": "克", "L": "升", "lb": "磅", "lbs": "磅", "ft": "英尺",
    "Hz": "赫兹", "kHz": "千赫", "MHz": "兆赫", "GHz": "吉赫", "ms": "毫秒", "m/s": "米每秒", "MB/s": "MB每秒",
    "GB/s": "GB每秒", "KB/s": "KB每秒", "μm": "微米", "kWh": "千瓦时", "mAh": "毫安时", "Gbps": "吉比特每秒",
    "Mbps": "兆比特每秒", "Kbps": "千比特每秒", "kbps": "千比特每秒", "dB": "分贝", "min": "分钟", "sec": "秒",
    "hr": "小时", "hrs": "小时", "h": "小时", "s": "秒", "d": "天", "t": "吨", "W": "瓦", "V": "伏", "oz": "盎司",
    "yd": "码", "yds": "码", "mi": "英里", "gal": "加仑", "sq ft": "平方英尺", "in.": "英寸",
}  # fmt: skip
_SIGNS = {
    "+": "加", "=": "等于", "==": "等于", "&": "和", "@": "艾特", "%": "百分号", "°": "度", "×": "乘", "*": "乘",
    "÷": "除以", "/": "除以", "<": "小于", ">": "大于", "<=": "小于等于", "≤": "小于等于", ">=": "大于等于",
    "≥": "大于等于", "≠": "不等于", "!=": "不等于", "≈": "约等于", "±": "正负", "∞": "无穷大", "√": "根号",
    "€": "欧元", "£": "英镑", "$": "美元", "¥": "元", "¢": "美分",
}  # fmt: skip
_GREEK = {"α": "阿尔法", "β": "贝塔", "γ": "伽马", "δ": "德尔塔", "θ": "西塔", "λ": "兰姆达", "μ": "缪", "π": "派",
          "σ": "西格马", "φ": "斐", "ω": "欧米伽"}  # fmt: skip
_COUNTED = frozenset(
    "个只位条张本支枝件辆台部家间座棵颗粒块片瓶杯碗盘盒箱袋包双对副套群头匹艘架扇盏首篇封门道题场次回遍趟顿份种样类名人天年周秒岁元毛角倍公"
    "米厘升吨克斤尺寸亩顷点折万亿千笔把根株朵口句段节课拨批伙帮股届轮局站步顶床锅桶罐壶滴束串捆卷幅枚尾处所边侧端分小平立英美欧日瓶户栋罚声"
    "章页毫立"
)  # fmt: skip
"""First characters of what is counted: 2 before them is 两."""
_NO_COUNT = re.compile("年级|日|月|章|页|分之|小学|人称|平台|口令|日游|头肌|分法")
_BY_DIGIT = re.compile(
    r"(?:拨打?|致电|电话|手机|热线|号码|编号|单号|证号|尾号|工号|学号|卡号|帐号|账号|邮编|邮政编码|验证码|密码|口令|代码|QQ号?|房间号?|车牌号?)"
    r"(?:是|为|:)?[^\S\n]?[\u4e00-\u9fff]?[A-Z]?\Z"
)
_GLUED = re.compile(r"(?<![A-Za-z])[A-Za-z]{1,4}-?\Z")
_MODEL = re.compile(r"(?:波音|空客|RTX|GTX|RX) ?\Z")
_NUMBERED_PLACE = re.compile("室|房|国道|省道|路(?!人)|次列车|航班")
_HOTLINE = re.compile(r"955\d\d|100[018]\d|123\d\d")
_YEARS_TOLD = re.compile(r"(?:[了近约过第共达满整有是这那前后每在长超等成立活已]|过去|未来|大约|结婚|建校)\Z")
_YEARS_LONG = re.compile("年(?:来|多|间|以|前|后|历史|的历史|代|如|过去|时间|的时间|里|内|的文明|文明|级)")
_SCORED = re.compile(r"(?:比分(?:是|为|:)?|以|[大总]比分|战成|领先|告负) ?\Z")
_WON = re.compile("获胜|险胜|取胜|战胜|击败|领先|大胜|完胜")
_IN_HOUSE = re.compile("(?:单元|号楼|栋|幢)\\Z")
_EMERGENCY = frozenset(("110", "114", "119", "120", "122"))
_PER = re.compile(r"[\d万千百亿] ?[\u4e00-\u9fff]{1,4}\Z|[$€£¥][\d.,]+\Z")
_BELOW_ZERO = re.compile(r"(?:气温|温度|最低|最高|零下|低至|降至|降到)[^。,]{0,4}\Z")


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
    """ "1,234.5" as "一千二百三十四点五"."""
    whole, _, decimals = text.replace(",", "").partition(".")
    return _whole(whole or "0") + (f"点{_digits(decimals)}" if decimals else "")


def _signed(text: str) -> str:
    return {"-": "负", "+": "正"}.get(text[:1], "") + cardinal(text.lstrip("+-"))


def _amount(text: str, after: str) -> str:
    """A number before what it counts: 2 is 两 before 个, and before the 万 of 2.5万."""
    if text == "2" and after[:1] in _COUNTED and after and not _NO_COUNT.match(after):
        return "两"
    if re.match(r"2\.\d", text) and after[:1] in ("万", "亿"):
        return "两" + cardinal(text)[1:]
    return _signed(text)


def _spoken_date(date: Date) -> str:
    days = "到".join(f"{cardinal(str(day))}日" for day in date.days)
    return (f"{_digits(date.year)}年" if date.year else "") + f"{cardinal(str(date.month))}月{days}"


def _date(found: Found) -> str:
    return _spoken_date(parse_date(found.text))


def _clock(text: str) -> str:
    time = parse_time(text)
    hour, *rest = (int(part) for part in time.parts)
    spoken = {"a": "上午", "p": "下午"}.get(time.half, "")
    spoken += ("两" if hour == 2 else _whole(str(hour))) + "点"
    if rest and (rest[0] or len(rest) > 1):
        minutes = rest[0]
        if minutes == 30 and len(rest) == 1:
            spoken += "半"
        else:
            spoken += ("零" if minutes < 10 else "") + (f"{_whole(str(minutes))}分" if minutes else "分")
    if len(rest) > 1:
        spoken += _whole(str(rest[1])) + "秒"
    return spoken


def _time(found: Found) -> str:
    if _SCORED.search(found.before) and re.fullmatch(r"\d+:\d+", found.text):
        return _ratio(found)
    return "到".join(_clock(part) for part in split_range(found.text))


def _ratio(found: Found) -> str:
    return "比".join(cardinal(part) for part in found.text.split(":"))


def _money(found: Found) -> str:
    is_negative, numbers, currency, scale = split_money(found.text)
    sign = "负" if is_negative else ""
    ends = [re.sub("[$€£¥]", "", number) for number in split_range(numbers)]
    spoken = "到".join(cardinal(re.sub(r"(\.\d*?)0+$", r"\1", end).rstrip(".")) for end in ends)
    if numbers == "2" and not scale:
        spoken = "两"
    return sign + spoken + _SCALES.get(scale, scale) + _CURRENCIES[currency]


def _percent(found: Found) -> str:
    head = "百分之" if found.text.endswith("%") else "千分之"
    ends = split_range(found.text)
    spoken = []
    for index, end in enumerate(ends):
        number = end.strip(" %‰")
        sign = {"-": "负", "+": "正"}.get(number[:1], "")
        named = index == 0 or "%" in ends[0]
        whole = "百" if number == "100" and head == "百分之" else cardinal(number.lstrip("+-"))
        spoken.append(sign + (head if named else "") + whole)
    return "到".join(spoken)


def _range(found: Found) -> str:
    (first, unit), (last, last_unit) = (split_unit(end) for end in split_range(found.text))
    if not (unit or last_unit) and (_SCORED.search(found.before) or _WON.match(found.after)):
        return f"{cardinal(first)}比{cardinal(last)}"
    unit, last_unit = (_UNITS.get(name, name) for name in (unit, last_unit))
    after = last_unit or found.after
    if after[:1] == "年" and re.fullmatch(r"\d{4}", first) and re.fullmatch(r"\d{2}|\d{4}", last):
        return f"{_digits(first)}到{_digits(last)}"
    start = f"零下{cardinal(first[1:])}" if first[0] == "-" and "度" in after else _amount(first, after)
    end = f"零下{cardinal(last[1:])}" if last[0] == "-" and "度" in after else _amount(last, after)
    return f"{start}{unit}到{end}{last_unit}"


def _fraction(found: Found) -> str:
    over, under = found.text.split("/")
    if found.before.endswith("血压"):
        return f"{cardinal(over)},{cardinal(under)}"
    return "二十四七" if found.text == "24/7" else f"{cardinal(under)}分之{cardinal(over)}"


def _mixed(found: Found) -> str:
    whole, fraction = found.text.split()
    over, under = fraction.split("/")
    return f"{cardinal(whole)}又{cardinal(under)}分之{cardinal(over)}"


def _measure(found: Found) -> str:
    number, name = split_unit(found.text)
    unit = _UNITS.get(name, name)
    if unit.endswith("度") and number.startswith("-"):
        return f"零下{cardinal(number[1:])}{unit}"
    return ("两" if number == "2" and unit[:1] in _COUNTED else _signed(number)) + unit


def _year(number: str, found: Found) -> str | None:
    """A number before 年 as the name of a year, if it is one."""
    after = found.after
    if re.search(r"公元前?\Z", found.before):
        return _digits(number)
    if re.fullmatch(r"0\d", number):
        return _digits(number)
    long = _YEARS_LONG.match(after)
    if re.fullmatch(r"1\d{3}|2[01]\d\d", number) and number != "1000":
        return None if long and number.endswith("00") and after[1:2] not in ("代", "间") else _digits(number)
    if re.fullmatch(r"[5-9]\d", number) and not long and not _YEARS_TOLD.search(found.before):
        return _digits(number)
    return None


def _code_reading(number: str, found: Found) -> str | None:
    """A number that is no count but a code, read digit by digit; None if it is none."""
    before, after = found.before, found.after
    if _BY_DIGIT.search(before):
        return _digits(number, telephone=True)
    if len(number) < 3:
        return None
    if _MODEL.search(before):
        return _digits(number)
    if _IN_HOUSE.search(before) or number in _EMERGENCY and before.endswith("打") and after[:1] not in _COUNTED:
        return _digits(number, telephone=True)
    if _GLUED.search(before) or _NUMBERED_PLACE.match(after) and not number.endswith("000"):
        return _digits(number, telephone=True)
    counted = after[:1] in _COUNTED or after[:1] in ("多", "余", "几", "来")
    if _HOTLINE.fullmatch(number) and not number.endswith("10") and not counted:
        return _digits(number, telephone=True)
    if len(number) >= _CODE_DIGITS and not number.endswith("000") and not re.match(r"[\u4e00-\u9fff]", after):
        return _digits(number)
    if re.fullmatch(r"(?:19|20)\d\d", number) and not counted:
        return _digits(number)
    return None


def _number(found: Found) -> str:
    number, after, before = found.text, found.after, found.before
    if number[-1] == "M":
        return f"{_signed(number[:-1])}M"
    if number.isdigit():
        year = _year(number, found) if after[:1] == "年" and after[:2] != "年级" else None
        decade = after[:1] == "后" and re.fullmatch(r"\d0", number)
        read = year or (_digits(number) if decade else None)
        if read is None and number == "00" and after[:2] == "年代":
            read = "零零"
        if read is None and after[:1] != "年":
            read = _code_reading(number, found)
        if read is not None:
            return read
        if before.endswith(("第", "高", "初")) or before[-1:] in _PLACES[1:]:
            return _signed(number)
        return _amount(number, after)
    if number.startswith("-") and after[:1] == "度" and _BELOW_ZERO.search(before):
        return f"零下{cardinal(number[1:])}"
    return _amount(number, after)


def _address(found: Found) -> str:
    text = re.sub(r"^(?:https?://)?(?:www\.)?", "", found.text).rstrip("./")
    for sign, word in ((".", "点"), ("@", " at "), ("/", "斜杠"), ("_", "下划线"), ("-", "杠")):
        text = text.replace(sign, word)
    return re.sub(r"\d+", lambda m: _digits(m[0]), text)


def _code(found: Found) -> str:
    text = found.text
    if text[0].isalpha():
        return f"{text[0]}二" if text == "CO2" else f"{text[0]} to {text[2]}"
    return (cardinal(text[:-1]) if text[-1] in "KMG" else _digits(text[:-1])) + text[-1]


def _power(found: Found) -> str:
    exponent = found.text[1:].replace("²", "2").replace("³", "3")
    return f"的{_signed(exponent)}次方"


def _square(found: Found) -> str:
    letters, power = found.text[:-1], found.text[-1]
    if letters + power in _UNITS:
        return _UNITS[letters + power]
    of = "的" if not letters and found.before[-1:].isdigit() else ""
    return " ".join(letters.upper()) + of + {"²": "平方", "³": "立方"}[power]


def _version(found: Found) -> str:
    parts = found.text.split(".")
    # Four parts are an address of the net.
    return "点".join(_digits(part) if len(parts) == 4 else cardinal(part) for part in parts)


def _phone(found: Found) -> str:
    return ",".join(_digits(part, telephone=True) for part in re.findall(r"\d+", found.text))


def _numero(found: Found) -> str:
    return "第" if found.after[:1].isdigit() else ""


def _height(found: Found) -> str:
    feet, inches = re.findall(r"\d+", found.text)
    return f"{_amount(feet, '英尺')}英尺{cardinal(inches)}英寸"


def _with_seconds(found: Found) -> str:
    """Digits and an s: seconds, unless they name a decade of four digits."""
    digits = re.sub(r"\D", "", found.text)
    return f"{_digits(digits)}年代" if len(digits) == 4 else f"{cardinal(digits)}秒"


def _greek(found: Found) -> str:
    return _GREEK.get(found.text.lower()) or f" {unicodedata.name(found.text).split()[3].lower()} "


def _sign(found: Found) -> str:
    if found.text == "/" and _PER.search(found.before):
        return "每"
    return _SIGNS.get(found.text.strip(), "") if is_spoken(found) else ""


_READERS: Mapping[str, Reader] = {
    "address": _address,
    "site": _address,
    "domain": _address,
    "file": _address,
    "dotted": lambda found: "点",
    "date": _date,
    "daymonth": _date,
    "monthday": _date,
    "phone": _phone,
    "time": _time,
    "money": _money,
    "percent": _percent,
    "version": _version,
    "height": _height,
    "mixed": _mixed,
    "fraction": _fraction,
    "minus": lambda found: "减",
    "ordinal": lambda found: "第" + _whole(re.sub(r"\D", "", found.text)),
    "decade": _with_seconds,
    "plural": _with_seconds,
    "short_year": lambda found: _digits(found.text),
    "ratio": _ratio,
    "range": _range,
    "join": lambda found: "到",
    "angle": lambda found: f"{_signed(found.text[:-1])}度",
    "measure": _measure,
    "times": lambda found: f"{_amount(found.text[:-1], '倍')}倍",
    "code": _code,
    "numero": _numero,
    "about": lambda found: "约",
    "number": _number,
    "power": _power,
    "square": _square,
    "initials": lambda found: " and ".join(" ".join(part) for part in found.text.split("&")),
    "coded": lambda found: found.text[0] + ("井" if found.text[1] == "#" else "加加"),
    "greek": _greek,
    "sign": _sign,
}


def read_mandarin(found: Found) -> str:
    """Mandarin characters for an expression."""
    return _READERS[found.kind](found)
