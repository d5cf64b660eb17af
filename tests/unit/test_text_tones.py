"""Mandarin as it sounds: chains of third tones, 不, 一, neutral tones, doubled words, the suffix 儿."""

from __future__ import annotations

import pytest

from yinse.text.mandarin import read_han
from yinse.text.symbols import SYMBOL_IDS

SPOKEN = """
你好 | ni2 hao3
水果 | shui2 guo3
可以 | ke2 yi3
老鼠 | lao2 shu3
展览馆 | zhan2 lan2 guan3
管理组 | guan2 li2 zu3
小老虎 | xiao3 lao2 hu3
纸老虎 | zhi3 lao2 hu3
很好听 | hen2 hao3 ting1
我很好 | wo2 hen3 hao3
你走吧 | ni2 zou3 ba5
我想买 | wo2 xiang3 mai3
好雨伞 | hao3 yu2 san3
买五本 | mai3 wu2 ben3
五百本 | wu2 bai2 ben3
手表 | shou2 biao3
雨水 | yu2 shui3
所以 | suo2 yi3
永远 | yong2 yuan3
勇敢 | yong2 gan3
海底 | hai2 di3
五点五 | wu2 dian3 wu3
不是 | bu2 shi4
不对 | bu2 dui4
不要 | bu2 yao4
不去 | bu2 qu4
不好 | bu4 hao3
不来 | bu4 lai2
不吃 | bu4 chi1
不知道 | bu4 zhi1 dao4
不一定 | bu4 yi2 ding4
说一不二 | shuo1 yi4 bu2 er4
好不好 | hao3 bu5 hao3
是不是 | shi4 bu5 shi4
去不去 | qu4 bu5 qu4
看不见 | kan4 bu5 jian4
来不及 | lai2 bu5 ji2
差不多 | cha4 bu5 duo1
对不起 | dui4 bu5 qi3
了不起 | liao3 bu5 qi3
一天 | yi4 tian1
一年 | yi4 nian2
一本 | yi4 ben3
一次 | yi2 ci4
一个 | yi2 ge5
一样 | yi2 yang4
一定 | yi2 ding4
一起 | yi4 qi3
一共 | yi2 gong4
一半 | yi2 ban4
一会儿 | yi2 hui4 er4
一点儿 | yi4 dian3 er3
第一 | di4 yi1
第一天 | di4 yi1 tian1
第一个 | di4 yi1 ge5
初一 | chu1 yi1
十一 | shi2 yi1
二十一 | er4 shi2 yi1
一九九八 | yi1 jiu2 jiu3 ba1
一月 | yi1 yue4
三点一四 | san1 dian3 yi1 si4
星期一 | xing1 qi1 yi1
统一 | tong3 yi1
一百 | yi4 bai3
一千 | yi4 qian1
一万 | yi2 wan4
看一看 | kan4 yi5 kan4
想一想 | xiang3 yi5 xiang3
试一试 | shi4 yi5 shi4
一心一意 | yi4 xin1 yi2 yi4
看看 | kan4 kan5
听听 | ting1 ting5
试试 | shi4 shi5
查查 | cha2 cha5
妈妈 | ma1 ma5
爸爸 | ba4 ba5
姐姐 | jie3 jie5
奶奶 | nai3 nai5
弟弟 | di4 di5
星星 | xing1 xing5
朋友 | peng2 you5
小朋友 | xiao3 peng2 you5
先生 | xian1 sheng5
学生 | xue2 sheng5
东西 | dong1 xi5
意思 | yi4 si5
知识 | zhi1 shi5
认识 | ren4 shi5
喜欢 | xi3 huan5
漂亮 | piao4 liang5
明白 | ming2 bai5
清楚 | qing1 chu5
便宜 | pian2 yi5
衣服 | yi1 fu5
头发 | tou2 fa5
眼睛 | yan3 jing5
耳朵 | er3 duo5
桌子 | zhuo1 zi5
孩子 | hai2 zi5
儿子 | er2 zi5
石头 | shi2 tou5
馒头 | man2 tou5
我们 | wo3 men5
孩子们 | hai2 zi5 men5
什么 | shen2 me5
怎么 | zen3 me5
这么 | zhe4 me5
豆腐 | dou4 fu5
葡萄 | pu2 tao5
月亮 | yue4 liang5
告诉 | gao4 su5
舒服 | shu1 fu5
觉得 | jue2 de5
记得 | ji4 de5
好了吗 | hao3 le5 ma5
走吧 | zou3 ba5
我的 | wo3 de5
高兴地笑 | gao1 xing4 de5 xiao4
跑得快 | pao3 de5 kuai4
看着 | kan4 zhe5
花儿 | hua1 er1
玩儿 | wan2 er2
点儿 | dian3 er3
事儿 | shi4 er4
这儿 | zhe4 er4
那儿 | na4 er4
哪儿 | na3 er3
小孩儿 | xiao3 hai2 er2
女儿 | nv3 er2
婴儿 | ying1 er2
儿童 | er2 tong2
哪里 | na2 li3
小姐 | xiao2 jie5
银行行长 | yin2 hang2 hang2 zhang3
两只老虎 | liang3 zhi1 lao2 hu3
"""


@pytest.mark.parametrize("row", SPOKEN.strip().splitlines())
def test_tones_as_they_sound(row: str) -> None:
    text, spoken = row.split(" | ")
    assert " ".join(syllable for word in read_han(text) for syllable in word.spoken) == spoken


def test_readings_hold_every_character() -> None:
    run = "他说得对㍿极了"
    readings = read_han(run)
    assert "".join(reading.text for reading in readings) == run
    assert all(len(reading.reading) == len(reading.spoken) == len(reading.text) for reading in readings)
    assert all(symbol in SYMBOL_IDS for reading in readings for symbol in reading.phonemes)


def test_sandhi_is_kept_apart_from_the_reading() -> None:
    (reading,) = read_han("水果")
    assert (reading.reading, reading.spoken) == (("shui3", "guo3"), ("shui2", "guo3"))


def test_a_given_reading_counts_for_its_neighbours() -> None:
    readings = read_han("好人", forced={0: "hao4"})
    assert readings[0].reading[0] == "hao4"
    assert [syllable for word in read_han("不行", forced={1: "hang4"}) for syllable in word.spoken] == ["bu2", "hang4"]
