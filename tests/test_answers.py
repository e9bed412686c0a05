"""The meaning of mail servers' answers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.answers import AnswerMeaning, classify_answer, find_codes

DEAD = [
    # Codes
    "550 5.1.1 no",
    "550 5.1.2 no",
    "553 5.1.3 no",
    "551 5.1.6 moved",
    "556 5.1.10 no mail here",
    "550 5.2.1 no",
    "550 5.4.4 unable to route",
    # Words, with codes that say something else or nothing
    "550 5.4.1 Recipient address rejected: Access denied. [x.prod.mx.example]",
    "550 5.5.0 Requested action not taken: mailbox unavailable (S1)",
    "550-Requested action not taken: mailbox unavailable 550 For explanation visit https://mx.example/case",
    "550 5.7.1 No such user!",
    "550 <ada@readers.example>: User unknown",
    "550 Unknown user ada@readers.example",
    "550 Invalid recipient: <ada@readers.example>",
    "550 Invalid Recipient - https://mx.example/docs#550 [id]",
    "554 delivery error: dd This user doesn't have a readers.example account (ada@readers.example) [0]",
    "554 delivery error: dd This account has been disabled or discontinued [#102]",
    "550 Mailbox not found. http://mx.example/help?id=1",
    "550 User not found: ada@readers.example",
    "550 RC:NE The email account does not exist.",
    "550 5.1.1 Adresse d au moins un destinataire invalide. Invalid recipient. X1_416",
    "550 #5.1.0 Address rejected.",
    "550-'5.1.1 unknown'",
    "5.1.0 - Unknown address error 550-'5.1.1 <ada@readers.example>: no'",
    "5.1.2 - Bad destination host 'DNS Hard Error looking up readers.example (MX): NXDomain'",
    "550 <ada@readers.example>: Recipient address rejected.",
    "550 5.1.0 Not our Customer",
    "550 User ada not listed in Domino Directory",
    "550 Unrouteable address",
    "554 Sorry, no mailbox here by that name. (#5.1.1)",
    "553 Host unknown",
    "550 Domain readers.example does not accept mail (nullMX)",
    # Languages
    "550 Benutzer nicht bekannt",
    "550 Empfänger ada existiert nicht",
    "550 utilisateur inconnu",
    "550 El usuario no existe",
    "550 utente sconosciuto",
    "550 usuário inexistente",
    "550 Пользователь не найден",
    "550 宛先のメールアドレスが見つかりません",
    "550 收件人不存在",
    "550 존재하지 않는 사용자",
]
FULL = [
    "552 5.2.2 no",
    "452 4.2.2 no",
    "552-5.2.2 The recipient's inbox is out of storage space. 552 5.2.2 - x",
    "550 5.1.1 <ada@readers.example>: user is over quota",
    "552 Quota exceeded",
    "554 Mailbox is full",
    "550 User has too many messages on the server",
    "550 Benutzer hat das Speichervolumen ueberschritten.",
    "550 La boîte du destinataire est pleine",
    "550 ящик переполнен",
    "550 邮箱空间不足",
]
CONTENT = [
    "550 5.7.1 no",
    "550 Mail content denied.",
    "550 Message rejected: spam",
    "550 邮件被判定为垃圾邮件",
    "5.1.0 - Unknown address error 550-'5.7.1 <letters@letters.example>... Access denied'",
]
SENDER = [
    "530 5.7.57 Client not authenticated to send mail",
    "550 5.7.26 Unauthenticated email is not accepted due to the domain's DMARC policy",
    "421 4.7.26 no",
    "550 5.7.9 no",
    "550 5.7.515 Access denied",
    "535 no",
    "550 5.1.1 Mail from 192.0.2.1 refused, see https://www.spamhaus.org/query",
    "553 5.1.3 blocked using dnsbl.mx.example",
    "550 5.1.0 <letters@letters.example> sender rejected. X#1310",
    "550 5.1.8 <letters@letters.example>: Sender address rejected: Domain not found",
    "554 IP address is block listed.",
    "550 <ada@readers.example>: Reject due to SPF policy",
    "550 Your domain does not exist",
    "550-Verification failed 550-Response: 550 5.1.1 User unknown 550 Sender verify failed",
    "550 <mx.letters.example>: Helo command rejected: Host not found",
    "550 5.0.0 Relaying denied",
]
RATE = [
    "450 4.7.1 Error: too much mail from 192.0.2.1",
    "421 4.7.0 mx.example Error: too many connections from 192.0.2.1",
    "450 4.7.1 Error: too many recipients from 192.0.2.1",
    "550 5.1.1 <ada@readers.example> - 192.0.2.1 has sent to too many recipients this hour",
    "550-5.2.1 The user you are trying to contact is receiving mail at a rate that prevents more",
    "450 4.2.1 The user you are trying to contact is receiving mail too quickly",
    "421-4.7.28 Gmail has detected an unusual rate of unsolicited mail",
    "550 Ip frequency limited.",
    "550 Mailbox unavailable or access denied",
    "421 Trop de connexions, veuillez verifier votre configuration. Too many connections, slow down",
    "421 Max message per connection reached, closing transmission channel",
    "421 Rate limit reached. Please try again later",
    "450 MI:DMC,please try again",
    "550 letters.example has exceeded the max emails per hour (200/200) allowed",
    "550 5.2.122 no",
    "550 Daily sending quota exceeded",
]
TEMPORARY = [
    "450 4.2.0 <ada@readers.example>: Recipient address rejected: Greylisted, see http://mx.example/help",
    "450 4.1.1 <ada@readers.example>: Recipient address rejected: User unknown",
    "450 4.4.3 Host or domain name not found",
    "451 4.7.1 Try again later",
    "452 4.3.1 Insufficient system storage",
    "451 local error",
    "550 5.2.1 The mailbox is temporarily disabled",
    "554 Account temporarily unavailable",
]
UNKNOWN = [
    "550 no",
    "552 5.3.4 Message size exceeds fixed limit",
    "552 5.2.3 too long",
    "550 5.1.11 no",
    "550 <does.not.exist.user.unknown@readers.example> no",
]


@pytest.mark.parametrize(
    ("answer", "meaning"),
    [
        *((answer, AnswerMeaning.DEAD_ADDRESS) for answer in DEAD),
        *((answer, AnswerMeaning.MAILBOX_FULL) for answer in FULL),
        *((answer, AnswerMeaning.SENDER_REJECTED) for answer in SENDER),
        *((answer, AnswerMeaning.CONTENT_REJECTED) for answer in CONTENT),
        *((answer, AnswerMeaning.RATE_LIMIT) for answer in RATE),
        *((answer, AnswerMeaning.TEMPORARY) for answer in TEMPORARY),
        *((answer, AnswerMeaning.UNKNOWN) for answer in UNKNOWN),
        ("452 4.5.3 no", AnswerMeaning.TOO_MANY_RECIPIENTS),
        ("452 too many recipients", AnswerMeaning.TOO_MANY_RECIPIENTS),
    ],
)
def test_an_answer_means_what_its_words_say_and_otherwise_what_its_code_says(answer, meaning):
    """An answer in the form of a provider has the meaning that the provider documents, whatever code it chose."""
    assert classify_answer(*find_codes(answer), answer) is meaning


@given(st.sampled_from(DEAD), st.sampled_from([450, 451]))
def test_a_temporary_answer_never_ends_a_subscription(answer, code):
    """An answer with a temporary basic code never means a dead address."""
    assert classify_answer(code, "", answer) is not AnswerMeaning.DEAD_ADDRESS


@given(st.integers(0, 599), st.from_regex(r"([45]\.[0-9]{1,3}\.[0-9]{1,3})?", fullmatch=True), st.text(max_size=400))
def test_any_answer_has_a_meaning(code, enhanced, text):
    """Any codes and words give a meaning."""
    assert classify_answer(code, enhanced, text) in AnswerMeaning


@pytest.mark.parametrize(
    ("answer", "codes"),
    [
        ("550 5.1.1 no", (550, "5.1.1")),
        ("550-5.1.1 no 550 5.1.1 more", (550, "5.1.1")),
        ("550-'5.1.1 no'", (550, "5.1.1")),
        ("550 #5.1.0 no", (550, "5.1.0")),
        ("smtp; 550 5.1.1 no", (550, "5.1.1")),
        ("smtp;550: 5.1.1 no", (550, "5.1.1")),
        ("554 5.0.0 no (#5.1.1)", (554, "5.1.1")),
        ("450 no 5.1.1", (450, "")),
        ("5.4.4 no", (0, "5.4.4")),
        ("5.3.0 - Other mail system problem 550-'5.1.1 no'", (550, "5.1.1")),
        ("550 see version 5.1.1.4", (550, "")),
        ("no", (0, "")),
        ("", (0, "")),
    ],
)
def test_codes_are_found_in_the_forms_of_servers(answer, codes):
    """The basic code is at the beginning; the enhanced code has its class, and detail if one has."""
    assert find_codes(answer) == codes
