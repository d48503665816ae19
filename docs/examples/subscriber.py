"""Prints every stride once: all that an integrator needs, with paho-mqtt and nothing of ours.

pip install paho-mqtt
python subscriber.py [HOST] [PORT] [N]      N: leave after so many strides
"""

import json
import sys

import paho.mqtt.client as mqtt

HOST = sys.argv[1] if len(sys.argv) > 1 else "localhost"
PORT = int(sys.argv[2]) if len(sys.argv) > 2 else 1883
left = int(sys.argv[3]) if len(sys.argv) > 3 else -1

seen = set()  # QoS 1 may deliver twice: a message that comes again keeps its id


def on_connect(client, _userdata, _flags, reason, _properties):
    print("connected:", reason, flush=True)
    client.subscribe([("evenstride/v1/+/+/gait/stride", 1), ("evenstride/v1/+/+/status", 1)])


def on_message(client, _userdata, message):
    global left
    site, edge = message.topic.split("/")[2:4]
    payload = json.loads(message.payload)
    if payload["id"] in seen:
        return
    seen.add(payload["id"])
    if message.topic.endswith("/status"):
        print(f"{site}/{edge} is {payload['data']['state']}", flush=True)
        return
    stride = payload["data"]
    length_m = stride["stride_length_m"]
    length = "unknown" if length_m is None else f"{length_m:.2f} m"
    late = " (late)" if payload["historical"] else ""
    print(
        f"{payload['t']} {edge} {stride['side']} stride {stride['stride_time_s']:.2f} s, "
        f"{length}{late}",
        flush=True,
    )
    left -= 1
    if left == 0:
        client.disconnect()


client = mqtt.Client(
    mqtt.CallbackAPIVersion.VERSION2, client_id="stride-printer", clean_session=False
)
client.on_connect = on_connect
client.on_message = on_message
client.connect(HOST, PORT)
client.loop_forever()
