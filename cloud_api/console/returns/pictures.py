"""Pictures that come with a return's forms, from a phone's camera or a folder."""

from collections.abc import Mapping

from fastapi import Request
from starlette.datastructures import FormData, UploadFile

from cloud_api.console import forms
from cloud_api.console.asking import Desk, Refused
from cloud_api.console.forms import Form
from cloud_api.kernel.body_limit import limited

#: of all pictures of one form together
_MOST_BYTES = 120_000_000


async def read(request: Request) -> tuple[Form, FormData]:
    """What was typed, and what was sent with it.

    Raises:
        Refused: when that is more than one form may carry.
    """
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > _MOST_BYTES:
        raise Refused(413, "TOO_LARGE", f"at most {_MOST_BYTES // 1_000_000} MB are taken at once: send fewer pictures")
    sent = limited(request, _MOST_BYTES)
    return await forms.read(sent), await sent.form()


async def send(desk: Desk, return_id: str, form: Form, sent: FormData, shows: Mapping[str, str]) -> int:
    """Keep the pictures of a form; how many there were. What is refused is told beside its field.

    Sent again, as with a form that was refused for something else, they are the same pictures.

    Args:
        shows: field -> the line that its pictures show; empty: all of the return.

    Raises:
        Refused: when they may not send any.
    """
    files = [(field, file) for field in shows for file in sent.getlist(field)]
    chosen = [(field, file) for field, file in files if isinstance(file, UploadFile) and file.filename]
    try:
        for field, file in chosen:
            content, kind = await file.read(), file.content_type or "application/octet-stream"
            try:
                await desk.send_file("POST", f"/returns/{return_id}/pictures", content, kind, line_id=shows[field])
            except Refused as refused:
                if refused.status in {401, 403}:
                    raise
                form.errors[field] = refused.message
    finally:
        await sent.close()
    return len(chosen)
