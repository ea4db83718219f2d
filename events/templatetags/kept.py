"""Parts of pages that are kept, and the gaps in what is kept (`events.keeping`):

{% kept "about" event %} ... {% fresh %} {{ counted }} {% endfresh %} ... {% endkept %}

Inside stands only what depends on what is named, but for what stands in `fresh`.
"""

from django import template
from django.utils.safestring import SafeString

from events import keeping

register = template.Library()


@register.tag
def kept(parser, token):
    _tag, name, *values = token.split_contents()
    inside = parser.parse(("endkept",))
    parser.delete_first_token()
    return Kept(name, [parser.compile_filter(value) for value in values], inside)


@register.tag
def fresh(parser, token):
    inside = parser.parse(("endfresh",))
    parser.delete_first_token()
    return keeping.Fresh(inside)


class Kept(template.Node):
    child_nodelists = ()  # no page extends what stands inside, so looking for its blocks can stop here

    def __init__(self, name: str, values: list, nodelist):
        self.name, self.values, self.nodelist = name, values, nodelist
        if nodelist.get_nodes_by_type(Kept):
            raise template.TemplateSyntaxError("What is kept is kept as a whole: no kept inside of kept.")

    def render(self, context) -> SafeString:
        depends_on = [value.resolve(context) for value in self.values]
        return keeping.keep(self.name, depends_on, context, lambda: self.nodelist.render(context))
