"""The words for a subscriber's status in the exports of other programs, in many languages, and what a cell means.

A word that is missing here is never taken for "active": its row is rejected. So the words for people who are gone
matter less than they seem to, and the list may grow by what operators report.
"""

import re
from collections.abc import Mapping

from feeds.core.subscribers.csv_values import normalize_column
from feeds.model import GONE_STATUSES, Value

#: The status of a row without one, then those that outweigh it, the strongest last.
STATUSES = ("active", "pending", *GONE_STATUSES)


def _index(words: Mapping[str, str]) -> Mapping[str, str]:
    """Return the status of each word, as `normalize_column` writes it; *words* has them by status, between commas."""
    return {
        normalize_column(word): status
        for status, listed in words.items()
        for word in re.split("[,\n]", listed)
        if word.strip()
    }


#: By word; "" is a person who never subscribed.
STATUS_WORDS: Mapping[str, str] = _index(
    {
        "active": """
            active, subscribed, enabled, confirmed, verified, opted in, opt-in, valid, express, implied,
            explicit, implicit, regular, premium, trialed, gifted, churning, paused, past due, aktiv, abonniert,
            angemeldet, bestätigt, eingetragen, actif, active, abonné, abonnée, inscrit, inscrite, confirmé,
            confirmée, activo, activa, suscrito, suscrita, suscripto, suscripta, confirmado, confirmada, ativo,
            ativa, inscrito, inscrita, subscrito, assinante, attivo, attiva, iscritto, iscritta, confermato,
            confermata, actief, ingeschreven, aangemeld, geabonneerd, bevestigd, prenumererar, tilmeldt, påmeldt,
            tilaaja, aktiivinen, aktywny, zapisany, zapisana, potwierdzony, aktivní, přihlášen, přihlášena,
            aktif, abone, активен, активный, подписан, подписана, подтвержден, підписаний, активний, 購読中,
            有効, 登録済み, 登録中, 配信中, アクティブ, 已订阅, 已訂閱, 活跃, 有效, 구독중, 구독, 활성
        """,
        "pending": """
            pending, unconfirmed, not confirmed, unactivated, unverified, unpaid, needs approval, validating,
            waiting, awaiting confirmation, pending confirmation, double opt-in pending, temporary hold,
            temp hold, unbestätigt, nicht bestätigt, ausstehend, wartend, en attente, non confirmé,
            non confirmée, pendiente, sin confirmar, no confirmado, pendente, não confirmado, in attesa,
            non confermato, in afwachting, onbevestigd, niet bevestigd, oczekujący, niepotwierdzony,
            čeká na potvrzení, nepotvrzený, ожидает, не подтвержден, неподтвержден, 未確認, 確認待ち, 仮登録,
            保留中, 待确认, 未确认, 待確認, 대기중, 미확인
        """,
        "unsubscribed": """
            unsubscribed, not subscribed, opted out, opt-out, disabled, blocklisted, blacklisted, suppressed,
            removed, archived, deleted, blocked, inactive, cancelled, canceled, declined, left, gone, do not contact,
            do not email, abgemeldet, abbestellt, ausgetragen, inaktiv, gekündigt, gesperrt, gelöscht,
            widerrufen, nicht abonniert, désabonné, désabonnée, désinscrit, désinscrite, inactif, inactive,
            annulé, supprimé, bloqué, dado de baja, dada de baja, baja, cancelado, cancelada, desuscrito,
            desuscrita, inactivo, eliminado, bloqueado, descadastrado, descadastrada, inativo, removido,
            não inscrito, disiscritto, disiscritta, cancellato, cancellata, annullato, inattivo, bloccato,
            uitgeschreven, afgemeld, opgezegd, geannuleerd, inactief, geblokkeerd, avregistrerad, avprenumererad,
            afmeldt, frameldt, avmeldt, peruutettu, poistunut, wypisany, wypisana, zrezygnował, nieaktywny,
            odhlášen, odhlášena, neaktivní, abonelikten çıktı, pasif, отписан, отписана, отписался, отписалась,
            неактивен, удален, заблокирован, відписаний, відписався, 退会, 退会済み, 解除, 解除済み, 登録解除,
            購読解除, 配信停止, 停止, 停止中, 無効, 退订, 已退订, 取消订阅, 已取消订阅, 退訂, 已退訂, 取消訂閱,
            已取消訂閱, 수신거부, 구독취소, 구독해지, 해지, 탈퇴, 비활성
        """,
        "bounced": """
            bounced, bounce, hard bounced, hard bounce, soft bounced, soft bounce, cleaned, undeliverable,
            invalid, spammy, malformed, not sending, dead, unzustellbar, ungültig, zurückgewiesen, rebond,
            rejeté, invalide, rebotado, rebotada, inválido, devolvido, rimbalzato, non valido, onbestelbaar,
            gebounced, ongeldig, odrzucony, nedoručitelný, недоставлен, недействителен, 不達, エラー, 配信エラー,
            バウンス, 退信, 无效, 弹回, 반송, 반송됨
        """,
        "complained": """
            complained, complaint, spam, spam complaint, spam report, reported spam, marked as spam, abuse,
            beschwerde, plainte, queja, reclamação, reclamo, klacht, жалоба, 苦情, 迷惑メール, 投诉
        """,
        "": """
            non-subscribed, never subscribed, transactional, disposable
        """,
    }
)
#: The beginnings of words for people who are gone, such as "Unsubscribed (Admin)" and "Bounced: mailbox full".
_GONE_BEGINNINGS = {
    **dict.fromkeys(["unsub", "optedout", "optout", "cancel", "delete", "blacklist", "blocklist"], "unsubscribed"),
    **dict.fromkeys(["bounce", "hardbounce", "softbounce", "undeliverable"], "bounced"),
    **dict.fromkeys(["complain", "complaint", "spam", "markedasspam"], "complained"),
}
_DIGITS_OF_A_YEAR = 4
#: 1.0 and 0.0 are what pandas writes for numbers in a column with gaps; WAHR, VRAI and so on are true and false as
#: spreadsheets write them.
YES = (
    "yes,y,true,t,1,1.0,x,on,ja,oui,si,sí,sim,da,да,tak,ano,evet,はい,是,예,"
    "wahr,vrai,verdadero,verdadeiro,vero,waar,prawda,pravda,doğru,истина,sant,sand,tosi"
)
NO = (
    "no,n,false,f,0,0.0,off,never,none,nein,non,não,nej,nei,nee,нет,nie,ne,hayır,いいえ,否,아니요,아니오,"
    "falsch,faux,falso,onwaar,fałsz,nepravda,yanlış,ложь,falskt,falsk,usann,epätosi"
)


class StatusRule(Value, frozen=True, kw_only=True):
    """How the cells of a column give a status."""

    #: By the word in a cell, as `normalize_column` writes it.
    words: Mapping[str, str]
    #: The status of a date, of any other text, and of an empty cell; empty: it is not understood.
    dated: str = ""
    other: str = ""
    blank: str = "active"

    def status_of(self, cell: str) -> str | None:
        """Return the status that a *cell* gives; "" for a person who never subscribed, None if it is not understood."""
        word = normalize_column(cell)
        if word in self.words:
            return self.words[word]
        if self.dated and sum(map(str.isdigit, word)) >= _DIGITS_OF_A_YEAR:
            return self.dated
        return self.other or _status_by_beginning(word)


def _status_by_beginning(word: str) -> str | None:
    return next((status for start, status in _GONE_BEGINNINGS.items() if word.startswith(start)), None)


def yes_no(yes: str, no: str, *, other: str = "") -> StatusRule:
    """Return the rule of a column that is answered by yes, a date, or no, with the status for each."""
    return StatusRule(words=_index({yes: YES, no: NO}), dated=yes, other=other)


def consented(without: str) -> StatusRule:
    """Return the rule of a column that says whether, or when, a person has agreed; *without* is their status if not.

    An empty cell is not understood: it may mean no, or not asked.
    """
    return StatusRule(words=_index({"active": YES, without: NO}), dated="active", blank="")


def gone(status: str) -> StatusRule:
    """Return the rule of a column that says whether, or when, a person has gone."""
    return yes_no(status, "active")


def reason(status: str) -> StatusRule:
    """Return the rule of a column that says why a person has gone: any text but no means that they have."""
    return yes_no(status, "active", other=status)


def refused(status: str) -> StatusRule:
    """Return the rule of a column of any text, in which a plain no means *status*."""
    return StatusRule(words=_index({status: NO}), other="active")


def coded(codes: Mapping[str, str]) -> StatusRule:
    """Return the rule of a column with status words or a program's own *codes*."""
    return StatusRule(words={**STATUS_WORDS, **codes})


#: A column of status words; and one that may be of status words, or of something else such as places.
WORDS = coded({})
MAYBE_WORDS = StatusRule(words=STATUS_WORDS, other="active")
