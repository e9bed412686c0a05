"""Make the sign-up form that the editor copies into a static site."""

from collections.abc import Sequence

from feeds.config import Config
from feeds.core.subscribers import signup_snippets
from feeds.errors import FeedsError
from feeds.jobs.site import Site
from feeds.jobs.subscribers.sign_up import offered_newsletters


def make_snippet(config: Config, newsletters: Sequence[str], lang: str | None, *, as_link: bool) -> str:
    """Return the form, or a link, in a language, by default the site's; *newsletters* are chosen in it.

    Raises:
        FeedsError: `web.url` is not set, the page does not offer a newsletter, or there are no texts in the language.
    """
    site = Site(config)
    if config.settings.web.url is None:
        raise FeedsError(f"{config.path}: web.url is not set: write the address of the pages that `feeds serve` serves")
    offered = [one.name for one in offered_newsletters(site)]
    for name in newsletters:
        if name not in offered:
            raise FeedsError(f"the sign-up page does not offer {name!r}; it offers: {', '.join(offered) or 'nothing'}")
    if lang and not site.templates.has_texts(lang):
        raise FeedsError(f"--lang: there are no texts in {lang!r}; use one of: {', '.join(site.templates.languages())}")
    texts = site.texts(preferred=lang)
    page = f"{config.settings.web.url}subscribe"
    if as_link:
        return signup_snippets.signup_link(page, newsletters, texts.plain)
    return signup_snippets.signup_form(page, newsletters, texts.plain, texts.lang)
