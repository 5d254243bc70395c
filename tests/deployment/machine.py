"""An empty Debian 12 as a machine of its own: debootstrap, systemd-nspawn and a private network.

Its systemd is a real one, so that units start as they do on a server. Its ports are its own; what
it needs from outside goes through slirp4netns. Needs root, and Debian's packages debootstrap,
systemd-container, slirp4netns and iproute2.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from pathlib import Path
from typing import Self

from deploy.program import Program
from deploy.servers import find_program
from tests.deployment.shell import Shell

RELEASE = "bookworm"
MIRROR = "http://deb.debian.org/debian"
SECURITY = "http://deb.debian.org/debian-security"
DNS = "10.0.2.3"  # slirp4netns's own
# What each Debian that boots has, and debootstrap's smallest variant has not.
BOOTS_WITH = "systemd-sysv,dbus"
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class Machine:
    """A context manager: installed and booted on entry, shut down on exit.

    Args:
        folder: where its files are; made, and not removed.
        hosts: names that lead to the machine itself.
    """

    def __init__(self, folder: Path, hosts: list[str]) -> None:
        self.folder = folder
        self.root = folder / "root"
        self.network = f"chat-{os.getpid()}"
        self._netns_files = Path("/etc/netns") / self.network
        self._hosts = hosts
        self._programs = {
            "debootstrap": find_program("debootstrap", "debootstrap"),
            "nspawn": find_program("systemd-nspawn", "systemd-container"),
            "nsenter": find_program("nsenter", "util-linux"),
            "slirp": find_program("slirp4netns", "slirp4netns"),
            "ip": find_program("ip", "iproute2"),
        }

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as stack:
            self._install()
            self._make_network(stack)
            stack.enter_context(self._slirp())
            self._container = self._nspawn()
            self._container.start()
            stack.callback(self._shut_down)
            self.run("systemctl is-system-running --wait || true")
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()

    def shell(self) -> Shell:
        """Return a root shell on the machine, as somebody who signs in has one."""
        target = f"--target={self._leader()}"
        enter = [self._programs["nsenter"], target, "--all", "--root", "--wdns=/root"]
        clean = ["env", "-i", "HOME=/root", "USER=root", f"PATH={PATH}"]
        return Shell([*enter, *clean, "LANG=C.UTF-8", "TERM=dumb", "bash"], self.root)

    def run(self, commands: str) -> str:
        """Run commands in a shell of their own; return what they printed."""
        with self.shell() as shell:
            return shell.run(commands)

    def from_beside(self, command: list[str]) -> list[str]:
        """Return a command that runs on this machine, with that machine's network."""
        return [self._programs["ip"], "netns", "exec", self.network, *command]

    def _install(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        options = ["--variant=minbase", f"--include={BOOTS_WITH}"]
        with (self.folder / "debootstrap.log").open("ab") as log:
            subprocess.run(
                [self._programs["debootstrap"], *options, RELEASE, str(self.root), MIRROR],
                check=True,
                stdout=log,
                stderr=log,
            )
        (self.root / "etc/apt/sources.list").write_text(
            # As Debian's installer writes them.
            f"deb {MIRROR} {RELEASE} main\n"
            f"deb {MIRROR} {RELEASE}-updates main\n"
            f"deb {SECURITY} {RELEASE}-security main\n"
        )
        (self.root / "etc/resolv.conf").unlink(missing_ok=True)
        (self.root / "etc/resolv.conf").write_text(f"nameserver {DNS}\n")
        self._trust_as_here()

    def _trust_as_here(self) -> None:
        """Let it use a proxy that this machine has to use: its certificates, and pip's words."""
        here = Path("/usr/local/share/ca-certificates")
        if any(here.glob("*.crt")):
            shutil.copytree(here, self.root / here.relative_to("/"), dirs_exist_ok=True)
            (self.root / "etc/pip.conf").write_text(
                "[global]\ncert = /etc/ssl/certs/ca-certificates.crt\n"
            )

    def _make_network(self, stack: contextlib.ExitStack) -> None:
        ip = self._programs["ip"]
        subprocess.run([ip, "netns", "add", self.network], check=True)
        stack.callback(subprocess.run, [ip, "netns", "del", self.network], check=True)
        # `ip netns exec` lays these over /etc, for programs of this machine.
        self._netns_files.mkdir(parents=True)
        stack.callback(shutil.rmtree, self._netns_files)
        (self._netns_files / "resolv.conf").write_text(f"nameserver {DNS}\n")
        names = " ".join(["localhost", *self._hosts])
        (self._netns_files / "hosts").write_text(f"127.0.0.1 {names}\n::1 localhost\n")

    def _slirp(self) -> Program:
        path = f"/run/netns/{self.network}"
        options = ["--netns-type=path", "--configure", "--mtu=65520", "--disable-host-loopback"]
        links = self.from_beside([self._programs["ip"], "-oneline", "address", "show", "tap0"])
        return Program(
            "slirp4netns",
            [self._programs["slirp"], *options, path, "tap0"],
            self.folder,
            is_ready=lambda: subprocess.run(links, capture_output=True).returncode == 0,
        )

    def _nspawn(self) -> Program:
        options = ["--quiet", "--boot", "--register=no", "--keep-unit", "--console=pipe"]
        options += ["--resolv-conf=off", "--timezone=off", "--link-journal=no"]
        options += [f"--network-namespace-path=/run/netns/{self.network}"]
        return Program(
            "machine",
            [self._programs["nspawn"], *options, f"--directory={self.root}"],
            self.folder,
            is_ready=self._has_booted,
        )

    def _has_booted(self) -> bool:
        # Made by the machine's own systemd, in a /run that only its own processes see.
        leader = self._leader()
        return Path(f"/proc/{leader}/root/run/systemd/private").exists()

    def _leader(self) -> int:
        """Return the number that the machine's first process has outside of it."""
        pid = self._container.pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        if not children:
            raise ProcessLookupError("the machine has not started")
        return int(children[0])

    def _shut_down(self) -> None:
        # systemd-nspawn hands SIGTERM on as an order to shut down.
        self._container.terminate()
