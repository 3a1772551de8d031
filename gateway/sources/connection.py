"""One connection of a sensor, or of a program that speaks for many: from its first byte to its last."""

import asyncio
import contextlib
import logging
import socket
import sqlite3
from collections import deque
from enum import IntFlag
from typing import TYPE_CHECKING, cast

from gateway.pipeline import Message
from gateway.sources import mqtt_answers, mqtt_packets, topics
from gateway.sources.access import Rights
from gateway.sources.mqtt_codec import CUT_UP_TO, Decoder
from gateway.sources.mqtt_packets import V5, Connect, MalformedPacket, Packet, Subscribe, Unsubscribe, Will, Wish
from gateway.sources.sessions import MAX_SESSION_S, Key, Outgoing, Session
from gateway.sources.topics import Levels

if TYPE_CHECKING:
    from gateway.sources.listener import Listener

_log = logging.getLogger(__name__)

#: a connection that has not introduced itself by then is closed
CONNECT_WITHIN_S = 10.0
#: bytes written and not taken by the client; above this it is not read until it takes them ...
WRITE_BUFFER_BYTES = 1 << 16
#: ... and closed if it does not
SLOW_READER_S = 20.0
#: for the last words of a connection to be taken
_GOOD_BYE_S = 5.0
#: a client that sends so soon after an acknowledgement has waited for it
_AT_ONCE_S = 0.05
#: our QoS 1 messages that one client has not acknowledged
_MAX_IN_FLIGHT = 20
#: asks the kernel about a peer that has not said anything for a minute, so that one that is gone is noticed in two
_TCP_KEEPALIVE = ((socket.TCP_KEEPIDLE, 60), (socket.TCP_KEEPINTVL, 15), (socket.TCP_KEEPCNT, 4))


class Hold(IntFlag):
    """Why a connection is not read."""

    GREETING = 1
    #: the pipeline has as much as it takes
    PIPELINE = 2
    #: too much of this client is unacknowledged
    WINDOW = 4
    #: too many bytes of all clients are unacknowledged
    MEMORY = 8
    #: the client does not take what is written to it
    WRITING = 16
    CLOSING = 32


class Connection(asyncio.Protocol):
    """Reads packets, lets the pipeline have the messages, acknowledges what is on disk."""

    def __init__(self, listener: "Listener") -> None:
        self.client_id = ""
        self.key: Key | None = None
        self.version = 0
        self.address = ""
        self._listener = listener
        self._decoder = Decoder(Message, listener.settings.max_packet_bytes)
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport
        self._timer: asyncio.TimerHandle | None = None
        self._write_timer: asyncio.TimerHandle | None = None
        self._name = ""
        self._silence_s = 0.0
        self._heard_at = 0.0
        self._held = Hold(0)
        self._held_bytes = 0
        #: of each read that is on its way to the disk: the PUBACKs, the bytes
        self._settling: deque[tuple[list[bytes], int]] = deque()
        self._unacknowledged = 0
        self._acknowledged_s = 0.0
        self._rights: Rights | None = None
        self._session = Session()
        self._session_s = 0.0
        self._will: Will | None = None
        self._receive_maximum = _MAX_IN_FLIGHT
        self._longest_packet: int | None = None

    # what asyncio calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._transport.set_write_buffer_limits(high=WRITE_BUFFER_BYTES)
        peer = transport.get_extra_info("peername") or ("somewhere", 0)
        self.address, self._name = str(peer[0]), "{}:{}".format(*peer[:2])
        connected = transport.get_extra_info("socket")
        with contextlib.suppress(OSError):
            connected.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            for option, value in _TCP_KEEPALIVE:
                connected.setsockopt(socket.IPPROTO_TCP, option, value)
        self._timer = self._loop.call_later(CONNECT_WITHIN_S, self._never_introduced)
        self._listener.arrived(self)

    def data_received(self, data: bytes) -> None:
        if self._transport.is_closing():
            return
        self._heard_at = self._loop.time()
        try:
            self._decoder.feed(data)
        except MalformedPacket as error:
            self._after_reading(len(data), error)
        else:
            self._after_reading(len(data), None)

    def pause_writing(self) -> None:
        self.hold(Hold.WRITING)
        self._write_timer = self._loop.call_later(SLOW_READER_S, self._too_slow)

    def resume_writing(self) -> None:
        if self._write_timer is not None:
            self._write_timer.cancel()
        self.release(Hold.WRITING)
        self._send_waiting()

    def connection_lost(self, exc: Exception | None) -> None:
        for timer in (self._timer, self._write_timer):
            if timer is not None:
                timer.cancel()
        self._listener.held_bytes -= self._held_bytes
        self._held_bytes = 0
        self._listener.left(self)
        self.leave()
        if self.key is not None:
            _log.info("listener: %s: disconnected%s", self._name, f" ({exc})" if exc else "")

    # what the listener calls

    @property
    def is_closed(self) -> bool:
        return self._transport.is_closing()

    def hold(self, why: Hold) -> None:
        """Stop reading for one more reason."""
        if not self._held and not self._transport.is_closing():
            self._transport.pause_reading()
        self._held |= why

    def release(self, why: Hold) -> None:
        """One reason is gone; read again when it was the last."""
        if not self._held & why:
            return
        self._held &= ~why
        if not self._held and not self._transport.is_closing():
            self._heard_at = self._loop.time()
            self._transport.resume_reading()

    def refuse(self, reason: int, words: str) -> None:
        """Answer the CONNECT with a refusal and close."""
        if not self._transport.is_closing():
            told = mqtt_answers.reason_string(words) if self.version == V5 and self._longest_packet is None else b""
            self._transport.write(mqtt_answers.connack(self.version, reason, properties=told))
            self._close()

    def welcome(self, connect: Connect, rights: Rights, kept: Session | None, key: Key) -> None:
        """Answer the CONNECT, send what the client has missed, and read on."""
        settings, self.key = self._listener.settings, key
        self.client_id, self._rights, self._will = key[1], rights, connect.will
        self._name = f"{self.client_id!r} at {self._name}"
        self._session = kept or Session()
        if connect.session_expiry_s is None:
            self._session_s = 0.0 if connect.clean_session else MAX_SESSION_S
        else:
            self._session_s = min(connect.session_expiry_s, MAX_SESSION_S)
        self._receive_maximum = min(connect.receive_maximum, _MAX_IN_FLIGHT)
        offers = b""
        if self.version == V5:
            offers = mqtt_answers.offers(
                receive_maximum=settings.receive_maximum,
                max_packet_bytes=settings.max_packet_bytes * CUT_UP_TO,
                session_expiry_s=MAX_SESSION_S if self._session_s < (connect.session_expiry_s or 0) else None,
                client_id=None if connect.client_id else self.client_id,
            )
        accepted = mqtt_answers.connack(
            self.version, mqtt_packets.SUCCESS, session_present=kept is not None, properties=offers
        )
        self._transport.write(accepted)
        self._watch_silence(connect.keepalive_s)
        _log.info("listener: %s: connected", self._name)
        self._resend()
        try:
            self._decoder.accept(rights.topics)
        except MalformedPacket as error:
            self._after_reading(0, error)
        else:
            self._after_reading(0, None)
        self.release(Hold.GREETING)

    def offer(self, message: Outgoing, topic: Levels) -> bool:
        """A message of the gateway; whether the client gets it now."""
        wanted = self._session.wants(topic)
        if wanted is None or self._transport.is_closing():
            return False
        qos, retain_as_published = wanted
        if not retain_as_published:
            message = message._replace(retain=False)
        return self._send(message, qos)

    def close(self, reason: int, words: str) -> None:
        """Hang up and, where the protocol has a word for it, say why."""
        if not self._transport.is_closing():
            if self.key is not None and self.version == V5 and not self._held & Hold.WRITING:
                self._transport.write(mqtt_answers.disconnect(reason, words, longest=self._longest_packet))
            self._close()

    def leave(self) -> None:
        """The client is gone: keep its session, say its will. Nothing happens the second time."""
        if self.key is None or self._rights is None:
            return
        will, rights, self._will, self._rights = self._will, self._rights, None, None
        self._listener.say_good_bye(self, self._session, self._session_s, will, rights)

    # packets

    def _after_reading(self, size: int, broken: MalformedPacket | None) -> None:
        """Hand on what the decoder has found, up to where it found something broken."""
        decoder = self._decoder
        if decoder.messages or decoder.acknowledgements:
            self._submit(size)
        if decoder.packets:
            packets, decoder.packets = decoder.packets, []
            for packet in packets:
                self._handle(packet)
        if decoder.refused or decoder.shortened:
            self._note_trouble()
        if broken is not None:
            self._listener.notices.note("clients that broke the MQTT standard were cut off", f"{self._name}: {broken}")
            self.close(broken.reason, str(broken))
        held = decoder.held_bytes
        if held != self._held_bytes and not self._transport.is_closing():
            self._listener.held_bytes += held - self._held_bytes
            self._held_bytes = held
            self._listener.check_held(self)

    def _handle(self, packet: Packet) -> None:
        match packet:
            case mqtt_packets.PingRequest():
                self._transport.write(mqtt_answers.PINGRESP)
            case mqtt_packets.Puback(packet_id):
                self._session.in_flight.pop(packet_id, None)
                self._send_waiting()
            case Subscribe():
                self._subscribe(packet)
            case Unsubscribe():
                self._unsubscribe(packet)
            case Connect():
                self._introduced(packet)
            case mqtt_packets.Disconnect(with_will, session_expiry_s):
                if not with_will:
                    self._will = None
                if session_expiry_s is not None and self._session_s:
                    self._session_s = min(session_expiry_s, MAX_SESSION_S)
                self._close()
            case mqtt_packets.UnsupportedVersion(level):
                self.version = V5 if level > V5 else mqtt_packets.V311
                self._listener.notices.note(
                    "clients of another MQTT version were turned away: set them to 3.1.1 or 5", f"level {level}"
                )
                self.refuse(mqtt_packets.UNSUPPORTED_VERSION, "MQTT 3.1.1 or 5")

    def _introduced(self, connect: Connect) -> None:
        self.version, self._longest_packet = connect.version, connect.max_packet_bytes
        if self._timer is not None:
            self._timer.cancel()
        self.hold(Hold.GREETING)
        self._listener.greet(self, connect)

    def _submit(self, size: int) -> None:
        """Send what one read brought into the pipeline, and acknowledge it together once it is committed."""
        messages, acknowledgements = self._decoder.take()
        self._unacknowledged += len(acknowledgements)
        if not messages:  # all refused: acknowledged in their turn
            if self._settling:
                self._settling[-1][0].extend(acknowledgements)
            else:
                self._acknowledge(acknowledgements)
            return
        listener, pipeline = self._listener, self._listener.pipeline
        listener.received += len(messages)
        listener.submitted(size)
        self._settling.append((acknowledgements, size))
        is_awaited = len(self._settling) == 1 and self._loop.time() - self._acknowledged_s < _AT_ONCE_S
        pipeline.submit(messages, self._settled, is_awaited=is_awaited)
        if pipeline.is_full and not self._held & Hold.PIPELINE:
            self.hold(Hold.PIPELINE)
            pipeline.when_room(lambda: self.release(Hold.PIPELINE))
        if self._unacknowledged >= listener.settings.receive_maximum:
            self.hold(Hold.WINDOW)

    def _settled(self, error: sqlite3.Error | None) -> None:
        acknowledgements, size = self._settling.popleft()
        self._listener.settled(size)
        if error is None:
            self._acknowledge(acknowledgements)
            return
        # The client keeps what is not acknowledged and sends it again when it is back. (A PUBACK with a reason of
        # version 5 would make it forget.)
        words = f"the spool takes nothing ({error}); free disk space or raise spool.max_mb"
        self._listener.notices.note("clients were sent away because nothing could be stored", words)
        self.close(mqtt_packets.QUOTA_EXCEEDED, words)

    def _acknowledge(self, acknowledgements: list[bytes]) -> None:
        self._unacknowledged -= len(acknowledgements)
        if acknowledgements and not self._transport.is_closing():
            self._transport.write(b"".join(acknowledgements))
            self._acknowledged_s = self._loop.time()
        if self._held & Hold.WINDOW and self._unacknowledged <= self._listener.settings.receive_maximum // 2:
            self.release(Hold.WINDOW)

    def _subscribe(self, packet: Subscribe) -> None:
        codes, kept = bytearray(), []
        for wish in packet.wishes:
            code = self._subscription(wish)
            codes.append(code if self.version == V5 or code < 0x80 else 0x80)
            if code < 0x80:
                is_new = self._session.subscribe(wish)
                if wish.retain_handling == 0 or (wish.retain_handling == 1 and is_new):
                    kept += [(message, code) for message in self._listener.retained.matching(wish.topic_filter)]
            else:
                what = "subscriptions were refused: allow them in listener.users, or take them out of the client"
                self._listener.notices.note(what, f"{self._name}: {wish.topic_filter}")
        self._transport.write(mqtt_answers.suback(self.version, packet.packet_id, bytes(codes)))
        for message, qos in kept:
            self._send(message, qos)

    def _subscription(self, wish: Wish) -> int:
        """The granted QoS, or why there is none."""
        if wish.topic_filter.startswith("$share/"):
            return mqtt_packets.SHARED_NOT_SUPPORTED
        if not topics.is_filter(wish.topic_filter):
            return mqtt_packets.FILTER_INVALID
        if self._rights is None or not self._rights.may_subscribe(wish.topic_filter):
            return mqtt_packets.NOT_AUTHORISED
        return min(wish.qos, 1) if self._session.has_room(wish) else mqtt_packets.QUOTA_EXCEEDED

    def _unsubscribe(self, packet: Unsubscribe) -> None:
        gone = [self._session.subscriptions.pop(told, None) is not None for told in packet.filters]
        codes = bytes(0x00 if it_was else 0x11 for it_was in gone)  # 0x11: no subscription existed
        self._transport.write(mqtt_answers.unsuback(self.version, packet.packet_id, codes))

    def _note_trouble(self) -> None:
        decoder, listener = self._decoder, self._listener
        if decoder.refused and self._rights is not None:
            what = "messages were refused: allow their topic in listener.users, or correct the client"
            listener.notices.note(what, f"{self._name}: {self._rights.refused_topic}", count=decoder.refused)
        if decoder.shortened:
            what = "messages longer than listener.max_packet_bytes were cut and cannot be read"
            listener.notices.note(what, self._name, count=decoder.shortened)
        decoder.refused = decoder.shortened = 0

    # what the gateway says

    def _send(self, message: Outgoing, qos: int) -> bool:
        """Whether it is on its way."""
        if qos:
            gone = self._session.queue(message)
            if gone:
                self._listener.note_unheard(self._name, gone)
            self._send_waiting()
            return True
        if self._held & Hold.WRITING:
            self._listener.note_unheard(self._name, 1)
            return False
        return self._write(mqtt_answers.publish(self.version, message.topic, message.payload, retain=message.retain))

    def _send_waiting(self) -> None:
        session = self._session
        while session.waiting and len(session.in_flight) < self._receive_maximum and not self._held & Hold.WRITING:
            if self._transport.is_closing():
                return
            packet_id, (topic, payload, retain) = session.next_in_flight()
            packet = mqtt_answers.publish(self.version, topic, payload, packet_id=packet_id, retain=retain)
            if not self._write(packet):
                del session.in_flight[packet_id]

    def _resend(self) -> None:
        """What the client had not acknowledged when it went, then what it has missed."""
        for packet_id, (topic, payload, retain) in list(self._session.in_flight.items()):
            packet = mqtt_answers.publish(self.version, topic, payload, packet_id=packet_id, retain=retain, again=True)
            if not self._write(packet):
                del self._session.in_flight[packet_id]
        self._send_waiting()

    def _write(self, packet: bytes) -> bool:
        if self._longest_packet is not None and len(packet) > self._longest_packet:
            self._listener.note_unheard(f"{self._name}, which takes no more than {self._longest_packet} bytes", 1)
            return False
        self._transport.write(packet)
        return True

    # time

    def _watch_silence(self, keepalive_s: int) -> None:
        self._silence_s = keepalive_s * 1.5
        self._heard_at = self._loop.time()
        if self._silence_s:
            self._timer = self._loop.call_later(self._silence_s, self._check_silence)

    def _check_silence(self) -> None:
        left_s = self._heard_at + self._silence_s - self._loop.time()
        if left_s > 0 or self._held:
            self._timer = self._loop.call_later(max(left_s, self._silence_s / 2), self._check_silence)
            return
        _log.info("listener: %s: silent for %g s", self._name, self._silence_s)
        self.close(mqtt_packets.KEEPALIVE_TIMEOUT, f"silent for {self._silence_s:g} s")

    def _never_introduced(self) -> None:
        self._listener.notices.note("connections without a word of MQTT were cut off", self._name)
        self._close()

    def _too_slow(self) -> None:
        self._listener.notices.note("clients that do not read what is sent to them were cut off", self._name)
        self._transport.abort()

    def _close(self) -> None:
        """Let the last words out, but not for ever."""
        if not self._transport.is_closing():
            self._transport.close()
            if self._timer is not None:
                self._timer.cancel()
            self._timer = self._loop.call_later(_GOOD_BYE_S, self._transport.abort)
