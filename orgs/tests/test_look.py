from io import BytesIO

import pytest
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

from orgs import logos
from orgs.colours import PAPER_DARK, contrast, ink_on, is_readable, readable_on_dark, readable_on_light
from orgs.logos import LogoRefused
from orgs.models import Organization
from orgs.names import validate_domain, validate_slug
from orgs.organization_settings import validate_settings
from tests.factories import OrganizationFactory

HOST = {"host": "acme.localhost"}


@pytest.fixture(autouse=True)
def _storage(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path


def upload(name="logo.png", *, kind="PNG", size=(1200, 300), **facts) -> SimpleUploadedFile:
    file = BytesIO()
    Image.new("RGB", size, "#5b3fd6").save(file, kind, **facts)
    return SimpleUploadedFile(name, file.getvalue())


class TestContrast:
    def test_is_that_of_wcag(self):
        assert contrast("#000000", "#ffffff") == pytest.approx(21)
        assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)

    @pytest.mark.parametrize("colour", ["#000000", "#ffffff", "#ffff00", "#777777", "#5b3fd6", "#00ff00"])
    def test_suffices_whatever_the_colour(self, colour):
        assert is_readable(readable_on_dark(colour), on=PAPER_DARK)
        for shade in (readable_on_light(colour), readable_on_dark(colour)):
            assert is_readable(ink_on(shade), on=shade)


class TestSettings:
    @pytest.mark.parametrize(
        "value",
        [
            {},
            {"colour": "#5b3fd6", "support_email": "help@acme.example", "time_zone": "Europe/Berlin"},
            {"mail_domains": ["acme.example"], "reminder_hours": [1, 24, 336]},
        ],
    )
    def test_take(self, value):
        validate_settings(value)

    @pytest.mark.parametrize(
        ("value", "sentence"),
        [
            ([], "no settings but these"),
            ({"theme": "dark"}, "no settings but these"),
            ({"colour": "red"}, "six digits"),
            ({"colour": "#fff"}, "six digits"),
            ({"colour": "#5b3fd6;}"}, "six digits"),
            ({"colour": "#ffee00"}, "too pale to be read"),
            ({"logo": "../../etc/passwd"}, "uploaded"),
            ({"support_email": "help"}, "address"),
            ({"mail_domains": ["Acme.example"]}, "list of domains"),
            ({"mail_domains": ["gmail.com"]}, "belongs to everybody"),
            ({"mail_domains": ["mail.gmail.com"]}, "belongs to everybody"),
            ({"reminder_hours": [0]}, "336"),
            ({"reminder_hours": [1, 2, 3, 4]}, "336"),
            ({"reminder_hours": [1, 1]}, "336"),
            ({"reminder_hours": [1.5]}, "336"),
            ({"reminder_hours": [True]}, "336"),
        ],
    )
    def test_refuse_with_a_sentence(self, value, sentence):
        with pytest.raises(ValidationError) as refusal:
            validate_settings(value)
        assert sentence in " ".join(refusal.value.messages)

    def test_name_the_nearest_colour_that_works(self):
        with pytest.raises(ValidationError) as refusal:
            validate_settings({"colour": "#ffee00"})
        nearest = refusal.value.messages[0].rsplit(" ", 1)[1].rstrip(".")
        validate_settings({"colour": nearest})


class TestNames:
    @pytest.mark.parametrize("slug", ["www", "admin", "mail", "api", "live"])
    def test_of_the_platform_are_nobodys(self, slug):
        with pytest.raises(ValidationError):
            validate_slug(slug)

    def test_of_mail_providers_are_nobodys(self):
        with pytest.raises(ValidationError):
            validate_domain("gmail.com")
        validate_domain("mygmail.com")


@pytest.mark.django_db
class TestTheStylesheet:
    def test_brings_the_colour_under_the_strict_policy(self, client):
        OrganizationFactory(slug="acme", settings={"colour": "#5b3fd6"})
        page = client.get("/events/", headers=HOST)
        assert 'href="/look.css?v=%235b3fd6"' in page.content.decode()
        assert "unsafe-inline" not in page["Content-Security-Policy"]
        styles = client.get("/look.css?v=%235b3fd6", headers=HOST)
        assert styles["Content-Type"].startswith("text/css")
        assert "--accent:light-dark(#5b3fd6," in styles.content.decode()
        assert "immutable" in styles["Cache-Control"]

    def test_is_the_organizations_whatever_the_address_says(self, client):
        OrganizationFactory(slug="acme", settings={"colour": "#5b3fd6"})
        assert "#123456" not in client.get("/look.css?v=%23123456", headers=HOST).content.decode()

    def test_is_empty_where_there_is_no_colour_or_none_that_can_be_one(self, client):
        org = OrganizationFactory(slug="acme")
        assert client.get("/look.css").content == b""
        Organization.objects.filter(pk=org.pk).update(settings={"colour": "red}body{display:none"})
        assert client.get("/look.css", headers=HOST).content == b""
        assert client.get("/events/", headers=HOST).status_code == 200


@pytest.mark.django_db
class TestALogo:
    def test_is_encoded_anew_at_our_size_and_says_nothing_of_its_past(self, client):
        secret = Image.Exif()
        secret[0x010E] = "taken at home"
        name = logos.store(upload(exif=secret))
        OrganizationFactory(slug="acme", name="Acme", settings={"logo": name})
        assert f'src="/logo/{name}" alt="Acme"' in client.get("/events/", headers=HOST).content.decode()
        answer = client.get(f"/logo/{name}", headers=HOST)
        content = b"".join(answer.streaming_content)
        assert (answer["Content-Type"], answer["X-Content-Type-Options"]) == ("image/webp", "nosniff")
        assert answer["Content-Security-Policy"] == "default-src 'none'"
        assert b"taken at home" not in content
        assert Image.open(BytesIO(content)).size == (640, 160)

    @pytest.mark.parametrize("kind", ["JPEG", "WEBP", "GIF"])
    def test_may_be_of_several_kinds(self, kind):
        assert logos.store(upload(kind=kind)).endswith(".webp")

    @pytest.mark.parametrize(
        "content",
        [
            b"",
            b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
            b"GIF89a<script>alert(1)</script>",
            b"\x89PNG\r\n\x1a\nnothing",
            b"%PDF-1.4",
        ],
    )
    def test_is_refused_when_it_is_no_picture(self, content):
        with pytest.raises(LogoRefused):
            logos.store(SimpleUploadedFile("logo.png", content))

    def test_is_refused_when_it_unpacks_to_a_bomb(self):
        with pytest.raises(LogoRefused):
            logos.store(upload(size=(20_000, 20_000)))

    def test_is_refused_when_the_file_is_too_large(self):
        with pytest.raises(LogoRefused, match="2 MB"):
            logos.store(SimpleUploadedFile("logo.png", b"0" * (logos.LARGEST_FILE + 1)))

    @pytest.mark.parametrize("name", ["0" * 64 + ".webp", "../settings.py", "%2e%2e/settings.py"])
    def test_that_is_not_there_is_not_found(self, client, name):
        assert client.get(f"/logo/{name}").status_code == 404
