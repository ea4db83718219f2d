import pytest

from happening.secret_files import read_secret_files


class TestReadSecretFiles:
    def test_puts_the_content_in_the_place_of_the_secret(self, tmp_path):
        file = tmp_path / "secret_key"
        file.write_text("long and random\n")
        environment = {"SECRET_KEY_FILE": str(file), "SECRET_KEY": "what was there before"}
        read_secret_files(environment)
        assert environment["SECRET_KEY"] == "long and random"

    def test_leaves_alone_what_is_no_secret_of_ours(self, tmp_path):
        environment = {"SSL_CERT_FILE": str(tmp_path / "nowhere"), "DATABASE_URL": "postgres://db"}
        before = dict(environment)
        read_secret_files(environment)
        assert environment == before

    def test_does_not_go_on_without_a_file_that_is_named(self, tmp_path):
        with pytest.raises(FileNotFoundError):
            read_secret_files({"DATABASE_URL_FILE": str(tmp_path / "nowhere")})

    def test_takes_no_empty_file_for_a_secret(self, tmp_path):
        file = tmp_path / "empty"
        file.write_text("\n")
        with pytest.raises(ValueError, match="AMQP_URL_FILE"):
            read_secret_files({"AMQP_URL_FILE": str(file)})
