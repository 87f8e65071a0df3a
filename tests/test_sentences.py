"""Sentence ends, acceptance rules and words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from impossible.text.sentence_boundaries import (
    find_sentence_end,
    first_sentence,
    rejection_reason,
    split_sentences,
    words,
)

FIRST = [
    ("It fell 3.5 points. Then it rose.", "It fell 3.5 points."),
    ("Dr. Lee met Mr. J. Smith. He left.", "Dr. Lee met Mr. J. Smith."),
    ("He met her in the U.S. Senate. Then he left.", "He met her in the U.S. Senate."),
    ("He lives in the U.S. The rest left.", "He lives in the U.S."),
    ("It opened at 5 p.m. EST on Nov. 9. Few came.", "It opened at 5 p.m. EST on Nov. 9."),
    ('"Why?" he asked. Nobody knew.', '"Why?" he asked.'),
    ('He said, "It is over." She left.', 'He said, "It is over."'),
    ("Really?! Yes.", "Really?!"),
    ("1. First things first. Second.", "1. First things first."),
    ("we used it . then we stopped .", "we used it ."),
    ("See Fig. 3 for details. End.", "See Fig. 3 for details."),
    ("He waited... and left. Gone.", "He waited... and left."),
    ("No end in sight", "No end in sight"),
    (" \tleading blanks go. x", "leading blanks go."),
    ("a line\nbreak. End.", "a line\nbreak."),
    ("It was I. They left.", "It was I."),
    ("", ""),
    ("...", "..."),
]


@pytest.mark.parametrize(("text", "expected"), FIRST)
def test_first_sentence(text: str, expected: str) -> None:
    assert first_sentence(text) == expected


#: Real English; a bar stands where a sentence ends and another begins.
ENGLISH = """
He paid the tab.| Then he left.
She ate a fig.| It was ripe.
The answer was no.| Nobody was surprised.
No.| The answer is wrong.
He lost his rep.| Then he left.
Wait a sec.| Anna is coming.
Ask the ref.| Players may not.
Modern art.| People love it.
Wait…| Then he left.
Wait… and see.| He left.
He waited...| Then he left.
He waited . . . and left.| She stayed.
"Well…" she said.| He left.
See Fig. 3 for details.| It is clear.
See Figs. 3 and 4.| They differ.
Fig. S2 shows this.| Table 1 does not.
As in Eq. (4), it holds.| Proof follows.
It is no. 5 on the list.| Nobody knows why.
No. 10 Downing Street is old.| It is small.
See Sec. 2.1 and Vol. IV of the works.| They agree.
See pp. 12-15 and p. 20.| They are short.
It lasted 5 min. 30 sec. in all.| Few stayed.
He is 6 ft. 2 in. tall.| She is taller.
It weighs 3 lb. 4 oz. exactly.| We checked.
It weighs 5 kg.| That is much.
It runs at 3.5 GHz.| Others are slower.
It rose 2.5%.| Analysts expected less.
It fell to $1.2 million.| Shares rose.
It cost €5.| Few paid.
Version 2.0.1 is out.| Get it.
Temperatures hit 40 °C.| Roads melted.
He came 1st.| She came 2nd.
Rep. Smith met Gov. Lee.| They agreed.
Gen. Grant and Col. Shaw met.| They shook hands.
Dr. A. B. Lee spoke.| Mrs. Wu listened.
J. I. Case built it.| J. A. Smith sold it.
J.K. Rowling wrote it.| He read it.
John F. Kennedy won.| Nixon lost.
He chose plan B.| It failed.
They need vitamin C.| The body stores little.
It was I.| They left.
He lives in St. Louis.| She lives on Main St.| They met once.
They climbed Mt. Everest.| It was cold.
He moved to the U.S.| Then he returned.
He met her in the U.S. Senate.| She won.
The U.S. is large.| China is larger.
She has a Ph.D. in physics.| He has none.
Apple Inc. rose.| Google fell.
He works at Apple Inc.| She does not.
Smith et al. found it.| Others did not.
It was found by Smith et al.| However, it failed.
We sell apples, pears, etc.| They are cheap.
Fruit (e.g. apples) is good.| Meat, i.e. beef, is not.
Use tools, e.g. Word, for this.| They help.
It was Roe v. Wade.| The court ruled.
It is England vs. France.| Both are good.
It opens at 9 a.m. on Mondays.| It closes at 5 p.m.| Then all leave.
It opens at 5 p.m. EST on Nov. 9.| Few came.
He was born on Jan. 5, 1990.| She was born in Feb.| They met later.
On Fri. Nov. 9 it rained.| Nobody came.
It ended on 12.05.2020.| Nobody knew.
It began in 1999.| In 2001 it ended.
Visit www.example.com.| It is free.
See https://example.com/a.html for more.| It is long.
Write to a.b@example.org.| We answer.
Edit main.py first.| Then run it.
"Why?" he asked.| Nobody knew.
"Go!" she cried.| They went.
He said, "It is over."| She left.
He said, “It is over.”| She left.
"It is over," he said.| "We go."| They went.
He asked, "Why?"| "Because," she said.
(It rained.)| They left.
It rained (see Fig. 3).| They left.
It rained (we think).| [They left.]
Really?!| Yes!| Good.
1. First things first.| 2. Second things second.
A. The cat sat.| B. It ran.
1) It works.| 2) It fails.
iv. It works.| It holds.
2.3. Methods are described.| They are short.
It came out — Mr. Lee knew.| He told us—Dr. Wu did not.
Henry VIII.| Elizabeth I followed.
Louis XIV. was king.| He died.
we used it .| then we stopped .
the dr. said no.| the patient left.
It is St. Mary's church.| It is old.
O'Brien lost.| D'Arcy won.
He has 3 cats.| 4 dogs live here.
Prof. Chen and Sgt. Pepper met Lt. Col. Ray.| They talked.
Sen. Warren asked Rep. Green.| Neither knew.
Rev. King spoke.| Fr. Brown listened.
Mr. and Mrs. Hall left.| Nobody stayed.
Messrs. Smith and Jones paid.| The bill was high.
Capt. Ahab sailed.| Adm. Nelson won.
Martin Luther King Jr. spoke.| Crowds listened.
Sammy Davis Jr. sang.| People cheered.
Acme Corp. rose 2%.| Beta Ltd. fell.
Acme Co. makes cars.| It is old.
She works for Acme Ltd.| He works for Beta LLC.
The firm, Smith & Co., closed.| It was small.
He joined Johnson & Johnson Inc. in May.| He left in June.
She lives on 5th Ave. near the park.| It is quiet.
They met on Sunset Blvd. at noon.| It was hot.
Turn left at Elm Rd. and stop.| It is there.
The U.K. left the E.U. in 2020.| Trade fell.
He flew to L.A. on Monday.| She stayed in D.C.| They called.
The U.N. Security Council met.| It voted.
The FBI and the C.I.A. disagreed.| Nobody won.
He holds a B.A. and an M.Sc. from Oxford.| She has an M.B.A.
It happened at 10:30 a.m. Tuesday.| Police came.
The store opens at 8 a.m.| It closes at 10 p.m.
It was 3 p.m.| The sun shone.
He died in 44 B.C. in Rome.| Others lived.
It dates from 500 A.D.| It is large.
Prices rose 3.2 percent in Jan. and fell in Feb.| They rose in March.
On Sept. 11, 2001, it began.| Nobody slept.
Due on Dec. 1.| Pay soon.
The vote was 52.3 to 47.7.| Few were surprised.
Pi is about 3.14159.| It is irrational.
It scored 4.5/5.| Critics agreed.
The IP address is 192.168.0.1.| Do not share it.
The ratio is 1:2.5.| It is fixed.
It cost $3.50.| He paid.
It cost 3,50 €.| She paid.
It cost £1.5bn.| The state paid.
It weighs 2.5 oz. in total.| It is light.
He ran 26.2 mi. in three hours.| He won.
He drove 60 m.p.h. in the rain.| She did not.
It is approx. 5 km away.| We walked.
There are max. 20 seats.| Come early.
The dept. of health agreed.| The city did not.
The govt. denied it.| Papers printed it.
Apt. 5 is empty.| Apt. 6 is not.
See ch. 3 and art. 5.| They are clear.
Ibid. p. 5 says so.| Few read it.
As Smith (cf. Jones 1999) says, it works.| We agree.
He is a.k.a. The Rock.| He acts.
Add 1 tsp. salt.| Stir well.
Is it true?| Yes.| It is.
What a day!| We won!
"Is it true?" she asked.| "Yes."| He nodded.
'Stop!' he said.| They stopped.
He said: "Wait."| They waited.
"I am here," he said, "and I stay."| She left.
She wrote "The End."| Then she slept.
He called it “art.”| Critics did not.
(See below.)| It is short.
It works (mostly).| It fails (rarely).
It failed (it was old.)| We fixed it.
He left; she stayed.| They met later.
It was red: very red.| It shone.
He came, e.g., by train.| She drove.
Visit example.com/a?b=1.| It works.
Mail info@example.com.| We answer.
Open report.pdf.| Read it.
Use Node.js or .NET here.| Both work.
Version 1.0 vs. 2.0 differs.| Choose one.
Room No. 5 is free.| Room no. 6 is not.
Henry V. died young.| His son ruled.
World War II. ended in 1945.| Peace came.
Chapter IV begins.| Chapter V ends.
Pope John Paul II died.| Many mourned.
Malcolm X spoke.| People heard.
He got an A. in math.| She got a B.
Give it to me.| I need it.
I think, therefore I am.| He agreed.
So did I.| He left.
• First point.| • Second point.
Dr. No is a film.| It is old.
It is 5 o'clock.| Tea is ready.
Rock 'n' roll lives.| It is loud.
He won the '90s.| Others lost.
It was 90° F. outside.| We stayed in.
Mt. Fuji and Ft. Worth are far.| We flew.
"""


def test_the_table_is_long() -> None:
    assert len(ENGLISH.strip().splitlines()) + len(FIRST) >= 150


@pytest.mark.parametrize("marked", ENGLISH.strip().splitlines())
def test_sentences_of_real_english(marked: str) -> None:
    expected = [sentence.strip() for sentence in marked.split("|")]
    assert split_sentences(marked.replace("|", "")) == expected


REASONS = [
    ("Prices rose.", ""),
    ("Did they?", ""),
    ("No.", ""),
    ("A.", "too_short"),
    ("", "too_short"),
    ("a\nb.", "newline"),
    ("Prices rose", "no_end"),
    ('He said "no."', "no_end"),
    ("He met Dr.", "no_end"),
    ("He met Rep.", "no_end"),
    ("It is in Fig.", "no_end"),
    ("He lost his rep.", ""),
    ("She ate a fig.", ""),
    ("The answer was no.", ""),
    ("Wait\u2026", "no_end"),
]


@pytest.mark.parametrize(("sentence", "reason"), REASONS)
def test_rejection_reason(sentence: str, reason: str) -> None:
    assert rejection_reason(sentence) == reason


def test_minimum_length_is_a_parameter() -> None:
    assert rejection_reason("No.", min_characters=4) == "too_short"


pieces = st.lists(
    st.sampled_from(
        ["The", "the", "Dr.", "U.S.", "p.m.", "Inc.", "J.", "cat", "3.5", "ran.", "ran?", '"No!"',
         "(a.)", "…", ".", "?", '"', "\n", "In", "Indiana", "I.", "No.", "fig.", "S2", "B.",
         "Wait\u2026", "Then", "Thenceforth"]
    ),
    max_size=12,
).map(" ".join)  # fmt: skip


@given(pieces, st.data())
def test_an_end_seen_while_decoding_is_final(text: str, data: st.DataObject) -> None:
    prefix = text[: data.draw(st.integers(0, len(text)))]
    early = find_sentence_end(prefix, final=False)
    assert early == -1 or early == find_sentence_end(text)


def test_words_treat_raw_and_tokenized_text_alike() -> None:
    assert words("Don\u2019t pay $1,200, he said.") == ["don't", "pay", "1,200", "he", "said"]
    assert words("he left .") == words("He left.")
    assert words("!?") == []
