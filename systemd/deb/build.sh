#!/usr/bin/env bash
# Builds dist/evenstride_VERSION_ARCH.deb: the program with a virtual environment of its own in
# /opt/evenstride, units, account, device rules, documents. Call it by `make deb`.
#
# The package is for the architecture and the Python it is built on: build it on a Raspberry Pi OS
# for Raspberry Pi OS.
set -euo pipefail
cd "$(dirname "$0")/../.."

builder=${1:?the virtual environment whose pip builds}
python=$("$builder/bin/python" -c 'import sys; print("python%d.%d" % sys.version_info[:2])')
version=$("$builder/bin/python" -c 'from importlib.metadata import version; print(version("evenstride"))')
architecture=$(dpkg --print-architecture)
root=build/deb
home=opt/evenstride

rm -rf "$root" && mkdir -p "$root/DEBIAN" "$root/$home" dist

# The environment: the system's own Python, so that its security updates reach the service.
"$builder/bin/python" -m venv --without-pip "$root/$home"
"$builder/bin/pip" --python "$root/$home/bin/python" install --quiet --no-compile --no-warn-script-location .
for name in python python3 "$python"; do ln -sf "/usr/bin/$python" "$root/$home/bin/$name"; done
sed -i "s|^home = .*|home = /usr/bin|; /^executable/d; /^command/d" "$root/$home/pyvenv.cfg"
find "$root/$home/bin" -type f ! -name evenstride -delete
sed -i "1s|.*|#!/$home/bin/python|" "$root/$home/bin/evenstride"
# What nobody runs on a Pi: tests of libraries, headers, static libraries.
find "$root/$home" -type d \( -name tests -o -name include \) -prune -exec rm -rf {} +
"$builder/bin/python" -m compileall -q -j 1 -s "$root" -p / "$root/$home/lib" || true

install -Dm644 -t "$root/usr/lib/systemd/system" systemd/*.service
install -Dm644 systemd/evenstride.sysusers "$root/usr/lib/sysusers.d/evenstride.conf"
install -Dm644 systemd/evenstride.tmpfiles "$root/usr/lib/tmpfiles.d/evenstride.conf"
install -Dm644 systemd/evenstride.rules "$root/usr/lib/udev/rules.d/70-evenstride.rules"
install -Dm644 systemd/deb/evenstride.toml "$root/usr/share/evenstride/evenstride.toml"
install -Dm644 -t "$root/usr/share/doc/evenstride" docs/*.md LICENSE CHANGELOG.md
cp -r docs/contract docs/examples "$root/usr/share/doc/evenstride/"
install -d "$root/usr/bin" && ln -s "/$home/bin/evenstride" "$root/usr/bin/evenstride"
install -m755 -t "$root/DEBIAN" systemd/deb/postinst systemd/deb/prerm systemd/deb/postrm

cat >"$root/DEBIAN/control" <<CONTROL
Package: evenstride
Version: $version
Architecture: $architecture
Maintainer: Evenstride <maintainers@evenstride.invalid>
Installed-Size: $(du -sk "$root/opt" | cut -f1)
Depends: $python, systemd (>= 252), udev
Recommends: mosquitto
Section: science
Priority: optional
Description: measures how a person really walks
 Reads five inertial sensors, records them, turns them into strides, and delivers the results over
 MQTT. A research tool, not a medical device.
CONTROL
dpkg-deb --root-owner-group -Zxz -z1 --build "$root" "dist/evenstride_${version}_${architecture}.deb"
