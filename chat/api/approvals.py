"""`POST /api/generations/<id>/approvals/<tool_use_id>`: a person's word on a call of a tool.

`{"approve": true}` has it made, `{"approve": false}` does not. The log tells who is asked what
(`approval_wanted`) and what came of it (`approval_given`, `tool_result`).
"""

from __future__ import annotations

from django.http import HttpRequest, JsonResponse

from chat import errors, services
from chat.api.body import Members, json_object
from chat.api.door import Caller, api_view


@api_view("POST")
def approve(
    request: HttpRequest, caller: Caller, generation_id: int, tool_use_id: str
) -> JsonResponse:
    """Allow or decline a call that waits for it."""
    # Before what the body says: to a stranger all of it is not there.
    services.get_generation(caller.user, generation_id)
    members = Members(json_object(request))
    word = members.boolean("approve")
    members.check_all_known()
    if word is None:
        raise errors.InvalidRequest('`approve` is missing; send {"approve": true} or false.')
    services.approve(caller.user, generation_id, tool_use_id, is_approved=word)
    return JsonResponse({"tool_use_id": tool_use_id, "approve": word})
