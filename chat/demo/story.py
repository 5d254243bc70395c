"""The long story: minutes of reading and half a minute of writing, so that Stop can be tried."""

from __future__ import annotations

from random import Random

from chat.demo.markdown import unwrap

_HEROES = ("Mira", "Tomas", "Ines", "Jonah", "Lena", "Rafael")
_TOWNS = ("Harrow Bay", "Saltmarsh", "Port Ellery", "Quince Harbour", "Kestrel Point")
_CLOCKS = ("the harbour clock", "the station clock", "the old tower clock", "the customs clock")

_CHAPTERS = (
    """## 1. The clock that was early

Every morning at six, {clock} of {town} struck seven. Nobody minded. The fishermen had long ago
agreed to be an hour late by it, the baker to be an hour early, and the schoolteacher, who liked
to be exact, carried a watch and said nothing. So it went for thirty-one years, until the spring
when {hero} came down from the hills with a bag of files and a letter that said, in a very small
hand, *please come and mend it, but do not tell anyone who asked*.

The letter was not signed. It smelled faintly of lamp oil.""",
    """## 2. A room above the bakery

{hero} took the room above the bakery because it was warm, and because its one window looked
straight at the clock. From there one could see what the street could not: that the minute hand
trembled before each step, as if it had to make up its mind.

"It has always done that," said the baker, who had brought a loaf and stayed for the view. "My
grandmother said it was thinking."

"Clocks do not think," said {hero}.

"No," said the baker, and cut the bread. "But they do wait. You will see."
""",
    """## 3. What was inside

The tower had ninety-four steps and a door that opened only for people who leaned on it kindly.
Behind it stood the movement, as large as a rowing boat and a good deal better kept. Somebody had
oiled it. Somebody had swept the floor. And somebody had left, on a nail beside the winding crank,
a list:

1. Wind on Mondays, forty turns, not more.
2. Oil the third wheel when it complains.
3. Never move the hands back. **Never.**
4. If a stranger comes, give them the chair.

There was indeed a chair. {hero} sat down in it and listened for the third wheel, which did not
complain.""",
    """## 4. The lamp keeper's daughter

On the fourth day a girl of about ten was sitting on the bottom step.

"You are the stranger," she said. "I am Odile. I oil the third wheel."

"Then you wrote the letter?"

"I can't write that small. My father did, before his eyes went. He keeps the lamp on the point.
He set the clock an hour ahead, and he has been sorry ever since, and he is too proud to say so
to the whole town." She thought about it. "Also, he is a little afraid of the baker."

{hero} sat down beside her. It was a good step, worn in the middle like a spoon.

"Why did he set it ahead?"

"So that one boat would come home before the storm," said Odile. "And it did.\"""",
    """## 5. Thirty-one years ago

It had been a clear morning, with a sky like the inside of a shell, and nobody would have believed
a warning. So the keeper did not warn anyone. He walked up the ninety-four steps and pushed the
hands forward by an hour, and when the clock struck noon at eleven, the boats turned for home, as
boats did then.

The storm came at half past twelve. It took the sea wall, two roofs and the weathercock. It did
not take a single boat.

He meant to set the clock back that very evening. But it is one thing to steal an hour from a
town, he found, and quite another to ask whether you may return it.

> An hour is a small thing to carry, he told his daughter once. It is only that you can never put
> it down.""",
    """## 6. The trouble with mending

There was, {hero} discovered, nothing wrong with the clock at all. The teeth were sharp, the
pendulum was true, and the trembling of the minute hand came from a swallow's nest behind the
dial, in which four swallows were being brought up on flies and bad manners.

So the work was not a matter of files and oil. It was a matter of an hour: where it had gone, who
had it, and whether the town would want it back.

{hero} made a table of everyone who lived by the clock, and what they would lose.

| Who | Lives by | Would lose |
| --- | --- | --- |
| The baker | an hour before it | the quiet hour at dawn |
| The fishermen | an hour after it | an excuse |
| The teacher | her own watch | nothing, and was sorry |
| The swallows | the sun | their nest |

It was not an easy table to argue with.""",
    """## 7. A meeting in the fish hall

They met on a Thursday, because the herring came on Wednesdays. {hero} stood on a crate and told
them everything except the name, and the fish hall became so quiet that one could hear the ice
melt.

"An hour," said the oldest of the fishermen at last. "I was on the *Marguerite* that day. I had a
wife at home, and a daughter three weeks old."

"I thought the clock was broken," said the baker slowly. "I thought I was the only one who had
noticed. I used that hour. I learned to make the good rolls in it."

Someone laughed, and then a good many people had something in their eye, which happens in fish
halls.

At the back, an old man with a white stick stood up. He had not been asked, and he did not need
the crate.""",
    """## 8. What the keeper said

"It was me," he said. "I am not sorry about the boats. I am sorry about the rest: that I let you
live by a wrong clock because I could not find a good sentence to begin with. I have looked for it
for thirty-one years. I think it was only *listen, I have something of yours*."

No one spoke. Then the teacher took off her watch, the exact one, and held it in her hand for a
while.

"I would like to propose," she said, "that we vote."

They voted by putting stones into two buckets. One bucket said **BACK** and the other said
**STAY**. It took a long time, because several people wished to know whether one might put in half
a stone.""",
    """## 9. Half a stone

The teacher allowed it. So the baker broke a pebble on the edge of the quay, and put one half into
each bucket, and was not the only one.

While they waited for the last of the stones, people told each other what they had done with an
hour that was not theirs. Someone had learned to play the accordion in it, and apologised. Someone
had walked to school with a child who was afraid of the dark, because in {town} it was never quite
dark at eight. An aunt had spent it asleep, every day, and regretted *nothing*.

{hero} counted twice and Odile counted a third time, out loud. There were eighty-one stones and
two halves for **BACK**, and eighty stones and two halves for **STAY**.

"That is close," said the old keeper.

"That," said the baker, "is a town."
""",
    """## 10. The longest night

They set the hands right at midnight, or rather, they stopped the pendulum at midnight and waited,
because the third rule on the nail said never to move them back, and rules on nails are there for
a reason. For one whole hour {clock} did not move, and the whole of {town} sat on the quay in
blankets and had an hour that belonged to nobody.

They spent it like this: the baker handed out rolls. The fishermen sang, badly. Odile slept
against her father's arm. The swallows, who had been moved to a box with a very good view, made
remarks. And {hero}, who had mended clocks in eleven towns and never stayed in one of them for
longer than a month, looked at the still hands and found that there was nowhere to be.

At one o'clock that was again midnight, the old keeper put his palm against the pendulum and let
it go.""",
    """## 11. Six o'clock

In the morning {clock} struck six at six. Three people fell out of bed. The baker, who had been
awake anyway, opened the window and listened to it, all six strokes, and then to the quiet that
followed.

A letter lay on {hero}'s table, in a large and careful hand that did not always stay on the line:

> Thank you for the chair. There is a room under the lamp with a better view than yours, and the
> third wheel has begun to complain. We could use somebody on Mondays.
> *Forty turns, not more.*

{hero} read it twice, put the files back into the bag, and the bag, after some thought, under the
bed.

Then there were ninety-four steps to climb, and for once, plenty of time. 🕰️

*The end.*""",
)


def long_story(chance: Random) -> str:
    """Return the story; the names vary."""
    names = {
        "hero": chance.choice(_HEROES),
        "town": chance.choice(_TOWNS),
        "clock": chance.choice(_CLOCKS),
    }
    return "\n\n".join(unwrap(chapter).format(**names).strip() for chapter in _CHAPTERS)


def short_story(chance: Random) -> str:
    """Return the beginning of the story, as a piece of its own."""
    return long_story(chance).split("\n\n## 2.")[0]
