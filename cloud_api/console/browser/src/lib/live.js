// A live view of the platform: all there is at first, then what changes; it comes back by itself.
// `onState(items)` is given everything, `onChange(items, goneIds)` what is new or other; see the API's `/ws/...`.
export function follow(path, { onState = () => {}, onChange = () => {}, onDown = () => {} }) {
  let socket;
  let pause = 1000;
  let ended = false;
  const open = () => {
    socket = new WebSocket(new URL(path, window.location.href.replace(/^http/, "ws")));
    socket.addEventListener("message", (message) => {
      pause = 1000;
      const said = JSON.parse(message.data);
      if (said.type === "state") onState(said.items);
      else if (said.type === "change") onChange(said.items, said.gone);
    });
    socket.addEventListener("close", async (event) => {
      if (ended) return;
      onDown(event);
      if (event.code === 4403 || event.code === 4404) return; // not for us, or not there: asking again changes nothing
      if (event.code === 4401) await fetch("/console/renew").catch(() => {});
      setTimeout(open, pause + Math.random() * 500);
      pause = Math.min(pause * 2, 30000);
    });
  };
  open();
  return () => {
    ended = true;
    socket.close();
  };
}
