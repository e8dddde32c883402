"""What a Slack token may do, compared with what a night needs."""

from collections.abc import Iterator, Sequence

from slack_sdk.errors import SlackClientError

from vigil.adapters.slack_client import connect

NEEDED = ("bookmarks:write", "channels:history", "channels:join", "channels:manage", "channels:read", "chat:write",
          "pins:write", "users:read", "users:read.email")  # fmt: skip


def examine(token: str, base_url: str, people: Sequence[str]) -> Iterator[tuple[bool, str, str]]:
    """(fatal, what is wrong, what to do) of a token; nothing where all is well. people: e-mail addresses."""
    client = connect(token, base_url)
    try:
        answer = client.auth_test()
    except (SlackClientError, OSError) as error:
        why = (
            str(getattr(error, "response", {}).get("error", "") if hasattr(error, "response") else error) or "no answer"
        )
        yield True, f"Slack refuses the token: {why}", "give VIGIL_SLACK_TOKEN (or the connection) a bot token, xoxb-…"
        return
    granted = {s.strip() for s in str(dict(answer.headers).get("x-oauth-scopes", "")).split(",") if s.strip()}
    missing = [s for s in NEEDED if granted and s not in granted]
    if missing:
        yield True, f"the Slack app lacks {', '.join(missing)}", "add the scopes to the app, and install it again"
    for address in people:
        try:
            client.users_lookupByEmail(email=address)
        except (SlackClientError, OSError):
            fix = "correct the address in the monitor, or invite the person to the workspace"
            yield False, f"Slack knows nobody with the address {address}: that person is not invited to rooms", fix
