"""Review of saved chats. Nobody edits or adds a saved message here; admins read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.db.models import Count, OuterRef, QuerySet, Subquery, Sum
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.formats import number_format
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from chat.models import AccessToken, Conversation, Generation, Message, User
from chat.transcript import load_messages

if TYPE_CHECKING:
    _ModelAdmin = admin.ModelAdmin[Conversation]
    _TokenModelAdmin = admin.ModelAdmin[AccessToken]
else:
    _ModelAdmin = _TokenModelAdmin = admin.ModelAdmin  # Generic in its stubs alone.

admin.site.register(User, UserAdmin)


class _ReadOnly:
    """Mixed into an admin of what nobody changes there."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class StatusFilter(admin.SimpleListFilter):
    """By the status of the newest answer, which is the one that the list shows."""

    title = _("status")
    parameter_name = "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(value, str(label)) for value, label in Generation.Status.choices]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[Conversation]
    ) -> QuerySet[Conversation]:
        # The stubs do not know what get_queryset adds.
        return queryset.filter(newest_status=self.value()) if self.value() else queryset  # type: ignore[misc]


class ModelFilter(admin.SimpleListFilter):
    """By the models that wrote the answers."""

    title = _("model")
    parameter_name = "model"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        names = Generation.objects.order_by("model").values_list("model", flat=True).distinct()
        return [(name, name) for name in names]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[Conversation]
    ) -> QuerySet[Conversation]:
        if not self.value():
            return queryset
        written = Generation.objects.filter(model=self.value()).values("conversation")
        return queryset.filter(pk__in=written)


@admin.register(Conversation)
class ConversationAdmin(_ReadOnly, _ModelAdmin):
    """The saved conversations, and a transcript of each."""

    list_display = (
        "title",
        "owner",
        "claude_model",
        "message_count",
        "tokens",
        "last_status",
        "updated_at",
    )
    list_filter = (StatusFilter, ModelFilter, "is_from_api", "updated_at")
    search_fields = ("title", "owner__username", "owner__email", "messages__text")
    search_help_text = _("Titles, owners, and the text of messages")
    date_hierarchy = "created_at"
    list_select_related = ("owner",)
    list_per_page = 50
    fields = ("title", "owner", "created_at", "updated_at", "tokens", "transcript")
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[Conversation]:
        generations = Generation.objects.filter(conversation=OuterRef("pk"))
        newest = generations.order_by("-pk")
        messages = Message.objects.filter(conversation=OuterRef("pk"))
        counts = messages.order_by().values("conversation")
        sums = generations.order_by().values("conversation")
        return (
            super()
            .get_queryset(request)
            .order_by("-updated_at")
            .annotate(
                messages_in_all=Subquery(counts.values(count=Count("pk"))),
                newest_model=Subquery(newest.values("model")[:1]),
                newest_status=Subquery(newest.values("status")[:1]),
                tokens_in=Subquery(sums.values(sum=Sum("input_tokens"))),
                tokens_out=Subquery(sums.values(sum=Sum("output_tokens"))),
            )
        )

    @admin.display(description=_("model"), ordering="newest_model")
    def claude_model(self, conversation: Any) -> str:
        return conversation.newest_model or ""

    @admin.display(description=_("messages"), ordering="messages_in_all")
    def message_count(self, conversation: Any) -> int:
        return int(conversation.messages_in_all or 0)

    @admin.display(description=_("tokens in / out"), ordering="tokens_out")
    def tokens(self, conversation: Any) -> str:
        counts = (conversation.tokens_in or 0, conversation.tokens_out or 0)
        return " / ".join(number_format(count, force_grouping=True) for count in counts)

    @admin.display(description=_("status"), ordering="newest_status")
    def last_status(self, conversation: Any) -> str:
        known = dict(Generation.Status.choices)
        return str(known.get(conversation.newest_status, ""))

    @admin.display(description=_("transcript"))
    def transcript(self, conversation: Conversation) -> SafeString:
        views, _older = load_messages(conversation, limit=None)
        return render_to_string("admin/chat/conversation/transcript.html", {"views": views})


@admin.register(AccessToken)
class AccessTokenAdmin(_ReadOnly, _TokenModelAdmin):
    """Who has which tokens. Their owners make and revoke them; nobody can read one again."""

    list_display = ("name", "owner", "scope", "ending", "created_at", "last_used_at")
    list_filter = ("scope", "last_used_at")
    search_fields = ("name", "owner__username", "owner__email", "ending")
    list_select_related = ("owner",)
    list_per_page = 50
    ordering = ("-pk",)
    # Without the digest.
    fields = list_display
