# SPDX-License-Identifier: Apache-2.0
"""Messages are read leniently but safely, and written in the one form that old clients can read."""

from __future__ import annotations

import re
import time
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime

import pendulum
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from airflow_provider_ocr.protocol.characters import as_xml_text, is_xml_text
from airflow_provider_ocr.protocol.errors import UnreadableAnswerError
from airflow_provider_ocr.protocol.foreign_answers import as_words
from airflow_provider_ocr.protocol.messages import (
    MAX_BODY_BYTES,
    parse_application_info,
    parse_error,
    parse_tasks,
    render_application_info,
    render_error,
    render_tasks,
)
from airflow_provider_ocr.protocol.task import ApplicationInfo, OcrTask
from airflow_provider_ocr.protocol.vocabulary import TaskStatus, find_value

DECLARATION = b'<?xml version="1.0" encoding="utf-8"?>'
ATTRIBUTES = (
    b'id="a1" registrationTime="2026-11-22T14:44:23Z" statusChangeTime="2026-11-22T14:44:25Z" '
    b'status="Completed" filesCount="1" credits="5" resultUrl="https://r.example/1?a=1&amp;sig=x" '
    b'resultUrl2="https://r.example/2" description="Invoice 7"'
)
COMPLETED = OcrTask(
    id="a1",
    status=TaskStatus.COMPLETED,
    registration_time=pendulum.datetime(2026, 11, 22, 14, 44, 23),
    status_change_time=pendulum.datetime(2026, 11, 22, 14, 44, 25),
    files_count=1,
    credits=5,
    result_urls=("https://r.example/1?a=1&sig=x", "https://r.example/2"),
    description="Invoice 7",
)
REVERSED = b" ".join(reversed(re.findall(rb'\w+="[^"]*"', ATTRIBUTES)))


@pytest.mark.parametrize(
    "body",
    [
        DECLARATION + b"<response><task " + ATTRIBUTES + b"/></response>",
        b"<response><task " + ATTRIBUTES + b"></task></response>",
        b'<response xmlns="http://ocrsdk.com/schema/taskDescription-1.0.xsd"><task '
        + ATTRIBUTES
        + b"/></response>",
        b'<o:response xmlns:o="urn:any"><o:task ' + ATTRIBUTES + b"/></o:response>",
        b"<response><task " + REVERSED + b"/></response>",
        b"\xef\xbb\xbf" + DECLARATION + b"\r\n<response>\r\n  <task " + ATTRIBUTES + b"/>\r\n</response>\r\n",
        b"\n\n" + DECLARATION + b"<response><!-- one --><task " + ATTRIBUTES + b"/><other/></response>",
        ("<response><task " + ATTRIBUTES.decode() + "/></response>").encode("utf-16"),
    ],
    ids=["observed", "no declaration", "namespace", "prefix", "order", "BOM", "blank lines", "UTF-16"],
)
def test_a_task_is_read_in_any_of_its_forms(body: bytes) -> None:
    assert parse_tasks(body) == [COMPLETED]


def test_missing_attributes_are_none() -> None:
    assert parse_tasks(b'<response><task id="a1"/></response>') == [OcrTask(id="a1", status="")]


@pytest.mark.parametrize(
    ("attribute", "read"),
    [
        (b'credits="ten"', OcrTask(id="a1", status="")),
        (b'credits="-5"', OcrTask(id="a1", status="")),
        (b'credits="' + b"9" * 5000 + b'"', OcrTask(id="a1", status="")),
        (b'credits=""', OcrTask(id="a1", status="")),
        ('credits="\u0665"'.encode(), OcrTask(id="a1", status="")),
        (b'estimatedProcessingTime="5"', OcrTask(id="a1", status="", estimated_processing_time=5)),
        (b'registrationTime="soon"', OcrTask(id="a1", status="")),
        (b'registrationTime="now"', OcrTask(id="a1", status="")),
        (b'registrationTime="9:"', OcrTask(id="a1", status="")),
        (b'registrationTime="0001-01-01T00:00:00+14:00"', OcrTask(id="a1", status="")),
        (b'resultUrl=""', OcrTask(id="a1", status="")),
        (b'status="inprogress"', OcrTask(id="a1", status=TaskStatus.IN_PROGRESS)),
        (b'status="Hibernating"', OcrTask(id="a1", status="Hibernating")),
        (b'error="No page"', OcrTask(id="a1", status="", error="No page")),
        (b'status=""', OcrTask(id="a1", status="")),
        (b'registrationTime=" 2026-11-22"', OcrTask(id="a1", status="")),
    ],
)
def test_a_value_that_makes_no_sense_is_left_out_and_the_task_is_read(
    attribute: bytes, read: OcrTask
) -> None:
    assert parse_tasks(b'<response><task id="a1" ' + attribute + b"/></response>") == [read]


@pytest.mark.parametrize(
    ("attributes", "result_urls", "extra"),
    [
        (b'queue="fast" node="7"', (), (("queue", "fast"), ("node", "7"))),
        (b'xmlns:x="urn:x" x:queue="fast"', (), (("queue", "fast"),)),
        (b'xmlns:x="urn:x" x:credits="7"', (), ()),
        (
            b'resultUrl="u1" resultUrl2="u2" resultUrl3="u3" resultUrl4="u4"',
            ("u1", "u2", "u3"),
            (("resultUrl4", "u4"),),
        ),
        (b'resultUrl2="u2"', (), (("resultUrl2", "u2"),)),
        (b'resultUrl="" resultUrl2="u2"', (), (("resultUrl2", "u2"),)),
        (b'resultUrl3="u3" resultUrl="u1"', ("u1",), (("resultUrl3", "u3"),)),
        (b'resultUrl2="u2" resultUrl="u1"', ("u1", "u2"), ()),
    ],
)
def test_unknown_attributes_are_kept_and_no_url_takes_the_place_of_a_missing_one(
    attributes: bytes, result_urls: tuple[str, ...], extra: tuple[tuple[str, str], ...]
) -> None:
    (task,) = parse_tasks(b'<response><task id="a1" ' + attributes + b"/></response>")
    assert (task.result_urls, task.extra) == (result_urls, extra)


def test_the_apis_own_attribute_wins_over_one_with_a_prefix() -> None:
    (task,) = parse_tasks(b'<response xmlns:x="urn:x"><task id="a1" x:id="b2" x:credits="5"/></response>')
    assert (task.id, task.credits) == ("a1", 5)


def test_only_children_of_the_root_are_tasks() -> None:
    body = b'<response><task id="a"><task id="b"/></task><page><task id="c"/></page></response>'
    assert [task.id for task in parse_tasks(body)] == ["a"]


def test_several_tasks_keep_their_order() -> None:
    body = b'<response><task id="c"/><task id="a"/><task id="b"/></response>'
    assert [task.id for task in parse_tasks(body)] == ["c", "a", "b"]


def test_as_many_tasks_as_a_list_can_have_are_read_at_once() -> None:
    body = render_tasks([replace(COMPLETED, description="d" * 255, extra=(("queue", "fast"),))] * 1000)
    began = time.process_time()
    assert len(parse_tasks(body)) == 1000
    assert time.process_time() - began < 0.5  # it takes 0.04 s


@pytest.mark.parametrize("body", [b"<response/>", b"<response></response>", render_tasks([])])
def test_an_empty_list_is_an_answer(body: bytes) -> None:
    assert parse_tasks(body) == []


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"   ",
        b"Service Unavailable",
        b"<html><head><title>502 Bad Gateway</title></head></html>",
        b"<!DOCTYPE html><html><body>Sign in</body></html>",
        b"<!DOCTYPE response><response/>",
        b'<!DOCTYPE r [<!ENTITY a "aaa">]><response><task id="&a;"/></response>',
        b'<!DOCTYPE r [<!ENTITY f SYSTEM "file:///etc/hostname">]><response><task id="&f;"/></response>',
        b"<response><task id='a1'/>",
        b"<response><task id='a1' id='a2'/></response>",
        b"<response><task/></response>",
        b'<response><task id=""/></response>',
        b'<?xml version="1.0" encoding="klingon"?><response/>',
        b'<?xml version="1.0" encoding="utf-7"?><response/>',
        b'{"taskId": "a1"}',
        b"<response>" + b" " * MAX_BODY_BYTES + b"</response>",
        render_error("no such task"),
    ],
)
def test_what_is_no_response_is_unreadable(body: bytes) -> None:
    with pytest.raises(UnreadableAnswerError):
        parse_tasks(body)


@given(st.binary())
@example(b"<response><task id='a' registrationTime='0001-01-01T00:00:00+14:00'/></response>")
def test_arbitrary_bytes_are_tasks_or_unreadable(body: bytes) -> None:
    try:
        tasks = parse_tasks(body)
    except UnreadableAnswerError:
        return
    assert all(isinstance(task, OcrTask) for task in tasks)


@given(st.text("0123456789-:TZ+.WPYMDnow/ ,", max_size=25), st.text(max_size=20).filter(is_xml_text))
def test_whatever_a_server_puts_into_its_attributes_the_task_is_read(time: str, number: str) -> None:
    quoted = number.replace("&", "").replace("<", "").replace("'", "")
    attributes = f"id='a1' registrationTime='{time}' credits='{quoted}' status='{quoted}'"
    assert [task.id for task in parse_tasks(f"<response><task {attributes}/></response>".encode())] == ["a1"]


_TEXT = st.text(max_size=20).filter(is_xml_text)
_NUMBER = st.none() | st.integers(0, 10**15 - 1)
_TIME = st.none() | st.datetimes(datetime(1970, 1, 1), datetime(9999, 12, 31)).map(  # noqa: DTZ001 - made UTC below
    lambda time: pendulum.instance(time.replace(microsecond=0, tzinfo=UTC))
)
_TASKS = st.builds(
    OcrTask,
    id=_TEXT.filter(bool),
    status=st.sampled_from(TaskStatus) | _TEXT.filter(lambda text: find_value(TaskStatus, text) is None),
    registration_time=_TIME,
    status_change_time=_TIME,
    error=st.none() | _TEXT,
    files_count=_NUMBER,
    credits=_NUMBER,
    estimated_processing_time=_NUMBER,
    result_urls=st.lists(_TEXT.filter(bool), max_size=3).map(tuple),
    description=st.none() | _TEXT,
    extra=st.lists(
        st.tuples(st.from_regex(r"x[a-zA-Z0-9_.-]{0,10}", fullmatch=True), _TEXT),
        max_size=3,
        unique_by=lambda pair: pair[0],
    ).map(tuple),
)


@given(st.lists(_TASKS, max_size=4))
def test_tasks_survive_writing_and_reading(tasks: list[OcrTask]) -> None:
    assert parse_tasks(render_tasks(tasks)) == tasks


def test_a_task_is_written_in_the_observed_form() -> None:
    task = OcrTask(
        id="a1",
        status=TaskStatus.COMPLETED,
        registration_time=pendulum.datetime(2026, 11, 22, 15, 44, 23, 999_999, tz="Europe/Berlin"),
        status_change_time=pendulum.datetime(2026, 11, 22, 14, 44, 25),
        files_count=1,
        credits=5,
        result_urls=("https://r.example/1?a=1&sig=x", "https://r.example/2", "https://r.example/3"),
        description='"Invoice"\n7',
    )
    assert render_tasks([task]).decode() == (
        '<?xml version="1.0" encoding="utf-8"?><response><task id="a1" '
        'registrationTime="2026-11-22T14:44:23Z" statusChangeTime="2026-11-22T14:44:25Z" status="Completed" '
        'filesCount="1" credits="5" resultUrl="https://r.example/1?a=1&amp;sig=x" '
        'resultUrl2="https://r.example/2" resultUrl3="https://r.example/3" '
        'description="&quot;Invoice&quot;&#10;7" /></response>'
    )


@given(st.lists(_TASKS, min_size=1, max_size=4))
def test_whatever_the_tasks_the_form_is_the_one_that_old_clients_read(tasks: list[OcrTask]) -> None:
    text = render_tasks(tasks).decode()
    assert "\n" not in text
    assert "\r" not in text
    assert "xmlns" not in re.sub(r'"[^"]*"', '""', text)
    assert len(re.findall(r'<task id="', text)) == len(tasks)
    for task, element in zip(tasks, re.findall(r"<task [^>]*>", re.sub(r'"[^"]*"', '""', text)), strict=True):
        urls = ["resultUrl", "resultUrl2", "resultUrl3"][: len(task.result_urls)]
        assert " ".join(f'{name}=""' for name in urls) in element
        assert element.endswith("/>")


def test_what_xml_cannot_carry_is_replaced_in_writing() -> None:
    (task,) = parse_tasks(render_tasks([OcrTask(id="a1", status="Queued", error="page\x00 \ud800")]))
    assert task.error == "page\ufffd \ufffd"


@given(st.text(max_size=300))
def test_an_error_survives_writing_and_reading(message: str) -> None:
    assert parse_error(render_error(message)) == (as_words(as_xml_text(message)) or None)


@given(st.text(max_size=300).map(as_words).filter(bool))
def test_words_fit_for_a_log_stay_as_they_are(words: str) -> None:
    assert as_words(words) == words


def test_an_errors_message_has_an_attribute_as_two_node_clients_need() -> None:
    assert render_error("bad & ugly") == (
        DECLARATION + b'<error><message language="english">bad &amp; ugly</message></error>'
    )


PAGE = "a web page instead of an answer, probably from a proxy or gateway."
PAGE_TITLED = 'a web page instead of an answer, titled "502 Bad Gateway", probably from a proxy or gateway.'


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"<error><message>  No such\n  task </message></error>", "No such task"),
        (b'<error xmlns="urn:any"><message language="english">No</message></error>', "No"),
        (b"<error><code>7</code><message/><message>Second</message></error>", "Second"),
        (b"<error><message></message></error>", None),
        (b"<error/>", None),
        (b"<response/>", None),
        (b'<?xml version="1.0"?><html><message>No</message></html>', PAGE),
        (b"<html><title>502 Bad Gateway</title></html>", PAGE_TITLED),
        (b'{"error": {"message": "No such task"}}', "No such task"),
        (b"upstream connect error\n", "upstream connect error"),
        (b"<error><message>No such task</message>", "No such task"),
        (b"<error><message>No such ta", None),
        (b"", None),
        (b"\xff\xfe", None),
        (b"\x89PNG\r\n", None),
        (b'<!DOCTYPE e [<!ENTITY a "b">]><error><message>&a;</message></error>', None),
    ],
)
def test_whoever_answered_the_words_are_found(body: bytes, words: str | None) -> None:
    assert parse_error(body) == words


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "The answer is empty."),
        (b" \r\n", "The answer is empty."),
        (b"\xef\xbb\xbf", "The answer is empty."),
        (b"<response><task id='a1'/>", "The answer breaks off before its end."),
        (b"<response><task id='a", "The answer breaks off before its end."),
        (
            render_error("No such task"),
            "The answer is a <error> document, not a <response>. It says: No such task",
        ),
        (
            b"<html><title>Sign in</title></html>",
            "The answer is a <html> document, not a <response>. There came a web page instead of an answer, "
            'titled "Sign in", probably from a proxy or gateway.',
        ),
        (
            b"<!DOCTYPE html><html><p>Sign in",
            "The answer is not XML that can be read (DTDForbidden). There came a web page instead of an "
            "answer, probably from a proxy or gateway.",
        ),
        (
            b'{"error": {"message": "See https://u:p@h.example/a?sig=SECRET"}}',
            "The answer is not XML that can be read (code 4). It says: See https://h.example/a?...",
        ),
        (b"\x89PNG", "The answer is not XML that can be read (code 4)."),
    ],
)
def test_what_came_instead_of_an_answer_is_said(body: bytes, message: str) -> None:
    with pytest.raises(UnreadableAnswerError) as caught:
        parse_tasks(body)
    assert str(caught.value) == message


_BEGINNINGS = st.sampled_from(
    [b"", b"<error><message>", b'{"error":', b"<html><title>", b"<response><task ", b"<info><application>"]
)


@given(st.builds(bytes.__add__, _BEGINNINGS, st.binary(max_size=200)))
def test_arbitrary_bytes_raise_nothing_but_our_error(body: bytes) -> None:
    words = parse_error(body)
    assert words is None or as_words(words) == words
    for parse in (parse_tasks, parse_application_info):
        with suppress(UnreadableAnswerError):
            assert parse(body) is not None


@given(st.integers(0), st.sampled_from([b"\x00", b"<", b"&", b"\xff", b'"', b"?"]))
def test_a_damaged_answer_is_read_or_refused(position: int, damage: bytes) -> None:
    body = DECLARATION + b"<response><task " + ATTRIBUTES + b"/></response>"
    position %= len(body)
    with suppress(UnreadableAnswerError):
        assert isinstance(parse_tasks(body[:position] + damage + body[position + 1 :]), list)


@pytest.mark.parametrize(
    "answer", [render_tasks([COMPLETED]), render_application_info(ApplicationInfo(id="a"))]
)
def test_no_part_of_an_answer_passes_for_the_whole(answer: bytes) -> None:
    parse = parse_tasks if b"<response>" in answer else parse_application_info
    for length in range(len(answer)):
        with pytest.raises(UnreadableAnswerError):
            parse(answer[:length])


_WORD = st.none() | _TEXT.filter(lambda text: text == text.strip() != "" and "\r" not in text)
_APPLICATIONS = st.builds(
    ApplicationInfo,
    id=_WORD,
    name=_WORD,
    pages=_NUMBER,
    fields=_NUMBER,
    expires=_TIME,
    type=_WORD,
)


@given(_APPLICATIONS)
def test_an_application_survives_writing_and_reading(application: ApplicationInfo) -> None:
    assert parse_application_info(render_application_info(application)) == application


@pytest.mark.parametrize(
    ("body", "application"),
    [
        (b"<info><application/></info>", ApplicationInfo()),
        (
            b'<info xmlns="http://ocrsdk.com/schema/appInfo-1.0.xsd"><application>\n<name> a </name>'
            b"<pages>99</pages><fields> 495 </fields><expires>2026-11-22T14:44:23</expires>"
            b"<type>Normal</type><new>x</new></application></info>",
            ApplicationInfo(
                name="a",
                pages=99,
                fields=495,
                expires=pendulum.datetime(2026, 11, 22, 14, 44, 23),
                type="Normal",
            ),
        ),
        (
            b"<o:info xmlns:o='x'><o:application><o:name>old</o:name><o:displayName>new</o:displayName>"
            b"<o:pages>many</o:pages><o:expires>never</o:expires></o:application></o:info>",
            ApplicationInfo(name="new"),
        ),
    ],
)
def test_an_application_is_read_in_any_of_its_forms(body: bytes, application: ApplicationInfo) -> None:
    assert parse_application_info(body) == application


def test_of_several_applications_the_first_is_read_and_of_its_elements_only_its_own() -> None:
    first = b"<application><id>a</id><plan><name>gold</name></plan></application>"
    body = b"<info><pages>1</pages>" + first + b"<application><id>b</id><name>B</name></application></info>"
    assert parse_application_info(body) == ApplicationInfo(id="a")


@pytest.mark.parametrize("body", [b"", b"<response/>", b"<info/>", b"<info>", b"<error><message/></error>"])
def test_what_is_no_application_is_unreadable(body: bytes) -> None:
    with pytest.raises(UnreadableAnswerError):
        parse_application_info(body)


def test_an_application_is_written_in_the_documented_form() -> None:
    application = ApplicationInfo(
        id="a1", name="a & b", pages=99, fields=495, expires=pendulum.datetime(2026, 11, 22), type="Normal"
    )
    assert render_application_info(application).decode() == (
        '<?xml version="1.0" encoding="utf-8"?><info xmlns="http://ocrsdk.com/schema/appInfo-1.0.xsd">'
        "<application><id>a1</id><displayName>a &amp; b</displayName><name>a &amp; b</name><pages>99</pages>"
        "<fields>495</fields><expires>2026-11-22T00:00:00</expires><type>Normal</type></application></info>"
    )
