"""Formats of pictures that mail programs do not show, and alternative texts that say nothing."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from posixpath import basename, splitext
from urllib.parse import unquote, urlsplit

#: All pictures of a letter together; more takes long on a phone, and the reader's data.
MOST_PICTURE_BYTES = 1_000_000


@dataclass(frozen=True, kw_only=True, slots=True)
class PictureFormat:
    """A format that not all mail programs show."""

    name: str
    #: Those that do not show it, and where that is measured.
    programs: str
    source: str
    #: True if `mail.pictures = "convert"` makes another one of it.
    is_converted: bool = True


_FORMATS: Mapping[str, PictureFormat] = {
    "WEBP": PictureFormat(
        name="WebP",
        programs="Outlook on Windows does",
        source="https://www.caniemail.com/features/image-webp/",
    ),
    "AVIF": PictureFormat(
        name="AVIF",
        programs="Outlook on Windows, Fastmail, GMX, web.de, IONOS and Mail.ru do",
        source="https://www.caniemail.com/features/image-avif/",
    ),
    "SVG": PictureFormat(
        name="SVG",
        programs="Gmail, Mail.ru and Outlook on Windows up to 2016 do",
        source="https://www.caniemail.com/features/image-svg/",
        is_converted=False,
    ),
}


def unsupported_format(url: str, found: str) -> PictureFormat | None:
    """Return the format of a picture if not all mail programs show it; *found* is that of its file, or empty."""
    named = splitext(urlsplit(url).path)[1].removeprefix(".").upper()
    return _FORMATS.get(found or named)


#: What editors, cameras, phones and systems write, in the languages of our texts and some more.
_DEFAULTS = (
    r"image|img|picture|pic|photo(?:graph)?|graphic|untitled|screen ?shot|screen capture",
    r"alt(?:ernative)? text|placeholder|bild|foto|grafik|bildschirmfoto|unbenannt|afbeelding|schermafbeelding",
    r"billede|obraz|zdjęcie|zrzut ekranu|obrázek|skärmavbild|görsel|resim|hình ảnh|ภาพ",
    r"capture d[’' ]?écran|imagen|captura de (?:pantalla|tela|ecrã)|imagem|immagine|schermata",
    r"画像|写真|図|スクリーンショット|スクショ|画面収録|名称未設定|图片|圖片|照片|截图|截圖|屏幕截图|螢幕截圖|이미지|사진|스크린샷",
    r"изображение|фото|снимок экрана|зображення|знімок екрана|صورة|لقطة الشاشة|لقطة شاشة|تصویر|תמונה|צילום מסך",
)
#: A date or number, as systems put it behind the word.
_NUMBER = r"(?:[\s_.,:/()#年月日時分秒-]|\d|\b(?:at|um|à|a las|às|alle|am|pm|om|kl|の|copy|kopie)\b)*"
_DEFAULT = re.compile(rf"(?:{'|'.join(_DEFAULTS)}){_NUMBER}", re.IGNORECASE)
_CAMERA = re.compile(r"_?(?:img|dscn?f?|pxl|dji|gopr|mvi|mg|p|wp|sam|screenshot)[_-]?\d{3,}[\w.~()-]*", re.IGNORECASE)
_FILE = re.compile(r"[^\n]*\.(?:jpe?g|png|gif|webp|avif|svg|heic|bmp|tiff?)", re.IGNORECASE)
_DIGEST = re.compile(r"(?=.*\d)[0-9a-f-]{16,}", re.IGNORECASE)


def says_nothing(alt: str, url: str) -> bool:
    """Return whether an alternative text is a default or the name of a file, such as `IMG_1234` or `画像1`."""
    text = unicodedata.normalize("NFKC", alt).strip()
    if any(pattern.fullmatch(text) for pattern in (_DEFAULT, _CAMERA, _FILE, _DIGEST)):
        return True
    stem = splitext(unquote(basename(urlsplit(url).path)))[0]
    return text == stem and re.search(r"[\d_-]", text) is not None
