"""The emulator's page: markup is rendered, everything else is text."""

import json

import pytest
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st

from vigil.emulators.slack.mrkdwn import Names, render
from vigil.emulators.slack.server import Server, create_app
from vigil.emulators.slack.state import StateFile, people

NAMES = Names(users={"U1": "Ana Silva"}, channels={"C1": "inc-1"})
TOKEN = {"Authorization": "Bearer xoxb-test"}


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("*bold* _it_ ~gone~", "<p><strong>bold</strong> <em>it</em> <s>gone</s></p>"),
        ("a*b*c snake_case_name 3*4", "<p>a*b*c snake_case_name 3*4</p>"),
        ("*`a_b` is 0.61*", "<p><strong><code>a_b</code> is 0.61</strong></p>"),
        ("`*x*` &lt;b&gt;", "<p><code>*x*</code> &lt;b&gt;</p>"),
        ("```\n*x*\n```", "<pre>*x*</pre>"),
        ("• one\n• two\nend", "<ul><li>one</li><li>two</li></ul><p>end</p>"),
        ("&gt; said", "<blockquote>said</blockquote>"),
        ("<@U1> <#C1> <!channel>", None),
        (
            "<http://x.example/a?b=1&amp;c=2|the *report*>",
            '<p><a href="http://x.example/a?b=1&amp;c=2" rel="noreferrer noopener">the <strong>report</strong></a></p>',
        ),
        ("<javascript:alert(1)|x>", "<p>&lt;javascript:alert(1)|x&gt;</p>"),
        ("<script>alert(1)</script>", "<p>&lt;script&gt;alert(1)&lt;/script&gt;</p>"),
        (":tada: :unknown: 10:20:30", "<p>★ :unknown: 10:20:30</p>"),
    ],
)
def test_mrkdwn_reads_as_in_slack(text: str, html: str | None) -> None:
    if html is None:
        mentions = [f'<span class="mention">{name}</span>' for name in ("@Ana Silva", "#inc-1", "@channel")]
        html = f"<p>{' '.join(mentions)}</p>"
    assert str(render(text, NAMES)) == html


@given(st.text(alphabet="ab<>&;/\"'=|*_~`!@#:\n •", max_size=80))
def test_no_text_makes_a_tag_that_is_not_ours(text: str) -> None:
    html = str(render(text, NAMES))
    for tag in ("p", "strong", "em", "s", "code", "pre", "ul", "li", "blockquote"):
        html = html.replace(f"<{tag}>", "").replace(f"</{tag}>", "")
    html = html.replace("<br>", "").replace('<span class="mention">', "").replace("</span>", "")
    assert "<" not in html


@pytest.fixture
def client() -> TestClient:
    ana = {"email": "ana@bank.example", "name": "Ana <i>Silva</i>", "role": "Owner"}
    return TestClient(create_app(Server(StateFile(None), people([ana]), now=lambda: 1_790_000_000.0)))


def test_an_empty_workspace_says_so(client: TestClient) -> None:
    assert "Nothing here yet" in client.get("/").text


def test_the_page_shows_the_room_and_escapes_what_people_and_data_wrote(client: TestClient) -> None:
    def call(method: str, **form: str) -> dict[str, object]:
        return client.post(f"/api/{method}", data=form, headers=TOKEN).json()

    room = str(call("conversations.create", name="inc-1")["channel"]["id"])  # type: ignore[index]
    user = str(call("users.lookupByEmail", email="ana@bank.example")["user"]["id"])  # type: ignore[index]
    call("conversations.invite", channel=room, users=user)
    call("conversations.setTopic", channel=room, topic="SEV2 &lt;b&gt; <script>alert(1)</script>")
    blocks = [
        {"type": "header", "text": {"type": "plain_text", "text": "Broken &amp; <img src=x>"}},
        {"type": "section", "fields": [{"type": "mrkdwn", "text": "*Since* tonight"}]},
        {"type": "divider"},
        {"type": "context", "elements": [{"type": "mrkdwn", "text": "tier 1"}]},
        {"type": "actions", "elements": [{"type": "button", "text": {"type": "plain_text", "text": "Approve"}}]},
    ]
    ts = str(call("chat.postMessage", channel=room, text="x", blocks=json.dumps(blocks))["ts"])
    call("pins.add", channel=room, timestamp=ts)
    call("chat.postMessage", channel=room, text="<img src=x onerror=alert(1)> *done*")
    answer = client.get(f"/archives/{room}/p{ts.replace('.', '')}")
    html = answer.text
    assert "Broken &amp; &lt;img src=x&gt;" in html
    assert "<strong>Since</strong> tonight" in html
    assert "<button disabled" in html
    assert "Ana &lt;i&gt;Silva&lt;/i&gt;" in html
    assert "<strong>done</strong>" in html
    assert "<img" not in html
    assert "<script>" not in html
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


def test_an_unknown_channel_is_not_found(client: TestClient) -> None:
    assert client.get("/archives/C0NOWHERE").status_code == 404
