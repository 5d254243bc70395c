"""What is ours in the accounts: who may sign up, and some words. django-allauth does the rest."""

from __future__ import annotations

from allauth.account.adapter import DefaultAccountAdapter
from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import gettext_noop as _

ALLAUTH_WORDS = (
    _("You cannot remove your primary email address."),
    _("You cannot remove your primary email address (%(email)s)."),
    _("Please type your current password."),
    _("You cannot add more than %d email addresses."),
    _("Too many failed login attempts. Try again later."),
    _("Your primary email address must be verified."),
    _("Username can not be used. Please use other username."),
    _("Please select only one."),
    _("The new value must be different from the current one."),
    _("Be patient, you are sending too many requests."),
    _("You must type the same password each time."),
    _("You must type the same email each time."),
    _("You have confirmed %(email)s."),
    _("You have signed out."),
    _("Please Confirm Your Email Address"),
    _("Your password has been changed."),
    _("In case you forgot, your username is %(username)s."),
    _("Thank you for using %(site_name)s!\n%(site_domain)s"),
    _(
        "You are receiving this email because you or someone else tried to signup for an\n"
        "account using email address:\n\n%(email)s\n\n"
        "However, an account using that email address already exists.  In case you have\n"
        "forgotten about this, please use the password forgotten procedure to recover\n"
        "your account:\n\n%(password_reset_url)s"
    ),
    _(
        "You're receiving this email because you or someone else has requested a password reset "
        "for your user account.\n"
        "It can be safely ignored if you did not request a password reset. Click the link below "
        "to reset your password."
    ),
    _(
        "If you do not recognize this change then please take proper security precautions "
        "immediately. The change to your account originates from:\n\n"
        "- IP address: %(ip)s\n- Browser: %(user_agent)s\n- Date: %(timestamp)s"
    ),
)
"""Sentences of allauth whose German is informal or wrong there. Listed here they are in the site's
own catalogue too, which goes before allauth's (Django, "How Django discovers translations")."""


class AccountAdapter(DefaultAccountAdapter):
    """Lets people sign up only where CHAT_SIGNUP is open."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return bool(settings.CHAT_SIGNUP_OPEN)
