"""An organization's logo: whatever picture comes in, what is kept is one of ours.

The upload is decoded and encoded anew, at a size of ours: nothing of the file survives but what it shows, no
script, no place where a photo was taken, no second format behind the first. It is named by its own hash.
"""

from hashlib import sha256
from io import BytesIO

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext as _
from PIL import Image, ImageOps, UnidentifiedImageError

LARGEST_FILE = 2 * 1024 * 1024  # bytes
LARGEST_PICTURE = 20_000_000  # pixels, looked up before anything is unpacked
BOX = (640, 240)
FORMATS = ("PNG", "JPEG", "WEBP", "GIF")  # no SVG, which may hold scripts
CONTENT_TYPE = "image/webp"


class LogoRefused(Exception):
    """The file cannot be a logo; the message says why."""


def store(upload: UploadedFile) -> str:
    """Keep the picture; returns what `settings["logo"]` of the organization is to hold.

    Raises:
        LogoRefused: too large, or no picture of a kind that is known.
    """
    if upload.size > LARGEST_FILE:
        raise LogoRefused(_("The logo may have 2 MB at most. Save it smaller, and upload it again."))
    encoded = _encoded_anew(upload)
    name = f"{sha256(encoded).hexdigest()}.webp"
    if not default_storage.exists(path_of(name)):
        default_storage.save(path_of(name), ContentFile(encoded))
    return name


def path_of(name: str) -> str:
    return f"logos/{name}"


def _encoded_anew(upload: UploadedFile) -> bytes:
    try:
        with Image.open(upload, formats=FORMATS) as picture:
            if picture.width * picture.height > LARGEST_PICTURE:
                raise LogoRefused(_("The logo has too many pixels. 1,000 in width are plenty."))
            upright = ImageOps.exif_transpose(picture).convert("RGBA")
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        raise LogoRefused(_("No picture could be read here. Upload a PNG, JPEG or WebP file.")) from None
    upright.thumbnail(BOX)
    encoded = BytesIO()
    upright.save(encoded, "WEBP", quality=90, method=4)
    return encoded.getvalue()
