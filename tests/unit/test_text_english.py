"""English in context: each heteronym with the reading that its sentence asks for; words that no dictionary holds."""

from __future__ import annotations

import pytest

from yinse.text.english import pronounce, source_of
from yinse.text.homographs import read_words
from yinse.text.reading import Source

HETERONYMS = """
They abuse the rules. | abuse | AH0 B Y UW1 Z
The abuse must stop. | abuse | AH0 B Y UW1 S
We will ally with them. | ally | AH0 L AY1
She was my ally. | ally | AE1 L AY0
They attribute it to luck. | attribute | AH0 T R IH1 B Y UW2 T
One attribute of gold is its colour. | attribute | AE1 T R AH0 B Y UW2 T
Please close the door. | close | K L OW1 Z
We are close friends. | close | K L OW1 S
I can combine the two. | combine | K AH0 M B AY1 N
We must conduct a test. | conduct | K AH0 N D AH1 K T
His conduct was poor. | conduct | K AA1 N D AH0 K T
The reports conflict with the facts. | conflict | K AA1 N F L IH0 K T
They did not conflict. | conflict | K AH0 N F L IH1 K T
I tried to console her. | console | K AH0 N S OW1 L
The console was broken. | console | K AA1 N S OW2 L
I am content with that. | content | K AH0 N T EH1 N T
The content is new. | content | K AA1 N T EH0 N T
She will contest the result. | contest | K AH0 N T EH1 S T
He won the contest. | contest | K AA1 N T EH0 S T
They signed a contract. | contract | K AA1 N T R AE2 K T
You may contract a cold. | contract | K AH0 N T R AE1 K T
We must convert it. | convert | K AH0 N V ER1 T
He was a convict. | convict | K AA1 N V IH0 K T
They will convict him. | convict | K AH0 N V IH1 K T
A decrease of ten percent. | decrease | D IY1 K R IY2 S
Prices will decrease soon. | decrease | D IH0 K R IY1 S
The desert is hot. | desert | D EH1 Z ER0 T
He would never desert us. | desert | D IH0 Z ER1 T
I need time to digest that. | digest | D AY0 JH EH1 S T
She used the escort. | escort | EH1 S K AO0 R T
They will escort you. | escort | EH0 S K AO1 R T
Excuse me. | Excuse | IH0 K S K Y UW1 Z
That is no excuse. | excuse | IH0 K S K Y UW1 S
They export the goods. | export | IH0 K S P AO1 R T
The export of tea grew. | export | EH1 K S P AO0 R T
The house was old. | house | HH AW1 S
The shed can house two cars. | house | HH AW1 Z
We import the parts. | import | IH0 M P AO1 R T
The import of cars fell. | import | IH1 M P AO2 R T
Sales will increase. | increase | IH0 N K R IY1 S
An increase was seen. | increase | IH1 N K R IY2 S
Do not insult him. | insult | IH0 N S AH1 L T
That was an insult. | insult | IH1 N S AH2 L T
They invite the neighbours. | invite | IH0 N V AY1 T
A lead pipe burst. | lead | L EH1 D
She will lead the team. | lead | L IY1 D
They live in town. | live | L IH1 V
We heard live music. | live | L AY1 V
She lives here. | lives | L IH1 V Z
It saved many lives. | lives | L AY1 V Z
Wait a minute. | minute | M IH1 N AH0 T
In minute detail. | minute | M AY0 N UW1 T
I object to that. | object | AH0 B JH EH1 K T
A strange object fell. | object | AA1 B JH EH0 K T
It was perfect. | perfect | P ER1 F IH2 K T
I want to perfect it. | perfect | P ER0 F EH1 K T
You need a permit. | permit | P ER1 M IH2 T
They permit dogs. | permit | P ER0 M IH1 T
He gave me a present. | present | P R EH1 Z AH0 N T
I will present my work. | present | P R IY0 Z EH1 N T
He presents the news. | presents | P R IY0 Z EH1 N T S
The presents arrived. | presents | P R EH1 Z AH0 N T S
The farms produce milk. | produce | P R AH0 D UW1 S
Fresh produce is cheap. | produce | P R OW1 D UW0 S
They progress slowly. | progress | P R AH0 G R EH1 S
We made some progress. | progress | P R AA1 G R EH2 S
The project is late. | project | P R AA1 JH EH0 K T
We project the costs. | project | P R AH0 JH EH1 K T
They protest today. | protest | P R AH0 T EH1 S T
A protest was held. | protest | P R OW1 T EH2 S T
They read it often. | read | R IY1 D
I have read it. | read | R EH1 D
He was a rebel. | rebel | R EH1 B AH0 L
They will rebel. | rebel | R IH0 B EH1 L
We record the sound. | record | R IH0 K AO1 R D
A new record was set. | record | R EH1 K ER0 D
She recorded a song. | recorded | R IH0 K AO1 R D IH0 D
They refuse to go. | refuse | R AH0 F Y UW1 Z
The refuse collection is late. | refuse | R EH1 F Y UW2 Z
Send me your resume. | resume | R EH1 Z AH0 M EY2
We will resume at noon. | resume | R IH0 Z UW1 M
The subject is closed. | subject | S AH1 B JH IH0 K T
They subject him to tests. | subject | S AH0 B JH EH1 K T
We survey the land. | survey | S ER0 V EY1
The survey is done. | survey | S ER1 V EY2
I suspect foul play. | suspect | S AH0 S P EH1 K T
The suspect ran. | suspect | S AH1 S P EH2 K T
Do not tear it. | tear | T EH1 R
A tear fell. | tear | T IH1 R
We transfer the money. | transfer | T R AE0 N S F ER1
The transfer failed. | transfer | T R AE1 N S F ER0
They upset me. | upset | AH0 P S EH1 T
I use it. | use | Y UW1 Z
It is of no use. | use | Y UW1 S
They used to sing. | used | Y UW1 S T
He used a pen. | used | Y UW1 Z D
A strong wind blew. | wind | W IH1 N D
I must wind up the clock. | wind | W AY1 N D
The wound healed. | wound | W UW1 N D
She wound up the toy. | wound | W AW1 N D
He drew his bow and arrow. | bow | B OW1
They bow to the king. | bow | B AW1
He plays bass guitar. | bass | B EY1 S
He caught a bass in the lake. | bass | B AE1 S
The white dove flew. | dove | D AH1 V
She dove into the pool. | dove | D OW1 V
A separate room. | separate | S EH1 P ER0 AH0 T
I can not separate them. | separate | S EH1 P ER0 EY2 T
They estimate the cost. | estimate | EH1 S T AH0 M EY2 T
An estimate was made. | estimate | EH1 S T AH0 M AH0 T
She is a graduate. | graduate | G R AE1 JH AH0 W AH0 T
They will graduate. | graduate | G R AE1 JH AH0 W EY2 T
An appropriate word. | appropriate | AH0 P R OW1 P R IY0 AH0 T
The delegate spoke. | delegate | D EH1 L AH0 G AH0 T
You must delegate more. | delegate | D EH1 L AH0 G EY2 T
Moderate rain is likely. | Moderate | M AA1 D ER0 AH0 T
The aged man sat. | aged | EY1 JH AH0 D
A learned man spoke. | learned | L ER1 N AH0 D
She learned it. | learned | L ER1 N D
A Polish song. | Polish | P OW1 L IH0 SH
I polish my shoes. | polish | P AA1 L IH0 SH
"""

UNKNOWN = """
podcasters | P AA1 D K AE2 S T ER0 Z
rebooted | R IY0 B UW1 T IH0 D
livestreamed | L AY1 V S T R IY2 M D
cyberattack | S AY2 B ER0 AH0 T AE1 K
machinelearning | M AH0 SH IY1 N L ER1 N IH0 NG
James's | JH EY1 M Z IH0 Z
chatbot's | CH AE1 T B AA2 T S
podcast's | P AA1 D K AE2 S T S
GPUs | JH IY1 P IY1 Y UW1 Z
CEO's | S IY1 IY2 OW1 Z
FBI | EH1 F B IY1 AY1
NASA | N AE1 S AH0
UNESCO | Y UW0 N EH1 S K OW2
HTML | EY2 CH T IY2 EH2 M EH1 L
iPhone | AY1 F OW2 N
iCloud | AY1 K L AW1 D
PyTorch | P AY1 T AO2 R CH
DeepMind | D IY1 P M AY1 N D
GitHub | G IH1 T HH AH2 B
Wikipedia | W IH2 K AH0 P IY1 D IY0 AH0
unfollowers | AH0 N F AA1 L OW0 ER0 Z
googleable | G UW1 G AH0 L AH0 B AH0 L
can't | K AE1 N T
we've | W IY1 V
should've | SH UH1 D AH0 V
O'Brien's | OW0 B R AY1 IH0 N Z
"""


def rows(table: str) -> list[list[str]]:
    return [line.split(" | ") for line in table.strip().splitlines()]


@pytest.mark.parametrize(("sentence", "word", "phones"), rows(HETERONYMS))
def test_a_heteronym_is_read_by_its_place(sentence: str, word: str, phones: str) -> None:
    words = sentence.replace(",", "").rstrip(".").split()
    assert " ".join(read_words(words)[words.index(word)].phonemes) == phones


@pytest.mark.parametrize(("word", "phones"), rows(UNKNOWN))
def test_an_unknown_word_is_built(word: str, phones: str) -> None:
    assert " ".join(pronounce(word)) == phones


@pytest.mark.parametrize("day", ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"])
@pytest.mark.parametrize("ending", ["", "s", "'s"])
def test_days_end_alike(day: str, ending: str) -> None:
    assert " ".join(pronounce(day + ending)).endswith(" D EY2 Z" if ending else " D EY2")


@pytest.mark.parametrize(
    ("word", "source"),
    [
        ("apple", Source.DICTIONARY),
        ("GPU", Source.SPELLING),
        ("rebooted", Source.WORD_BUILDING),
        ("zimbleflorps", Source.GRAPHEME_MODEL),
    ],
)
def test_who_decided_is_told(word: str, source: Source) -> None:
    assert source_of(word) is source


def test_who_decided_in_context() -> None:
    words = ["They", "record", "it"]
    assert [reading.source for reading in read_words(words)] == [Source.DICTIONARY, Source.RULE, Source.DICTIONARY]
    given = read_words(words, forced={1: ("AH0",)})[1]
    assert (given.phonemes, given.source) == (("AH0",), Source.OVERRIDE)
