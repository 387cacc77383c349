"""A certificate authority of a test's own, and the certificates of servers, made by openssl."""

import os
import pwd
import subprocess

from support.cluster import temporary_directory

# No name server knows it: connection strings give the address beside it.
HOST = "db.raceway.test"


class Authority:
    """`ca` is what a client trusts; `certificate` and `key` are a server's, of the user of the clusters."""

    def __init__(self, host=HOST):
        self.directory = temporary_directory("rwc-")
        self.ca = self.directory / "ca.pem"
        self.certificate = self.directory / "server.pem"
        self.key = self.directory / "server.key"
        ca_key = self.directory / "ca.key"
        request, extensions = self.directory / "server.csr", self.directory / "server.ext"
        extensions.write_text(f"subjectAltName=DNS:{host}\n")
        curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
        self._openssl("req", "-x509", *curve, "-keyout", ca_key, "-out", self.ca, "-days", "2", "-subj", "/CN=test CA")
        self._openssl("req", *curve, "-keyout", self.key, "-out", request, "-subj", f"/CN={host}")
        self._openssl("x509", "-req", "-in", request, "-CA", self.ca, "-CAkey", ca_key, "-CAcreateserial", "-days", "2",
                      "-extfile", extensions, "-out", self.certificate)
        self.key.chmod(0o600)
        if os.geteuid() == 0:
            owner = pwd.getpwnam("postgres")
            os.chown(self.key, owner.pw_uid, owner.pw_gid)

    def _openssl(self, *words):
        subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True)
