"""Templates to pages: one Jinja environment a language, everything escaped, no name that is not given."""

from collections.abc import Mapping
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from wufeng.credit.offers import RUNS_TOLD, each_of, runs_of
from wufeng.web.assets import Asset
from wufeng.web.texts import HTML_LANGUAGES, LANGUAGES, translations


class Renderer:
    """Renders templates in each language."""

    def __init__(self, assets: Mapping[str, Asset]) -> None:
        self._environments = {language: _environment(language, assets) for language in LANGUAGES}

    def __call__(self, template: str, language: str, context: Mapping[str, Any]) -> str:
        """A page as text."""
        return self._environments[language].get_template(template).render(context)


def _environment(language: str, assets: Mapping[str, Asset]) -> Environment:
    environment = Environment(
        loader=PackageLoader("wufeng.web"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
        auto_reload=False,
    )
    environment.install_gettext_translations(translations(language), newstyle=True)  # type: ignore[attr-defined]
    environment.globals["language"] = language
    environment.globals["html_language"] = HTML_LANGUAGES[language]
    environment.globals["asset"] = lambda name: assets[name].url
    environment.globals.update(runs_of=runs_of, each_of=each_of, RUNS_TOLD=RUNS_TOLD)
    return environment
