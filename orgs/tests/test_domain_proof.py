"""Proving a domain, against a name server of the test's own that speaks DNS over UDP."""

import socketserver
import threading

import dns.message
import dns.resolver
import dns.rrset
import pytest
from django.core.management import CommandError, call_command

from orgs import domain_proof
from orgs.domain_proof import DomainRefused, NotProven
from orgs.hosts import organization_at
from orgs.models import Organization
from tests.factories import OrganizationFactory

pytestmark = pytest.mark.django_db
DOMAIN = "events.acme.example"


class NameServer(socketserver.ThreadingUDPServer):
    """Answers TXT questions from `records`; other names do not exist."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Answering)
        self.records: dict[str, list[str]] = {}


class _Answering(socketserver.BaseRequestHandler):
    def handle(self):
        data, socket = self.request
        asked = dns.message.from_wire(data)
        answer = dns.message.make_response(asked)
        name = asked.question[0].name
        texts = self.server.records.get(name.to_text(omit_final_dot=True))
        if texts is None:
            answer.set_rcode(dns.rcode.NXDOMAIN)
        else:
            answer.answer.append(dns.rrset.from_text(name, 60, "IN", "TXT", *(f'"{text}"' for text in texts)))
        socket.sendto(answer.to_wire(), self.client_address)


@pytest.fixture
def name_server():
    with NameServer() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def resolver(name_server):
    resolver = dns.resolver.Resolver(configure=False)
    resolver.nameservers, resolver.port = ["127.0.0.1"], name_server.server_address[1]
    resolver.lifetime = 2
    return resolver


@pytest.fixture
def publish(name_server):
    """Put the record that proves a domain for an organization into the DNS."""

    def publishing(organization, domain=DOMAIN):
        name, text = domain_proof.record(organization, domain)
        name_server.records[name] = ["something else", text]

    return publishing


@pytest.fixture
def prove(acme, resolver):
    return lambda domain=DOMAIN: domain_proof.host_by_proof(
        organization_id=acme.pk, domain=domain, resolver=resolver
    )


class TestADomain:
    def test_becomes_the_host_once_its_record_stands(self, acme, prove, publish):
        publish(acme)
        prove()
        assert organization_at(DOMAIN) == acme

    def test_is_refused_without_the_record_and_says_which(self, acme, prove):
        with pytest.raises(NotProven, match=rf"TXT record.*_happening\.{DOMAIN} happening-verify="):
            prove()

    def test_is_not_proven_by_the_record_of_another_organization(self, acme, prove, publish):
        publish(OrganizationFactory())
        with pytest.raises(NotProven):
            prove()

    def test_is_not_proven_by_the_record_of_another_domain(self, acme, prove, name_server):
        _, text = domain_proof.record(acme, "acme.example")
        name_server.records[f"_happening.{DOMAIN}"] = [text]
        with pytest.raises(NotProven):
            prove()

    def test_is_not_proven_while_nobody_answers(self, acme, prove, resolver):
        resolver.port, resolver.lifetime = 1, 0.2
        with pytest.raises(NotProven):
            prove()

    @pytest.mark.parametrize(
        "domain",
        ["gmail.com", "mail.gmx.de", "localhost", "other.localhost", "no domain", "Acme.test", ""],
    )
    def test_is_refused_whatever_its_records_when_it_can_be_nobodys(self, acme, prove, publish, domain):
        publish(acme, domain)
        with pytest.raises(DomainRefused):
            prove(domain)

    def test_that_another_organization_has_is_refused(self, acme, prove, publish):
        OrganizationFactory(domain=DOMAIN)
        publish(acme)
        with pytest.raises(DomainRefused, match="another organization"):
            prove()

    def test_may_be_one_of_its_mail_domains(self, acme, resolver, publish):
        publish(acme, "acme.example")
        for _ in range(2):
            domain_proof.mail_domain_by_proof(
                organization_id=acme.pk, domain="acme.example", resolver=resolver
            )
        acme.refresh_from_db()
        assert acme.settings["mail_domains"] == ["acme.example"]


class TestVerifyDomain:
    @pytest.fixture(autouse=True)
    def _ask_the_tests_name_server(self, monkeypatch, resolver):
        monkeypatch.setattr("dns.resolver.Resolver", lambda: resolver)

    def test_says_which_record_is_missing_and_fails(self, acme):
        with pytest.raises(CommandError, match="_happening"):
            call_command("verify_domain", "acme", DOMAIN)

    def test_gives_the_organization_its_host(self, acme, publish, capsys):
        publish(acme)
        call_command("verify_domain", "acme", DOMAIN.upper())
        assert capsys.readouterr().out == f"{DOMAIN} is proven to be Acme's. It is found there now.\n"
        assert Organization.objects.get().domain == DOMAIN

    def test_gives_it_a_mail_domain(self, acme, publish):
        publish(acme)
        call_command("verify_domain", "acme", DOMAIN, mail=True)
        assert Organization.objects.get().settings["mail_domains"] == [DOMAIN]
