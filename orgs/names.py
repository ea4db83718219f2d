"""Which names nobody can have: short names that are the platform's own, and domains of mail providers."""

import re
import unicodedata

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

DOMAIN = r"^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]*[a-z0-9]$"
SLUG = r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$"

_RESERVED = """
account accounts admin api app assets auth autoconfig autodiscover billing blog cdn dashboard dev docs email
events ftp happening help imap invites keycloak live localhost login mail media metrics mx ns1 ns2 oidc orgs
pop postmaster root smtp sso static status support test webmail www
"""
_PROVIDERS = """
126.com 163.com aol.com att.net bluewin.ch btinternet.com comcast.net duck.com email.com fastmail.com
fastmail.fm free.fr freenet.de gmail.com gmx.at gmx.ch gmx.com gmx.de gmx.net googlemail.com hey.com
hotmail.co.uk hotmail.com hotmail.de hotmail.fr hotmail.it hushmail.com icloud.com laposte.net libero.it
live.com live.de live.nl mac.com mail.com mail.de mail.ru mailbox.org mailfence.com mailinator.com me.com
msn.com naver.com orange.fr outlook.com outlook.de outlook.fr pm.me posteo.de proton.me protonmail.ch
protonmail.com qq.com rocketmail.com runbox.com seznam.cz sfr.fr t-online.de tuta.com tutanota.com
verizon.net wanadoo.fr web.de wp.pl yahoo.co.uk yahoo.com yahoo.de yahoo.fr yandex.com yandex.ru ymail.com
zoho.com
"""

RESERVED_SLUGS = tuple(_RESERVED.split())  # in the database too: `organization_slug_is_not_reserved`
# At these anybody has an address, so that having one says nothing about where somebody belongs.
MAIL_PROVIDERS = frozenset(_PROVIDERS.split())


# Letters and signs, as Unicode has it, of which nothing is seen; and what turns the direction of reading.
_BLANK = frozenset("\u115f\u1160\u2800\u3164\uffa0")
_TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def validate_visible(name: str) -> None:
    """Raises ValidationError for a name of which nothing can be seen, or that changes how others are read."""
    shown = [sign for sign in name if unicodedata.category(sign)[0] in "LNPS" and sign not in _BLANK]
    upsetting = [sign for sign in name if sign in _TURNING or unicodedata.category(sign) in ("Cc", "Cs")]
    if not shown or upsetting:
        raise ValidationError(_("Write a name that people can see and read."))


def validate_slug(slug: str) -> None:
    """Raises ValidationError for what is no short name, and where it is the platform's own."""
    if not re.fullmatch(SLUG, slug):
        raise ValidationError(
            _("Write a short name of small letters, digits and hyphens, such as acme-works.")
        )
    if slug in RESERVED_SLUGS:
        raise ValidationError(
            _("“%(slug)s” is a name that the platform uses itself. Choose another."), params={"slug": slug}
        )


def validate_domain(domain: str) -> None:
    """Raises ValidationError for what is no domain, and for a mail provider's or anything below one."""
    if not re.fullmatch(DOMAIN, domain):
        raise ValidationError(_("Write a domain such as events.example.org, and nothing before or after it."))
    labels = domain.split(".")
    if any(".".join(labels[start:]) in MAIL_PROVIDERS for start in range(len(labels))):
        raise ValidationError(
            _("%(domain)s belongs to everybody who has their mail there. Use a domain of your own."),
            params={"domain": domain},
        )
