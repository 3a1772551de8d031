"""An OpenLDAP of the tests' own: Debian's slapd, free ports, an empty folder, TLS by an authority of its own."""

import datetime
import ipaddress
import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.services.free_port import free_port
from tests.services.processes import RunningProcess

SUFFIX = "dc=farm,dc=example"
PEOPLE = f"ou=people,{SUFFIX}"
GROUPS = f"ou=groups,{SUFFIX}"
SEARCHER = f"cn=searcher,{SUFFIX}"
SEARCHER_PASSWORD = "only-for-searching"
ROOT = f"cn=root,{SUFFIX}"
ROOT_PASSWORD = "only-for-tests"

#: `bind_anon_dn`: a name with an empty password is let in as nobody, as Active Directory does
CONFIG = """
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
moduleload memberof
allow bind_anon_dn
pidfile {folder}/slapd.pid
argsfile {folder}/slapd.args
TLSCACertificateFile {folder}/authority.pem
TLSCertificateFile {folder}/server.pem
TLSCertificateKeyFile {folder}/server.key
database mdb
maxsize 10485760
suffix "{suffix}"
rootdn "{root}"
rootpw {root_password}
directory {folder}/data
dbnosync
access to attrs=userPassword by anonymous auth by * none
access to * by dn.exact="{searcher}" read by * none
overlay memberof
"""
#: two entries that everything hangs from, the one that searches, and a referral to nowhere
FIRST_ENTRIES = f"""
dn: {SUFFIX}
objectClass: dcObject
objectClass: organization
dc: farm
o: Farm

dn: {PEOPLE}
objectClass: organizationalUnit
ou: people

dn: {GROUPS}
objectClass: organizationalUnit
ou: groups

dn: {SEARCHER}
objectClass: organizationalRole
objectClass: simpleSecurityObject
cn: searcher
userPassword: {SEARCHER_PASSWORD}
"""


class SlapdUnavailable(Exception):
    """No directory, and what to do about it."""


@dataclass
class Authority:
    """A certificate authority that nobody else trusts."""

    name: str = "Tests' own authority"
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    @property
    def pem(self) -> str:
        """Its certificate."""
        constraints = x509.BasicConstraints(ca=True, path_length=0)
        usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
        built = self._builder(self.name, self.key).add_extension(constraints, critical=True)
        built = built.add_extension(usage, critical=True).add_extension(self._own_id, critical=False)
        return built.sign(self.key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()

    def issue(self, address: str) -> tuple[str, str]:
        """(certificate, key) in PEM of a server at `address`."""
        key = ec.generate_private_key(ec.SECP256R1())
        names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))])
        issuer_id = x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key())
        built = self._builder(address, key).add_extension(names, critical=False)
        certificate = built.add_extension(issuer_id, critical=False).sign(self.key, hashes.SHA256())
        plain = serialization.NoEncryption()
        private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
        return certificate.public_bytes(serialization.Encoding.PEM).decode(), private.decode()

    @property
    def _own_id(self) -> x509.SubjectKeyIdentifier:
        return x509.SubjectKeyIdentifier.from_public_key(self.key.public_key())

    def _builder(self, name: str, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
        now = datetime.datetime.now(datetime.UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
            .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, self.name)]))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=1))
        )


class PrivateSlapd:
    """A directory that can be stopped, and started again with what it knew."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.folder = folder
        self.port, self.tls_port = free_port(), free_port()
        self.authority = Authority()
        self._stack = stack
        self._process: RunningProcess | None = None
        (folder / "data").mkdir()
        certificate, key = self.authority.issue("127.0.0.1")
        for name, text in (("authority.pem", self.authority.pem), ("server.pem", certificate), ("server.key", key)):
            (folder / name).write_text(text)
        config = CONFIG.format(folder=folder, suffix=SUFFIX, root=ROOT, root_password=ROOT_PASSWORD, searcher=SEARCHER)
        (folder / "slapd.conf").write_text(config)
        self._run(find_binary("slapadd"), "-f", str(folder / "slapd.conf"), input=FIRST_ENTRIES)

    @property
    def url(self) -> str:
        """Without TLS until StartTLS."""
        return f"ldap://127.0.0.1:{self.port}"

    @property
    def tls_url(self) -> str:
        return f"ldaps://127.0.0.1:{self.tls_port}"

    def start(self) -> None:
        """Start it and wait until it takes connections.

        Raises:
            SlapdUnavailable: it did not start; the message carries what it wrote.
        """
        listening = f"{self.url}/ {self.tls_url}/"
        arguments = ["-f", str(self.folder / "slapd.conf"), "-h", listening, "-d", "stats"]
        process = RunningProcess(["setpriv", "--pdeathsig=TERM", "--", find_binary("slapd"), *arguments])
        self._stack.callback(process.close)
        self._process = process
        try:
            process.wait_for(self._answers, what="slapd takes connections")
        except (AssertionError, TimeoutError) as problem:
            raise SlapdUnavailable(f"{problem}. It wrote:\n{process.output()}") from None

    def stop(self) -> None:
        """End it in good order."""
        if self._process is not None:
            self._process.terminate()

    def output(self) -> str:
        """What it has written: one line for each operation it was asked for."""
        return "" if self._process is None else self._process.output()

    def add_person(self, uid: str, password: str, *, name: str = "Asha Patil", mail: str = "") -> str:
        """Somebody in the directory; their distinguished name."""
        dn = f"uid={uid},{PEOPLE}"
        address = f"mail: {mail}\n" if mail else ""
        self.modify(
            f"dn: {dn}\nchangetype: add\nobjectClass: inetOrgPerson\nuid: {uid}\ncn: {name}\nsn: {name.split()[-1]}\n"
            f"{address}userPassword: {password}\n"
        )
        return dn

    def add_group(self, name: str, *members: str) -> str:
        """A group; its distinguished name."""
        dn = f"cn={name},{GROUPS}"
        listed = "".join(f"member: {member}\n" for member in members or (ROOT,))
        self.modify(f"dn: {dn}\nchangetype: add\nobjectClass: groupOfNames\ncn: {name}\n{listed}")
        return dn

    def leave(self, group: str, member: str) -> None:
        """Somebody is of a group no longer."""
        self.modify(
            f"dn: {group}\nchangetype: modify\nadd: member\nmember: {ROOT}\n-\ndelete: member\nmember: {member}\n"
        )

    def modify(self, ldif: str) -> None:
        """Change what it knows, as its administrator."""
        self._run("ldapmodify", "-x", "-H", self.url, "-D", ROOT, "-w", ROOT_PASSWORD, input=ldif)

    def lets_in(self, dn: str, password: str) -> bool:
        """Whether a simple bind succeeds, as OpenLDAP's own client does it."""
        command = ["ldapwhoami", "-x", "-H", self.url, "-D", dn, "-w", password]
        return subprocess.run(command, capture_output=True, check=False).returncode == 0

    def _answers(self) -> bool:
        for port in (self.port, self.tls_port):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) != 0:
                    return False
        return True

    @staticmethod
    def _run(*command: str, input: str) -> None:
        done = subprocess.run(command, input=input, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise SlapdUnavailable(f"{command[0]} ended with {done.returncode}:\n{done.stdout}{done.stderr}")


def find_binary(name: str, search_path: str | None = None) -> str:
    """Debian keeps them in /usr/sbin, which is not on everybody's path.

    Raises:
        SlapdUnavailable: it is not there.
    """
    path = os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin")) if search_path is None else search_path
    found = shutil.which(name, path=path)
    if found is None:
        raise SlapdUnavailable("OpenLDAP is not installed: run make test, or apt-get install slapd ldap-utils")
    return found


@contextmanager
def private_slapd() -> Iterator[PrivateSlapd]:
    """A running directory for the length of the block.

    Raises:
        SlapdUnavailable: says what to do.
    """
    with ExitStack() as stack:
        folder = Path(tempfile.mkdtemp(prefix="coldfleet-slapd-"))
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        server = PrivateSlapd(folder, stack)
        server.start()
        yield server


@pytest.fixture(scope="module")
def slapd() -> Iterator[PrivateSlapd]:
    """A directory for the tests of a module. Without OpenLDAP they fail."""
    with ExitStack() as running:
        try:
            server = running.enter_context(private_slapd())
        except SlapdUnavailable as problem:
            pytest.fail(str(problem), pytrace=False)
        yield server
