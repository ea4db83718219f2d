"""What a process loads once, loaded before anybody waits for it.

The first page reads templates, routes and what they import. In front of a crowd thirty threads would each
read the same at once: everybody waited four seconds for a tenth of a second's work.
"""

from pathlib import Path

from django.template import engines
from django.template.loader import get_template
from django.urls import reverse


def warm_up() -> None:
    """Load the templates of our pages, and the routes.

    Raises:
        TemplateSyntaxError: rather now than on somebody's page.
    """
    for directory in engines["django"].engine.dirs:
        for path in Path(directory).rglob("*.html"):
            get_template(path.relative_to(directory).as_posix())
    reverse("event_list")
