"""The German words: complete, with the same placeholders, and compiled; nothing is left English."""

from __future__ import annotations

import re
from pathlib import Path

import allauth
import pytest
from django.apps import apps
from django.db.models import Model
from django.utils import translation

from chat import errors
from chat.accounts import ALLAUTH_WORDS
from tests.po_files import GERMAN, ROOT, read_mo, read_po

ENTRIES = read_po(GERMAN)
PAIRS = [
    (original, text)
    for entry in ENTRIES
    for original, text in zip(entry.originals, entry.translations, strict=True)
]
MESSAGES = {entry.message for entry in ENTRIES}
ALLAUTH = Path(allauth.__file__).parent / "locale" / "de" / "LC_MESSAGES" / "django.po"
TEMPLATES = ROOT / "templates"
# The style guide is for whoever changes the page, in English alone.
# For those who program: the document that they show is in English, too.
UNSPOKEN = {TEMPLATES / f"chat/{name}.html" for name in ("api", "_api_members", "styleguide")}
SPOKEN_TEMPLATES = sorted(set(TEMPLATES.rglob("*.html")) - UNSPOKEN)

# What a translation has to keep: fields, the per cent sign, and tags.
KEPT = re.compile(r"%\(\w+\)s|%[sd%]|\{\w*\}|</?[a-z][^>]*>")
END = re.compile(r"[.?!:…]?\Z")
INFORMAL = re.compile(
    r"\b(du|dein\w*|dir|dich|gib|habe|wähle|lass|versuche|bestätige)\b", re.IGNORECASE
)
# Of allauth's templates those that the site has none of its own for.
ALLAUTH_PLACES = re.compile(r"(^| )(account/|templates/account/(messages|email)/)")

# What a template holds beside these are words that nobody translates.
TRANSLATED = re.compile(
    r"{#.*?#}|{% block (?:body_class|skip_target) %}.*?{% endblock"
    r"|{% blocktranslate\b.*?{% endblocktranslate %}|{%.*?%}|{{.*?}}"
    r"|<(kbd|code)>.*?</\1>|<[^>]*>",
    re.DOTALL,
)
SPOKEN = re.compile(r'\b(?:aria-label|placeholder|title|alt)="(?!{[{%]|")')


def tree(kind: type[errors.ChatError]) -> list[type[errors.ChatError]]:
    return [kind, *(below for sub in kind.__subclasses__() for below in tree(sub))]


def test_every_message_is_translated() -> None:
    assert [original for original, text in PAIRS if not text.strip()] == []


def test_no_translation_is_a_guess() -> None:
    assert [entry.message for entry in ENTRIES if entry.is_fuzzy] == []


def test_no_message_stands_twice() -> None:
    assert len(MESSAGES) == len(ENTRIES)


def test_translations_keep_the_placeholders() -> None:
    kept = [(sorted(KEPT.findall(one)), sorted(KEPT.findall(other))) for one, other in PAIRS]
    assert [pair for pair in kept if pair[0] != pair[1]] == []


def test_sentences_stay_sentences() -> None:
    assert [text for one, text in PAIRS if END.findall(one) != END.findall(text)] == []


def test_quotes_are_german() -> None:
    assert [text for _, text in PAIRS if '"' in KEPT.sub("", text)] == []
    assert [text for _, text in PAIRS if text.count("„") != text.count("“")] == []


def test_people_are_addressed_formally() -> None:
    assert [text for _, text in PAIRS if INFORMAL.search(text)] == []


def test_compiled_words_are_those_of_the_file() -> None:
    words = {"\0".join(entry.originals): "\0".join(entry.translations) for entry in ENTRIES}
    assert read_mo(GERMAN.with_suffix(".mo")) == words


# What a program's request has wrong, it is told in English.
@pytest.mark.parametrize(
    "error", [error for error in tree(errors.ChatError) if error is not errors.InvalidRequest]
)
def test_error_is_translated(error: type[errors.ChatError]) -> None:
    assert error.text in MESSAGES
    with translation.override("de"):
        assert translation.gettext(error.text) != error.text


@pytest.mark.parametrize("model", [*apps.get_app_config("chat").get_models()])
def test_model_has_german_names(model: type[Model]) -> None:
    def names(language: str) -> tuple[str, str]:
        with translation.override(language):
            return str(model._meta.verbose_name), str(model._meta.verbose_name_plural)

    english, german = names("en"), names("de")
    assert english[0] != german[0] and english[1] != german[1]


def test_plural_is_chosen() -> None:
    (entry,) = [e for e in ENTRIES if "%(seconds)s" in e.message and len(e.originals) > 1]
    with translation.override("de"):
        singular, plural = entry.originals
        one, two = (translation.ngettext(singular, plural, number) for number in (1, 2))
    assert "%(seconds)s Sekunde " in one and "%(seconds)s Sekunden " in two


@pytest.mark.parametrize(
    "path", SPOKEN_TEMPLATES, ids=lambda path: str(path.relative_to(TEMPLATES))
)
def test_template_says_nothing_untranslated(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    assert re.findall(r"[^\W\d_]{2,}", TRANSLATED.sub(" ", source)) == []
    assert SPOKEN.search(source) is None


def test_words_of_allauth_are_its_own() -> None:
    """A sentence that allauth does not say any more has to go, or to be written anew."""
    assert set(ALLAUTH_WORDS) - {entry.message for entry in read_po(ALLAUTH)} == set()


def test_allauth_is_informal_in_nothing_else() -> None:
    informal = {
        entry.message
        for entry in read_po(ALLAUTH)
        if ALLAUTH_PLACES.search(entry.places) and INFORMAL.search("".join(entry.translations))
    }
    assert informal - set(ALLAUTH_WORDS) == set()
