"""What the sign-in pages ask: is there another way in?"""

from django import template

from orgs.sso import provider

register = template.Library()


@register.simple_tag
def single_sign_on() -> bool:
    return provider.is_configured()
