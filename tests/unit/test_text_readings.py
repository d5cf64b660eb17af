"""How sentences are read: each line is followed by its phonemes, after the head mark."""

from __future__ import annotations

import pytest

from yinse.text.phonemes import phonemize

MANDARIN = """
你好，世界。
    n i2 h ao3 , sh ir4 j ie4 .
今天天气怎么样？
    j in1 t ian1 t ian1 q i4 | z en3 m e5 y ang4 ?
我们一起去公园散步吧！
    w o3 m en5 | y i4 q i3 | q v4 | g ong1 y van2 | s an4 b u4 | b a5 !
2024年5月3日，气温23.5度。
    EE er4 l ing2 EE er4 | s i04 n ian2 | w u3 y ve4 | s an1 r ir4 , q i4 w en1 | EE er4 | sh ir2 s an1 d ian3
    | w u3 d u4 .
他花了3.14元买了一支铅笔。
    t a1 h ua1 | l e5 | s an1 d ian3 | y i1 | s i04 y van2 | m ai3 | l e5 | y i4 zh ir1 | q ian1 b i3 .
电话号码是13800138000，请记下来。
    d ian4 h ua4 h ao4 m a3 | sh ir4 | y ao1 | s an1 b a1 | l ing2 l ing2 | y ao1 | s an1 b a1 | l ing2 l ing2
    | l ing2 , q ing3 | j i4 x ia4 l ai5 .
下午3:30开会，别迟到。
    x ia4 w u3 | s an1 d ian3 | b an4 | k ai1 h ui4 , b ie2 | ch ir2 d ao4 .
增长了12.5%，超过预期。
    z eng1 zh ang3 | l e5 | b ai3 f en1 zh ir1 sh ir2 | EE er4 d ian3 w u3 , ch ao1 g uo4 | y v4 q i1 .
这是一个不对的答案，不好不坏。
    zh e4 sh ir4 | y i2 g e5 | b u2 | d ui4 | d e5 | d a2 AA an4 , b u4 h ao3 b u2 h uai4 .
儿子和女儿在院儿里玩儿。
    EE er2 z i05 | h e2 | n v3 EE er2 | z ai4 | y van4 EE er4 | l i5 | w an2 EE er2 .
嗯，好的……那就这样吧——再见！
    EE en4 , h ao3 | d e5 … n a4 | j iu4 | zh e4 y ang4 | b a5 - z ai4 j ian4 !
老虎和小狗都很可爱。
    l ao2 h u3 | h e2 | x iao2 g ou3 | d ou1 | h en2 | k e3 AA ai4 .
请你重新写一遍，把它长大的样子画出来。
    q ing2 | n i3 | ch ong2 x in1 | x ie3 | y i2 b ian4 , b a3 | t a1 | zh ang3 d a4 | d e5 | y ang4 z i05 | h
    ua4 | ch u1 l ai5 .
1/3的学生没有来。
    s an1 f en1 zh ir1 y i1 | d e5 | x ve2 sh eng5 | m ei2 y ou3 | l ai2 .
第10名获得了￥500奖金。
    d i4 sh ir2 m ing2 | h uo4 d e2 | l e5 | w u2 b ai3 y van2 | j iang3 j in1 .
银行行长在人行道上行走。
    y in2 h ang2 h ang2 zh ang3 | z ai4 | r en2 x ing2 d ao4 | sh ang4 | x ing2 z ou3 .
最低-10℃。
    z ui4 d i1 | l ing2 x ia4 | sh ir2 | sh e4 sh ir4 d u4 .
看一看，试一试，想一想。
    k an4 y i5 k an4 , sh ir4 y i5 sh ir4 , x iang3 y i5 x iang3 .
妈妈、爸爸、爷爷、奶奶都来了。
    m a1 m a5 , b a4 b a5 , y E2 y E5 , n ai3 n ai5 | d ou1 | l ai2 | l e5 .
一年一度的春节到了，一共有七天假。
    y i4 n ian2 y i2 d u4 | d e5 | ch un1 j ie2 | d ao4 | l e5 , y i2 g ong4 | y ou3 | q i1 t ian1 | j ia4 .
绿色的旅游路线，女孩与鱼。
    l v4 s e4 | d e5 | l v3 y ou2 | l u4 x ian4 , n v3 h ai2 | y v3 | y v2 .
资本市场，司机，知识，吃饭，日历，次数。
    z i01 b en3 | sh ir4 ch ang3 , s i01 j i1 , zh ir1 sh ir5 , ch ir1 f an4 , r ir4 l i4 , c i04 sh u4 .
圆圈、云朵、月亮、永远、勇敢。
    y van2 q van1 , y vn2 d uo3 , y ve4 l iang5 , y ong2 y van3 , y ong2 g an3 .
什么时候能到？快点儿啊！
    sh en2 m e5 | sh ir2 h ou5 | n eng2 | d ao4 ? k uai4 d ian3 EE er3 | AA a5 !
不一定，说一不二。
    b u4 | y i2 d ing4 , sh uo1 y i4 b u2 EE er4 .
展览馆里有一只小老虎。
    zh an2 l an2 g uan3 | l i5 | y ou3 | y i4 zh ir1 | x iao3 l ao2 h u3 .
他得走了，我跑得快。
    t a1 | d ei2 | z ou3 | l e5 , w o3 | p ao3 d e5 k uai4 .
我睡不着觉，你睡着了吗？
    w o3 | sh ui4 b u5 zh ao2 | j iao4 , n i3 | sh ui4 zh ao2 | l e5 | m a5 ?
慢慢地走，地上很滑。
    m an4 m an4 | d e5 | z ou3 , d i4 sh ang5 | h en3 | h ua2 .
一九九八年一月一日星期一
    y i1 j iu2 j iu3 b a1 n ian2 | y i1 y ve4 | y i1 r ir4 | x ing1 q i1 y i1 .
两点一刻，2个人，2号楼。
    l iang2 d ian3 | y i2 k e4 , l iang3 g e5 | r en2 , EE er4 h ao4 l ou2 .
第一个，十一个，一百一十一个。
    d i4 y i1 g e5 , sh ir2 y i1 g e5 , y i4 b ai3 y i1 sh ir2 | y i1 g e5 .
比分3:2，我们赢了。
    b i3 f en1 | s an1 b i3 EE er4 , w o3 m en5 | y ing2 | l e5 .
重要的音乐会在首都举行。
    zh ong4 y ao4 | d e5 | y in1 y ve4 h ui4 | z ai4 | sh ou3 d u1 | j v3 x ing2 .
这么长的头发，该剪了。
    zh e4 m e5 | ch ang2 | d e5 | t ou2 f a5 , g ai1 | j ian3 | l e5 .
那只猫像只小老虎。
    n a4 | zh ir1 | m ao1 | x iang4 | zh ir1 | x iao3 l ao2 h u3 .
好不好？是不是？差不多，来不及。
    h ao3 b u5 h ao3 ? sh ir4 b u5 sh ir4 ? ch a4 b u5 d uo1 , l ai2 b u5 j i2 .
你 好
    n i2 h ao3 .
ABC公司用GPT-4写代码。
    EY1 B IY2 S IY2 | g ong1 s i01 | y ong4 | JH IY1 P IY1 T IY1 | s i04 x ie3 | d ai4 m a3 .
我用WiFi下载了3个GB的文件, then I left at 7:30.
    w o3 y ong4 | W AY1 F AY2 | x ia4 z ai4 | l e5 | s an1 g e5 | JH IY1 B IY1 | d e5 | w en2 j ian4 , DH EH1
    N | AY1 | L EH1 F T | AE1 T | S EH1 V AH0 N | TH ER1 D IY2 .
"""

ENGLISH = """
Hello world.
    HH AH0 L OW1 | W ER1 L D .
This is a simple test, nothing more.
    DH IH1 S | IH1 Z | AH0 | S IH1 M P AH0 L | T EH1 S T , N AH1 TH IH0 NG | M AO1 R .
He bought 12,345 apples for $3.50!
    HH IY1 | B AA1 T | T W EH1 L V | TH AW1 Z AH0 N D | TH R IY1 | HH AH1 N D R AH0 D | F AO1 R T IY0 | F AY2
    V | AE1 P AH0 L Z | F AO1 R | TH R IY1 | D AA1 L ER0 Z | AH0 N D | F IH1 F T IY0 | S EH1 N T S !
The meeting starts at 15:30, don't be late.
    DH AH0 | M IY1 T IH0 NG | S T AA1 R T S | AE1 T | F IH0 F T IY1 N | TH ER1 D IY2 , D OW1 N T | B IY1 | L
    EY1 T .
I have 3/4 of a pie and 2 dogs.
    AY1 | HH AE1 V | TH R IY1 | K W AO1 R T ER0 Z | AH1 V | AH0 | P AY1 | AH0 N D | T UW1 | D AA1 G Z .
Dr. Smith visited Mr. Brown on the 21st of June.
    D AA1 K T ER0 | S M IH1 TH | V IH1 Z IH0 T IH0 D | M IH1 S T ER0 | B R AW1 N | AA1 N | DH AH0 | T W EH1 N
    T IY0 | F ER2 S T | AH1 V | JH UW1 N .
It costs £20 or 15%.
    IH1 T | K AA1 S T S | T W EH1 N T IY0 | P AW1 N D Z | AO1 R | F IH0 F T IY1 N | P ER0 S EH1 N T .
OpenAI's model is called GPT.
    OW1 P AH0 N EY1 AY1 Z | M AA1 D AH0 L | IH1 Z | K AO1 L D | JH IY1 P IY1 T IY1 .
A cat, an owl; and a zebra: all asleep.
    AH0 | K AE1 T , AE1 N | AW1 L , AH0 N D | AH0 | Z IY1 B R AH0 , AO1 L | AH0 S L IY1 P .
Wow... that is amazing!!!
    W AW1 … DH AE1 T | IH1 Z | AH0 M EY1 Z IH0 NG !
The temperature is 23.5 degrees.
    DH AH0 | T EH1 M P R AH0 CH ER0 | IH1 Z | T W EH1 N T IY0 | TH R IY2 | P OY1 N T | F AY1 V | D IH0 G R IY1
    Z .
She said "yes" to me.
    SH IY1 | S EH1 D | Y EH1 S | T UW1 | M IY1 .
James's book and the boss's chair.
    JH EY1 M Z IH0 Z | B UH1 K | AH0 N D | DH AH0 | B AO1 S IH0 Z | CH EH1 R .
I weigh 70kg and run 10km per hour.
    AY1 | W EY1 | S EH1 V AH0 N T IY0 | K IH1 L AH0 G R AE2 M Z | AH0 N D | R AH1 N | T EH1 N | K AH0 L AA1 M
    AH2 T ER0 Z | P ER1 | AW1 ER0 .
USA, NASA, IBM and AI.
    Y UW2 EH2 S EY1 , N AE1 S AH0 , AY1 B IY2 EH2 M | AH0 N D | EY1 AY1 .
e.g. this, i.e. that, etc.
    F AO1 R | IH0 G Z AE1 M P AH0 L | DH IH1 S , DH AE1 T | IH1 Z | DH AE1 T , EH2 T | S EH1 T ER0 AH0 .
It's 1999, not 2005.
    IH1 T S | N AY1 N T IY1 N | N AY1 N T IY0 | N AY1 N , N AA1 T | T UW1 | TH AW1 Z AH0 N D | F AY1 V .
A B C D E F G.
    EY1 | B IY1 | S IY1 | D IY1 | IY1 | EH1 F | JH IY1 .
Voice cloning needs five seconds of audio.
    V OY1 S | K L OW1 N IH0 NG | N IY1 D Z | F AY1 V | S EH1 K AH0 N D Z | AH1 V | AA1 D IY0 OW2 .
Wi-Fi and e-mail are hyphenated.
    W AY1 | F AY1 | AH0 N D | IY1 | M EY2 L | AA1 R | HH AY1 F AH0 N EY2 T IH0 D .
Number 1,000,000 is big.
    N AH1 M B ER0 | W AH1 N | M IH1 L Y AH0 N | IH1 Z | B IH1 G .
What? No! Yes, maybe.
    W AH1 T ? N OW1 ! Y EH1 S , M EY1 B IY0 .
Ok
    OW1 K EY1 .
Naïve café owners smile.
    N AY2 IY1 V | K AH0 F EY1 | OW1 N ER0 Z | S M AY1 L .
Their machinelearning textbook arrived on Monday.
    DH EH1 R | M AH0 SH IY1 N L ER1 N IH0 NG | T EH1 K S T B UH2 K | ER0 AY1 V D | AA1 N | M AH1 N D EY2 .
We went to the 3rd, 2nd and 1st floor.
    W IY1 | W EH1 N T | T UW1 | DH AH0 | TH ER1 D , S EH1 K AH0 N D | AH0 N D | F ER1 S T | F L AO1 R .
They record a new record.
    DH EY1 | R IH0 K AO1 R D | AH0 | N UW1 | R EH1 K ER0 D .
I have read it, and I will read it again.
    AY1 | HH AE1 V | R EH1 D | IH1 T , AH0 N D | AY1 | W IH1 L | R IY1 D | IH1 T | AH0 G EH1 N .
The old house used to be close.
    DH IY0 | OW1 L D | HH AW1 S | Y UW1 S T | T UW1 | B IY1 | K L OW1 S .
The apple and the pear
    DH IY0 | AE1 P AH0 L | AH0 N D | DH AH0 | P EH1 R .
Plan A works.
    P L AE1 N | EY1 | W ER1 K S .
Born in the 1990s on May 3, 2024.
    B AO1 R N | IH0 N | DH AH0 | N AY1 N T IY1 N | N AY1 N T IY0 Z | AA1 N | M EY1 | TH ER1 D , T W EH1 N T
    IY0 | T W EH1 N T IY0 | F AO2 R .
Call 555-123-4567.
    K AO1 L | F AY1 V | F AY1 V | F AY1 V , W AH1 N | T UW1 | TH R IY1 , F AO1 R | F AY1 V | S IH1 K S | S EH1
    V AH0 N .
Louis XIV, Henry VIII and Chapter IV
    L UW1 IH0 S | DH AH0 | F AO1 R T IY1 N TH , HH EH1 N R IY0 | DH IY0 | EY1 T TH | AH0 N D | CH AE1 P T ER0
    | F AO1 R .
SHE TOLD US IT IS RED
    SH IY1 | T OW1 L D | AH1 S | IH1 T | IH1 Z | R EH1 D .
the dogs' toys were podcasters'
    DH AH0 | D AO1 G Z | T OY1 Z | W ER1 | P AA1 D K AE2 S T ER0 Z .
Visit www.example.com today.
    V IH1 Z IH0 T | IH0 G Z AE1 M P AH0 L | D AA1 T | K AA1 M | T AH0 D EY1 .
-5°C is colder than 0.5.
    M AY1 N AH0 S | F AY1 V | D IH0 G R IY1 Z | S EH1 L S IY0 AH0 S | IH1 Z | K OW1 L D ER0 | DH AE1 N | Z IH1
    R OW0 | P OY1 N T | F AY1 V .
It grew from 10 to 20-30 times — or more
    IH1 T | G R UW1 | F R AH1 M | T EH1 N | T UW1 | T W EH1 N T IY0 | T UW1 | TH ER1 D IY2 | T AY1 M Z - AO1 R
    | M AO1 R .
yinse podcasts
    Y IH1 N S AH0 | P AA1 D K AE2 S T S .
"""


def readings(table: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for line in table.strip().splitlines():
        if line.startswith(" "):
            text, reading = found.pop()
            found.append((text, f"{reading} {line.strip()}".strip()))
        elif line:
            found.append((line, ""))
    return found


@pytest.mark.parametrize(("text", "reading"), readings(MANDARIN + ENGLISH))
def test_reading(text: str, reading: str) -> None:
    assert " ".join(phonemize(text).symbols[1:]) == reading
