// Prints every stride once: all that an integrator needs, with mqtt.js and nothing of ours.
//
//     npm install mqtt
//     node subscriber.mjs [HOST] [PORT] [N]      N: leave after so many strides

import mqtt from "mqtt";

const [host = "localhost", port = "1883", n = "-1"] = process.argv.slice(2);
let left = Number(n);

const seen = new Set(); // QoS 1 may deliver twice: a message that comes again keeps its id
const client = mqtt.connect(`mqtt://${host}:${port}`, { clientId: "stride-printer-js", clean: false });

client.on("connect", () => {
  console.log("connected");
  client.subscribe(["evenstride/v1/+/+/gait/stride", "evenstride/v1/+/+/status"], { qos: 1 });
});

client.on("message", (topic, body) => {
  const [, , site, edge] = topic.split("/");
  const payload = JSON.parse(body.toString());
  if (seen.has(payload.id)) return;
  seen.add(payload.id);
  if (topic.endsWith("/status")) {
    console.log(`${site}/${edge} is ${payload.data.state}`);
    return;
  }
  const { side, stride_time_s, stride_length_m } = payload.data;
  const length = stride_length_m === null ? "unknown" : `${stride_length_m.toFixed(2)} m`;
  const late = payload.historical ? " (late)" : "";
  console.log(`${payload.t} ${edge} ${side} stride ${stride_time_s.toFixed(2)} s, ${length}${late}`);
  left -= 1;
  if (left === 0) client.end();
});
