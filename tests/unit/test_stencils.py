"""What is filled in is what its template would have made."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid4

import pytest
from django.template.loader import render_to_string
from django.utils import timezone, translation

from chat import fragments, stencils
from chat.blocks import BlockView
from chat.models import Conversation, Generation, Message
from chat.transcript import MessageView

HOSTILE = f'<b onclick="x">\'&amp;\n{stencils.NUMBER} {stencils.ID} {stencils.TEXT}'


@pytest.fixture(params=["en", "de"], autouse=True)
def language(request: pytest.FixtureRequest) -> Iterator[None]:
    with translation.override(request.param):
        yield


def render(template: str, **context: object) -> str:
    return render_to_string(f"chat/{template}", context)


@pytest.mark.parametrize("text", ["Where do herons nest?", HOSTILE])
def test_prompt(text: str) -> None:
    view = MessageView(Message(pk=12, role="user", text=text))
    items = render("_message.html", view=view)
    assert fragments.add_messages([view]) == f'<ol hx-swap-oob="beforeend:#messages">{items}</ol>'


@pytest.mark.parametrize("seq", [0, 1])
def test_new_answer(seq: int) -> None:
    generation = Generation(pk=7, created_at=timezone.now())
    view = MessageView(Message(pk=12, role="assistant"), generation, seq=seq)
    assert view.is_new and render("_message.html", view=view) in fragments.add_messages([view])


@pytest.mark.parametrize("markup", ["", "<p>Herons <em>wade</em></p>", f"<p>{stencils.NUMBER}</p>"])
def test_text(markup: str) -> None:
    block = render("_block.html", block=BlockView("text", html=markup), element_id="block-7-0")
    begun = fragments.add_text(fragments.NewText(12, "block-7-0"), markup)
    assert begun == f'<i hx-swap-oob="beforeend:#message-12-body">{block}</i>'


@pytest.mark.parametrize("generation_id", [None, 7])
def test_composer_actions(generation_id: int | None) -> None:
    whole = render("_composer_actions.html", running_id=generation_id, is_swapped=True)
    assert fragments.composer_actions(generation_id) == whole


@pytest.mark.parametrize("is_running", [True, False])
@pytest.mark.parametrize("title", ["Herons", HOSTILE])
def test_sidebar_item(title: str, is_running: bool) -> None:
    conversation = Conversation(pk=uuid4(), title=title)
    conversation.is_running = is_running  # type: ignore[attr-defined]
    whole = render(
        "_conversation.html", conversation=conversation, current=conversation, is_swapped=True
    )
    assert fragments.sidebar_item(conversation, is_running=is_running) == whole
