"""A local double of the part of Slack that Vigil uses: `python -m vigil.emulators.slack --port 18090 --state FILE`.

state      the workspace: users, channels, messages; kept in one JSON file
rules      Slack's limits and name rules
request    one call: its arguments, paging, what the bot may see
methods    the Web API methods: arguments in, envelope out
faults     what tests break on purpose
mrkdwn     Slack's markup -> safe HTML
page       what people see at `/`
server     HTTP
"""
