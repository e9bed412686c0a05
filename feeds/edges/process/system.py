"""The language and the time zone that this machine is set to."""

from collections.abc import Mapping

from feeds.config_types import Language, TimeZone

#: The variables of a locale, the strongest first (POSIX.1-2017, section 8.2).
_VARIABLES = ("LC_ALL", "LC_MESSAGES", "LANG")


def system_language(environ: Mapping[str, str]) -> Language:
    """Return the language of the locale, such as `ja` for `ja_JP.UTF-8`; English without one."""
    locale = next(filter(None, map(environ.get, _VARIABLES)), "").partition(".")[0].partition("@")[0]
    try:
        return Language.parse(locale.partition("_")[0])
    except ValueError:  # "" or "C"
        return Language("en")


def system_time_zone() -> str:
    """Return the name of the system's time zone in the IANA database; UTC if it is not known."""
    from tzlocal import get_localzone_name, reload_localzone

    try:
        reload_localzone()  # it keeps the zone of its first call, also if TZ has changed since
        return TimeZone.parse(get_localzone_name()).key
    except Exception:  # noqa: BLE001 - any setting of a machine that names no zone
        return "UTC"
