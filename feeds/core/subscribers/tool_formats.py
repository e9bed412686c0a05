"""The exports of other programs: by which columns each is recognised, and what its columns mean.

A table, so that a program is added by adding a row. Column names are written as `normalize_column` returns them.
"""

from collections.abc import Mapping

from feeds.core.subscribers.status_words import WORDS, StatusRule, coded, consented, gone, reason, refused
from feeds.model import Value


class ToolFormat(Value, frozen=True, kw_only=True):
    """The export of a program."""

    name: str
    #: Sets of columns, between spaces, that together occur in no other program's files; one set suffices.
    column_sets: tuple[str, ...]
    #: The columns that give the status, by name.
    status: Mapping[str, StatusRule] = {}
    #: Columns that are stored as evidence of consent, and how they are named there.
    evidence: Mapping[str, str] = {}
    #: Columns, between spaces, whose names speak of a status, but which do not decide it.
    harmless: str = ""
    #: The status of each row without a worse one; some lists are exported without a status.
    every_row: str = "active"
    #: True if its users name fields of their own: a usual name, such as Status, may then mean anything.
    has_own_fields: bool = False
    #: A text for the operator.
    note: str = ""
    #: Where the columns and their values are documented.
    source: str = ""


_SUBSCRIBED, _UNSUBSCRIBED = consented("unsubscribed"), gone("unsubscribed")
_CONFIRMED = consented("pending")
_MAILCHIMP_EVIDENCE = {
    "optintime": "signed up",
    "optinip": "from",
    "confirmtime": "confirmed",
    "confirmip": "from",
    "unsubtime": "unsubscribed",
    "unsubreason": "because",
    "cleantime": "bounced",
}

_WORD_COLUMNS = """
    status subscriberstatus emailsubscriberstatus emaildeliverabilitystatus subscriptionstatus subscribestatus
    emailstatus contactstatus liststatus globalstatus mailingstatus newsletterstatus emailmarketingstatus
    marketingstatus emailpermissionstatus permissiontosend emailsubscription emailsubscriptionstatus
    subscriptionstate subscriberstate emailmarketingconsent emailmarketingconsentstate optinstatus statut
    estatus statuss stav статус ステータス 状態 购读状态 订阅状态 訂閱狀態 状态 狀態 상태 구독상태
"""
_SUBSCRIBED_COLUMNS = """
    subscribed issubscribed subscribedtoemails emailsubscribed emailconsent marketingconsent consentgiven
    hasconsent consented optin optedin isoptedin emailoptin emailoptedin marketingoptin newsletteroptin
    newsletteroptedin newslettersubscribed subscribednewsletter subscribedtonewsletter emailmarketing
    acceptsmarketing acceptsemailmarketing acceptsemail acceptsnewsletter allowemail active isactive enabled
    isenabled subscribe gdprconsent newsletterconsent abonniert einwilligung aktiv actif activo ativo attivo
    suscrito inscrito iscritto 購読 订阅
"""
_GONE_COLUMNS: Mapping[str, str] = {
    "unsubscribed": """
        unsubscribed isunsubscribed unsubscribe unsubscribes unsubscribedfromallemail hasunsubscribed
        globallyunsubscribed optedout isoptedout optout emailoptout emailoptedout hsemailoptout
        hasoptedoutofemail emaildisabled disabled isdisabled inactive isinactive deleted isdeleted removed
        cancelled canceled suppressed issuppressed blacklisted isblacklisted emailblacklisted emailblacklist
        blacklist blocklisted isblocklisted emailblocklisted blocklist blocked isblocked emailblocked
        donotcontact donotemail donotmail donotsend dnc dncemail noemail banned emailoptoutdate
        confirmedoptoutdate stopdate stoptime unsubtime unsubscribedat unsubscribedon unsubscribedate
        unsubscribeddate unsubscribetime unsubscribedtime unsubscriptiondate dateunsubscribed optouttime
        optoutdate optedoutat optedouton deletedat deleteddate removedat cancelledat canceledat blockedat
        suppressedat blacklistedat blocklistedat leftat abgemeldet abgemeldetam abmeldedatum gesperrt desinscrit
        desabonne datededesinscription desuscrito baja fechadebaja descadastrado disiscritto uitgeschreven
        afgemeld wypisany отписан 退会 退会日 配信停止 配信停止日 退订 수신거부
    """,
    "bounced": """
        bounced isbounced hardbounced ishardbounced hardbounce bouncedat bouncedon bouncedate bounceddate
        cleantime cleaned undeliverable undeliverabilitydate invalid isinvalid invalidemail invalidemailaddress
    """,
    "complained": """
        complained iscomplained complainedat complainedon complaintdate spamcomplaint markedasspam spamreport
    """,
}
_REASON_COLUMNS: Mapping[str, str] = {
    "unsubscribed": """
        unsubscribereason unsubscribedreason emailoptoutreason emailoptoutsource unsubscriptionreason
        optoutreason suppressionreason
    """,
    "bounced": """
        bouncereason hardbouncereason emailhardbouncereason emailsuppressions bouncetype bouncemessage
    """,
}


def _by_column(columns: str, rule: StatusRule) -> dict[str, StatusRule]:
    return dict.fromkeys(columns.split(), rule)


#: Columns with usual names, for files of unknown programs.
PLAIN = ToolFormat(
    name="plain",
    column_sets=("",),
    status={
        **_by_column(_WORD_COLUMNS, coded({"yes": "active", "no": "unsubscribed"})),
        **_by_column(_SUBSCRIBED_COLUMNS, _SUBSCRIBED),
        **_by_column("consent newsletters newsletter", refused("unsubscribed")),
        **_by_column("confirmed isconfirmed verified isverified emailconfirmed emailverified bestatigt", _CONFIRMED),
        **{name: gone(status) for status, listed in _GONE_COLUMNS.items() for name in listed.split()},
        **{name: reason(status) for status, listed in _REASON_COLUMNS.items() for name in listed.split()},
    },
    evidence=_MAILCHIMP_EVIDENCE,
    harmless="maritalstatus familystatus orderstatus paymentstatus leadstatus lifecyclestage numberofbounces "
    "bouncecount softbouncecount",
)

TOOL_FORMATS = (
    ToolFormat(
        name="feeds",
        column_sets=("email status newsletters topics consent",),
        status={"status": WORDS},
        harmless="consent newsletters",
    ),
    ToolFormat(
        name="listmonk",
        column_sets=("uuid email attributes status",),
        status={"status": WORDS, "subscriptionstatus": WORDS},
        note="listmonk's export has no unsubscribes from single lists: export the list with "
        "?subscription_status=confirmed, or remove its unsubscribed members by hand",
        source="cmd/subscribers.go, ExportSubscribers; a status is enabled, disabled or blocklisted. Issues 738, 2855",
    ),
    # The status is only in the file's name. An audience field may be named Status and mean anything.
    ToolFormat(
        name="mailchimp",
        column_sets=("leid euid",),
        status={"unsubtime": gone("unsubscribed"), "cleantime": gone("bounced")},
        evidence=_MAILCHIMP_EVIDENCE,
        has_own_fields=True,
        harmless="unsubcampaigntitle unsubcampaignid unsubreasonother cleancampaigntitle cleancampaignid",
        source="file names such as cleaned_members_export_0f.csv, as scripts in public repositories expect them",
    ),
    ToolFormat(
        name="ghost",
        column_sets=("email subscribedtoemails complimentaryplan", "email subscribedtoemails stripecustomerid"),
        status={"subscribedtoemails": _SUBSCRIBED, "deletedat": _UNSUBSCRIBED, "emaildisabled": _UNSUBSCRIBED},
        source="members-csv/lib/unparse.js",
    ),
    # Subscribers who came back keep the date of their unsubscribe, so the type decides.
    ToolFormat(
        name="buttondown",
        column_sets=("subscribertype", "emailaddress type creationdate", "email type creationdate"),
        status={"subscribertype": coded({"blocked": ""}), "type": coded({"blocked": ""})},
        evidence={"source": "by way of", "ipaddress": "from", "unsubscriptiondate": "unsubscribed"},
        harmless="unsubscriptionreason undeliverabilitydate undeliverabilityreason",
        source="enums.json of github.com/buttondown/openapi; docs.buttondown.com/api-subscribers-type",
    ),
    # A row for each list of a person; the first status is that on the list, the second that on all lists.
    ToolFormat(
        name="mailpoet",
        column_sets=("email liststatus", "email globalstatus"),
        status={"liststatus": WORDS, "globalstatus": WORDS},
        evidence={"subscriptiontime": "signed up", "subscriptionip": "from", "confirmationtime": "confirmed"},
        harmless="confirmationip",
        source="lib/Subscribers/ImportExport/ImportExportFactory.php; quotation marks have a backslash (Export.php)",
    ),
    ToolFormat(
        name="phplist",
        column_sets=(
            "email isthissubscriberconfirmed",
            "email isthissubscriberblacklisted",
            "email didthissubscribermanuallyconfirm",
        ),
        status={
            "isthissubscriberconfirmed": _CONFIRMED,
            "isthissubscriberblacklisted": _UNSUBSCRIBED,
            "isthisaccountdisabled": _UNSUBSCRIBED,
        },
        harmless="numberofbounces didthissubscribermanuallyconfirm",
        source="public_html/lists/admin/structure.php and actions/export.php",
    ),
    ToolFormat(
        name="kit",
        column_sets=("emailaddress firstname state createdat",),
        status={"state": WORDS},
        source="help.kit.com: subscribers are confirmed, unconfirmed, cancelled, cold, bounced or complained",
    ),
    ToolFormat(
        name="campaign monitor",
        column_sets=(
            "emailaddress state consenttotrack",
            "emailaddress state readsemailwith",
            "emailaddress listjoineddate",
        ),
        status={"state": WORDS},
        harmless="consenttotrack consenttosendsms",
        source="campaignmonitor.com/api: active, unconfirmed, unsubscribed, bounced, deleted",
    ),
    ToolFormat(
        name="brevo",
        column_sets=("email emailblacklisted",),
        status={"emailblacklisted": _UNSUBSCRIBED},
        source="developers.brevo.com: emailBlacklisted of a contact; EMAIL_BLACKLISTED in its exports",
    ),
    # People who only left one kind of mail have no other sign than that they are on this list.
    ToolFormat(
        name="hubspot opt-outs",
        column_sets=("portalunsubscribe portalbounce", "portalunsubscribe portalspamreport"),
        status={
            "portalbounce": reason("bounced"),
            "globalbounce": reason("bounced"),
            "portalspamreport": gone("complained"),
            "portalunsubscribe": _UNSUBSCRIBED,
        },
        every_row="unsubscribed",
        source="knowledge.hubspot.com: export of unsubscribes and bounces",
    ),
    ToolFormat(
        name="hubspot",
        column_sets=("email unsubscribedfromallemail", "email recordid marketingcontactstatus"),
        status={
            "unsubscribedfromallemail": _UNSUBSCRIBED,
            "emailhardbouncereason": reason("bounced"),
            "invalidemailaddress": gone("bounced"),
        },
        harmless="marketingcontactstatus marketingcontactstatussource leadstatus lifecyclestage",
        source="knowledge.hubspot.com: default contact properties",
    ),
    ToolFormat(
        name="shopify",
        column_sets=("email acceptsemailmarketing", "email acceptsmarketing totalspent", "email acceptsmarketing tags"),
        status={"acceptsemailmarketing": _SUBSCRIBED, "acceptsmarketing": _SUBSCRIBED},
        source="help.shopify.com: customer CSV files; yes or no",
    ),
    ToolFormat(
        name="squarespace",
        column_sets=("emailaddress subscriberstatus", "emailaddress subscribedon mailinglists"),
        status={"subscriberstatus": WORDS},
        source="support.squarespace.com: mailing lists",
    ),
    ToolFormat(
        name="jetpack",
        column_sets=("email subscriptionstatus datesubscribed", "email emailsubscription"),
        status={"subscriptionstatus": WORDS, "emailsubscription": WORDS},
        source="wordpress.com/support/subscribers: subscribed, not subscribed, not confirmed, not sending",
    ),
    # The reasons of Mautic's table of do-not-contact entries: unsubscribed, bounced, by hand.
    ToolFormat(
        name="mautic",
        column_sets=("email dncemail", "email donotcontact lastactive"),
        status={
            "dncemail": coded({"0": "active", "1": "unsubscribed", "2": "bounced", "3": "unsubscribed"}),
            "donotcontact": _UNSUBSCRIBED,
        },
        source="github.com/mautic/mautic, issue 3845; Mautic exports it in reports only (issue 11679)",
    ),
    ToolFormat(
        name="mailtrain",
        column_sets=("cid email status",),
        status={"status": coded({"1": "active", "2": "unsubscribed", "3": "bounced", "4": "complained"})},
        source="server/routes/subscriptions.js (words); shared/lists.js (numbers, as its API writes them)",
    ),
    # Two lists of addresses that a relay does not send to any more: none of them becomes a subscriber.
    ToolFormat(
        name="amazon ses",
        column_sets=("emailaddress reason lastupdatetime", "email reason lastupdatetime"),
        status={"reason": WORDS},
        every_row="bounced",
        source="docs.aws.amazon.com/ses: account-level suppression list; a reason is BOUNCE or COMPLAINT",
    ),
    ToolFormat(
        name="sendgrid",
        column_sets=("email created reason status",),
        every_row="bounced",
        harmless="status reason",
        source="www.twilio.com/docs/sendgrid/api-reference/bounces-api",
    ),
    ToolFormat(
        name="substack",
        column_sets=("email activesubscription emaildisabled",),
        status={"emaildisabled": _UNSUBSCRIBED},
        harmless="activesubscription",
        source="the export of Substack's subscriber page",
    ),
    PLAIN,
)
