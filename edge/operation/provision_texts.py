"""The files that `provision` fills in: of openssl, of the broker, of an edge."""

SETTINGS = """\
[ca]
default_ca = site
[site]
dir = {folder}
database = $dir/issued/index.txt
new_certs_dir = $dir/issued
serial = $dir/issued/serial
crlnumber = $dir/issued/crlnumber
certificate = $dir/ca.crt
private_key = $dir/ca.key
default_md = sha256
default_crl_days = 30
policy = names
unique_subject = no
[names]
commonName = supplied
[client]
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = clientAuth
[broker]
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = serverAuth
subjectAltName = {hosts}
"""
# Names under which tablets open the page of an edge whose machine bears the edge's name.
WEB = """\
[web]
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = serverAuth
subjectAltName = DNS:{edge}.local,DNS:{edge}
"""
BROKER = """\
# Made by `evenstride provision`; do not edit.
per_listener_settings true
listener {port}
cafile /etc/mosquitto/evenstride/ca.crt
certfile /etc/mosquitto/evenstride/broker.crt
keyfile /etc/mosquitto/evenstride/broker.key
crlfile /etc/mosquitto/evenstride/ca.crl
tls_version tlsv1.2
require_certificate true
use_identity_as_username true
allow_anonymous false
acl_file /etc/mosquitto/evenstride/evenstride.acl
# Consumers that are away find their messages when they come back, also after a power cut.
persistence true
max_queued_messages 1000000
max_packet_size 16384
"""
EDGE = """\
# Of the bundle that `evenstride provision` made; the rest of the file is yours.
site = "{site}"
edge = "{edge}"

[broker]
host = "{host}"
port = {port}
tls = true
ca_file = "/etc/evenstride/ca.crt"
cert_file = "/etc/evenstride/edge.crt"
key_file = "/run/credentials/evenstride-publish.service/mqtt.key"

# The page for other machines too, at https://{edge}.local:8750/
#[web]
#host = "0.0.0.0"
#names = ["{edge}.local"]
#cert_file = "/etc/evenstride/web.crt"
#key_file = "/run/credentials/evenstride-web.service/web.key"
"""
